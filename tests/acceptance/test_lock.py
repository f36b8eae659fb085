"""One output has one build at a time."""

import json
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.acceptance.running import Images, Shell, leftovers, receipts, wait_until
from tests.digests import digests


def test_of_two_builds_started_at_once_one_wins_and_the_other_says_who_holds_the_output(
    shell: Shell, slow: Images, tmp_path: Path
):
    output = tmp_path / "data"
    builds = [shell.start(slow.arguments(output, "--no-prefect")) for _ in range(3)]
    codes = [build.wait() for build in builds]
    assert sorted(codes) == [0, 1, 1], [build.stderr for build in builds]
    winner = builds[codes.index(0)]
    for loser in (build for build in builds if build is not winner):
        last = loser.last_word
        assert last.startswith("imagerecords: error: another build is writing ")
        assert f"process {winner.pid} on " in last
        assert not loser.stdout
    assert digests(output) == slow.undisturbed.digests
    assert not leftovers(output)


def test_a_second_build_is_refused_before_it_touches_anything(shell: Shell, slow: Images, tmp_path: Path):
    output = tmp_path / "data"
    first = shell.start(slow.arguments(output, "--no-prefect"))
    wait_until((output / "_build/lock").exists, "the first build holds the lock")
    second = shell.start(slow.arguments(output, "--no-prefect", "--overwrite", seed=1))
    assert second.wait() == 1
    assert f"process {first.pid} on " in second.stderr
    assert first.wait() == 0
    assert digests(output) == slow.undisturbed.digests


def test_the_lock_of_a_killed_build_is_taken_over_at_once(shell: Shell, slow: Images, tmp_path: Path):
    output = tmp_path / "data"
    first = shell.start(slow.arguments(output, "--no-prefect"))
    wait_until(lambda: receipts(output), "a shard is done")
    first.signal_group(signal.SIGKILL)
    first.wait()
    assert (output / "_build/lock").exists()
    second = shell.start(slow.arguments(output, "--no-prefect", lock_stale_seconds=100_000))
    assert second.wait() == 0, second.stderr
    assert digests(output) == slow.undisturbed.digests


def test_the_lock_of_another_machine_holds_until_its_holder_has_been_silent_for_long(
    shell: Shell, quick: Images, tmp_path: Path
):
    output = tmp_path / "data"
    (output / "_build").mkdir(parents=True)
    holder = {"id": "0", "machine": "elsewhere", "pid": 1, "process_started": 0.0, "beat": time.time()}
    (output / "_build/lock").write_text(json.dumps(holder))
    refused = shell.start(quick.arguments(output, "--no-prefect"))
    assert refused.wait() == 1
    assert "process 1 on elsewhere" in refused.stderr
    (output / "_build/lock").write_text(json.dumps(holder | {"beat": 1e9}))
    shell.run(quick.arguments(output, "--no-prefect"))
    assert digests(output) == quick.undisturbed.digests


def test_of_builds_that_take_over_a_dead_lock_at_once_one_wins(shell: Shell, slow: Images, tmp_path: Path):
    output = tmp_path / "data"
    (output / "_build").mkdir(parents=True)
    holder = {"id": "0", "machine": "elsewhere", "pid": 1, "process_started": 0.0, "beat": 1e9}
    (output / "_build/lock").write_text(json.dumps(holder))
    builds = [shell.start(slow.arguments(output, "--no-prefect")) for _ in range(3)]
    codes = [build.wait() for build in builds]
    assert sorted(codes) == [0, 1, 1], [build.stderr for build in builds]
    assert digests(output) == slow.undisturbed.digests


def test_a_build_whose_lock_was_taken_stops_and_leaves_the_lock_to_its_new_holder(shell: Shell, slow: Images, tmp_path: Path):
    output = tmp_path / "data"
    build = shell.start(slow.arguments(output, "--no-prefect", lock_stale_seconds=1))
    wait_until(lambda: receipts(output), "a shard is done")
    other = {"id": "0", "machine": "elsewhere", "pid": 1, "process_started": 0.0, "beat": 4e9}
    stolen = threading.Event()

    def steal_until_it_stops() -> None:
        while build.process.poll() is None and not stolen.wait(0.05):
            (output / "_build/lock.other").write_text(json.dumps(other))
            (output / "_build/lock.other").replace(output / "_build/lock")

    thief = threading.Thread(target=steal_until_it_stops)
    thief.start()
    try:
        assert build.wait() == 1, build.stderr
    finally:
        stolen.set()
        thief.join()
    assert "lock was lost to process 1 on elsewhere" in build.last_word
    assert json.loads((output / "_build/lock").read_text()) == other
    assert not (output / "dataset_info.json").exists()


def test_a_build_that_was_suspended_while_it_published_completes_no_data_set_of_anothers(
    shell: Shell, slow: Images, tmp_path: Path
):
    """It draws the data card, its last look at the lock is behind it, and another machine's build takes the stale lock over."""
    output = tmp_path / "data"
    build = shell.start(slow.arguments(output, "--no-prefect", report=True))
    wait_until((output / "croissant.json").exists, "the files beside the shards are written")
    build.process.send_signal(signal.SIGSTOP)
    if (output / "dataset_info.json").exists():
        pytest.fail("the build was suspended too late to show anything")
    other = {"id": "0", "machine": "elsewhere", "pid": 1, "process_started": 0.0, "beat": time.time()}
    (output / "_build/lock").write_text(json.dumps(other))
    build.process.send_signal(signal.SIGCONT)
    assert build.wait() == 1, build.stderr
    assert "lock was lost to process 1 on elsewhere" in build.last_word
    assert not (output / "dataset_info.json").exists()
