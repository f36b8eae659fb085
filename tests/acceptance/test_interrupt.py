"""Stopped by Ctrl-C or SIGTERM, a build ends soon, tidies up, and a rerun goes on from there."""

import signal
import time
from pathlib import Path

import pytest

from tests.acceptance.running import (
    Images,
    Running,
    Shell,
    alive,
    leftovers,
    receipts,
    shard_files,
    wait_until,
    working_on,
)
from tests.digests import digests


def _stop(build: Running, output: Path, number: signal.Signals) -> None:
    """Ctrl-C reaches every process of the group, SIGTERM (from a scheduler) only the command."""
    wait_until(lambda: receipts(output) and working_on(build, output), "some shards are done and one is under way")
    family = build.descendants
    began = time.monotonic()
    if number == signal.SIGINT:
        build.signal_group(number)
    else:
        build.process.send_signal(number)
    code = build.wait()
    print(f"stopped by {number.name} in {time.monotonic() - began:.2f} s")
    assert code == 130, build.stderr
    wait_until(lambda: not alive(family), "no process of the build is left")


def _says_so_and_no_more(build: Running) -> None:
    assert "Traceback" not in build.stderr
    assert build.last_word == "imagerecords: interrupted. Run it again to go on: finished shards are reused"


def _check_what_is_left(shell: Shell, images: Images, output: Path) -> None:
    assert not leftovers(output)
    assert not (output / "dataset_info.json").exists()
    assert len(shard_files(output)) < images.shards, "the signal came too late to prove anything"
    there = digests(output)
    assert all(there[path.name] == images.undisturbed.digests[path.name] for path in shard_files(output))
    finished = receipts(output)
    rerun = shell.run(images.arguments(output, "--no-prefect"))
    assert rerun.summary["shards_reused"] == len(finished) > 0
    assert digests(output) == images.undisturbed.digests


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("executor", ["processes", "threads"])
def test_a_stopped_build_cleans_up_and_a_rerun_continues(
    executor: str, number: signal.Signals, shell: Shell, slow: Images, tmp_path: Path
):
    output = tmp_path / "data"
    build = shell.start(slow.arguments(output, "--no-prefect", executor=executor))
    _stop(build, output, number)
    _says_so_and_no_more(build)
    _check_what_is_left(shell, slow, output)


@pytest.mark.parametrize(
    "case",
    [("processes", signal.SIGINT), ("processes", signal.SIGTERM), ("threads", signal.SIGINT)],
    ids=lambda case: f"{case[0]}-{case[1].name}",
)
def test_a_build_stopped_under_prefect_cleans_up_and_a_rerun_continues(
    case: tuple[str, signal.Signals], shell: Shell, slow: Images, tmp_path: Path, prefect_server: str
):
    executor, number = case
    output = tmp_path / "data"
    build = shell.start(slow.arguments(output, executor=executor), {"PREFECT_API_URL": prefect_server})
    _stop(build, output, number)
    _says_so_and_no_more(build)
    _check_what_is_left(shell, slow, output)


@pytest.mark.parametrize("executor", ["processes", "processes again", "threads"])
def test_a_build_stopped_just_as_it_begins_leaves_nothing_unfinished(executor: str, shell: Shell, slow: Images, tmp_path: Path):
    output = tmp_path / "data"
    build = shell.start(slow.arguments(output, "--no-prefect", executor=executor.split(maxsplit=1)[0]))
    wait_until((output / "_build/lock").exists, "the output is locked")
    build.signal_group(signal.SIGINT)
    assert build.wait() == 130, build.stderr
    assert not leftovers(output)
    _says_so_and_no_more(build)
    shell.run(slow.arguments(output, "--no-prefect"))
    assert digests(output) == slow.undisturbed.digests


def test_an_impatient_second_interrupt_ends_a_build_too(shell: Shell, slow: Images, tmp_path: Path):
    output = tmp_path / "data"
    build = shell.start(slow.arguments(output, "--no-prefect"))
    wait_until(lambda: receipts(output) and working_on(build, output), "some shards are done and one is under way")
    family = build.descendants
    for _ in range(5):
        build.signal_group(signal.SIGINT)
        time.sleep(0.02)
    assert build.wait() != 0
    wait_until(lambda: not alive(family), "no process of the build is left")
    assert len(shard_files(output)) < slow.shards, "the signal came too late to prove anything"
    shell.run(slow.arguments(output, "--no-prefect"))
    assert digests(output) == slow.undisturbed.digests


@pytest.mark.parametrize("moment", [0.04, 0.1, 0.2])
def test_an_interrupt_before_the_work_begins_leaves_no_traceback(shell: Shell, slow: Images, tmp_path: Path, moment: float):
    build = shell.start(slow.arguments(tmp_path / "data", "--no-prefect"))
    time.sleep(moment * slow.undisturbed.seconds)
    build.process.send_signal(signal.SIGINT)
    assert build.wait() in (130, -signal.SIGINT)
    assert "Traceback" not in build.stderr
