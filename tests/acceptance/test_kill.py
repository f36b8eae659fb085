"""Killed at any moment and run again, a build is the same as one that nothing disturbed."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.acceptance.running import (
    Images,
    Running,
    Shell,
    alive,
    leftovers,
    receipts,
    seeded_moments,
    shard_files,
    wait_until,
    with_build,
    working_on,
)
from tests.digests import digests


def _finish_and_compare(shell: Shell, images: Images, output: Path) -> dict[str, int]:
    """Run the build again; it must keep what was finished, redo the rest, and give the same bytes."""
    finished = [name for name in receipts(output) if (output / name).exists()]
    before = {name: (output / name).stat() for name in finished}
    rerun = shell.run(images.arguments(output, "--no-prefect"))
    assert digests(output) == images.undisturbed.digests
    assert rerun.summary["digest"] == images.undisturbed.digest
    assert (rerun.summary["shards_reused"], rerun.summary["shards_converted"]) == (len(finished), images.shards - len(finished))
    for name, was in before.items():
        now = (output / name).stat()
        assert (now.st_ino, now.st_mtime_ns) == (was.st_ino, was.st_mtime_ns), f"{name} was finished, and written again"
    return {"kept": len(finished), "converted": images.shards - len(finished)}


@pytest.fixture(scope="module")
def carded(slow: Images, prefect_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Images:
    """The slow images, built with the data card."""
    return with_build(replace(slow, report=True), tmp_path_factory.mktemp("carded"), prefect_home)


@pytest.mark.parametrize("moment", seeded_moments(10), ids=lambda moment: f"{moment:.0%}")
def test_a_killed_build_is_finished_by_a_rerun_with_the_same_bytes(moment: float, shell: Shell, carded: Images, tmp_path: Path):
    build = shell.start(carded.arguments(tmp_path / "data", "--no-prefect"))
    build.kill_at(moment, carded.undisturbed.seconds)
    _finish_and_compare(shell, carded, tmp_path / "data")


def test_a_build_killed_twice_in_mid_conversion_redoes_only_the_unfinished_shards(shell: Shell, slow: Images, tmp_path: Path):
    for enough in (2, 3):
        build = shell.start(slow.arguments(tmp_path / "data", "--no-prefect"))
        wait_until(lambda goal=enough: len(receipts(tmp_path / "data")) >= goal, f"{enough} shards are done")
        build.kill()
    done = _finish_and_compare(shell, slow, tmp_path / "data")
    assert done["kept"] >= 3
    assert done["converted"] >= 1


def test_a_finished_build_run_again_writes_no_shard(shell: Shell, quick: Images, tmp_path: Path):
    shell.run(quick.arguments(tmp_path / "data", "--no-prefect"))
    done = _finish_and_compare(shell, quick, tmp_path / "data")
    assert done == {"kept": quick.shards, "converted": 0}


def test_no_unfinished_file_carries_a_shards_name_after_a_kill(shell: Shell, slow: Images, tmp_path: Path):
    build = shell.start(slow.arguments(tmp_path / "data", "--no-prefect"))
    wait_until(lambda: len(receipts(tmp_path / "data")) >= 2 and working_on(build, tmp_path / "data"), "shards are done")
    build.kill()
    assert leftovers(tmp_path / "data"), "a kill leaves its unfinished files, or it came too late to prove anything"
    whole = {name: digest for name, digest in slow.undisturbed.digests.items() if (tmp_path / "data" / name).exists()}
    there = digests(tmp_path / "data")
    assert {name: there[name] for name in whole} == whole
    assert not (tmp_path / "data/dataset_info.json").exists()


def _kill_a_worker(build: Running, output: Path) -> None:
    worker = wait_until(lambda: working_on(build, output), "a worker is in the middle of a shard")
    assert worker.pid != build.pid
    assert worker.ppid() != build.pid, "workers are children of the fork server"
    worker.send_signal(signal.SIGKILL)
    wait_until(lambda: not alive([worker]), "the worker is dead")


def test_a_worker_killed_in_mid_shard_costs_no_more_than_a_retry(shell: Shell, slow: Images, tmp_path: Path):
    build = shell.start(slow.arguments(tmp_path / "data", "--no-prefect"))
    _kill_a_worker(build, tmp_path / "data")
    assert build.wait() == 0, build.stderr
    assert "WorkerDied" in build.stderr
    assert digests(tmp_path / "data") == slow.undisturbed.digests
    assert not leftovers(tmp_path / "data")


def test_a_worker_killed_in_mid_shard_costs_no_more_than_a_retry_under_prefect(
    shell: Shell, slow: Images, tmp_path: Path, prefect_server: str
):
    build = shell.start(slow.arguments(tmp_path / "data", "--prefect"), {"PREFECT_API_URL": prefect_server})
    _kill_a_worker(build, tmp_path / "data")
    assert build.wait() == 0, build.stderr
    assert "WorkerDied" in build.stdout + build.stderr
    assert digests(tmp_path / "data") == slow.undisturbed.digests
    assert not leftovers(tmp_path / "data")


def test_a_worker_killed_more_often_than_it_may_be_retried_fails_the_build_and_says_so(
    shell: Shell, slow: Images, tmp_path: Path
):
    build = shell.start(slow.arguments(tmp_path / "data", "--no-prefect", retries=0, workers=1))
    _kill_a_worker(build, tmp_path / "data")
    assert build.wait() == 1
    assert "WorkerDied" in build.last_word
    assert not leftovers(tmp_path / "data")


@pytest.mark.parametrize("runner", ["--no-prefect", "--prefect"])
def test_workers_end_with_their_killed_parent_and_write_nothing_more(
    runner: str, shell: Shell, slow: Images, tmp_path: Path, request: pytest.FixtureRequest
):
    server = {"PREFECT_API_URL": request.getfixturevalue("prefect_server")} if runner == "--prefect" else {}
    build = shell.start(slow.arguments(tmp_path / "data", runner), server)
    wait_until(lambda: working_on(build, tmp_path / "data"), "a worker is in the middle of a shard")
    wait_until(lambda: len(build.descendants) >= 4, "there are a resource tracker, a fork server and two workers")
    family: list[psutil.Process] = build.descendants
    os.kill(build.pid, signal.SIGKILL)
    build.process.wait()
    wait_until(lambda: not alive(family), "no process of the build is left")
    left = digests(tmp_path / "data")
    assert len(shard_files(tmp_path / "data")) < slow.shards
    time.sleep(1)
    assert digests(tmp_path / "data") == left
    _finish_and_compare(shell, slow, tmp_path / "data")
