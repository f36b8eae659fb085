"""One writer per output: a second is refused with the holder's name, a dead one's lock is taken over."""

import json
import os
import subprocess
import sys
import threading
import time

import psutil
import pytest

from imagerecords.schemas.errors import BadStorage, OutputLocked
from imagerecords.schemas.output_files import LOCK
from imagerecords.tasks.storage import lock as lock_module
from imagerecords.tasks.storage.folders import open_folder
from imagerecords.tasks.storage.lock import output_lock, read_holder, refuse_if_locked
from imagerecords.tasks.storage.lock_holder import Holder, machine, start_ticks

STALE = 60.0
ELSEWHERE = "another-machine/boot/pid:[1]"


@pytest.fixture(params=["local", "memory"])
def output(request, tmp_path):
    """An output that is not there yet."""
    return open_folder(str(tmp_path / "out") if request.param == "local" else f"memory://{tmp_path.name}/out", {})


@pytest.fixture(autouse=True)
def soon_settled(monkeypatch):
    """Nobody else takes the same lock over here."""
    monkeypatch.setattr(lock_module, "SETTLE_SECONDS", 0.01)


def here():
    """The machine as this process's own lock names it."""
    return machine()


def leave_lock(output, **changes):
    """A lock such as another build leaves."""
    holder = {"id": "other", "machine": ELSEWHERE, "pid": 4242, "process_started": 1.0, "beat": time.time()} | changes
    output.write(LOCK, json.dumps(holder).encode())
    return Holder(**holder)


def dead_pid():
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_second_holder_is_refused_with_the_first_ones_process(output):
    with output_lock(output, STALE):
        with pytest.raises(OutputLocked, match=f"writing .*: process {os.getpid()} on"), output_lock(output, STALE):
            pytest.fail("two builds hold one output")
        with pytest.raises(OutputLocked, match=f"process {os.getpid()}"):
            refuse_if_locked(output, STALE)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="a file system that makes no directories")
@pytest.mark.parametrize("place", ["/proc/here/out", "/proc/1/out", "/dev/fd/out", "/dev/null/out"])
def test_a_file_system_without_directories_is_refused_in_one_line(place):
    with (
        pytest.raises(BadStorage, match=f"must be a directory that can be written, got: [A-Z][a-z ]+: {place}. Choose another"),
        output_lock(open_folder(place, {}), STALE),
    ):
        pytest.fail("there is no such directory")


def test_the_lock_is_gone_afterwards(output):
    with output_lock(output, STALE):
        assert output.exists(LOCK)
    assert not output.exists(LOCK)
    with output_lock(output, STALE):
        pass


def test_the_lock_is_gone_after_an_error_too(output):
    with pytest.raises(ZeroDivisionError), output_lock(output, STALE):
        raise ZeroDivisionError
    assert not output.exists(LOCK)


def test_a_refused_build_leaves_the_holders_lock(output):
    holder = leave_lock(output)
    with pytest.raises(OutputLocked), output_lock(output, STALE):
        pass
    assert read_holder(output) == holder


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({}, False),  # elsewhere, with a heartbeat just now
        ({"beat": 0.0}, True),  # elsewhere, without a heartbeat since 1970
        ({"machine": "here"}, True),  # here, and process 4242 began in 1970: the number was given out again, or is free
        ({"machine": "here", "pid": "own"}, False),
        ({"machine": "here", "pid": "own", "beat": 0.0}, False),  # alive is alive, however long it was stopped
        ({"machine": "here", "pid": "own", "process_started": 1.0}, True),  # our number, but it was somebody else's before
        ({"machine": "here", "pid": "dead"}, True),  # without waiting for its silence
    ],
)
def test_a_lock_is_taken_over_when_its_holder_is_gone(output, changes, gone):
    own = psutil.Process()
    if changes.get("machine") == "here":
        changes = changes | {"machine": here()}
    if changes.get("pid") == "own":
        changes = {"process_started": own.create_time()} | changes | {"pid": own.pid}
    if changes.get("pid") == "dead":
        changes = changes | {"pid": dead_pid()}
    leave_lock(output, **changes)
    if gone:
        refuse_if_locked(output, STALE)
        with output_lock(output, STALE) as lock:
            assert read_holder(output).id == lock.holder.id
    else:
        with pytest.raises(OutputLocked), output_lock(output, STALE):
            pass


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"id": "x"}', b"\xff\xfe"])
def test_a_lock_that_nobody_finished_writing_is_held_until_it_is_stale(tmp_path, content):
    """A build killed between creating its lock and writing it must not lock the output for ever."""
    output = open_folder(str(tmp_path / "out"), {})
    output.write(LOCK, content)
    with pytest.raises(OutputLocked), output_lock(output, STALE):
        pass
    old = time.time() - 10 * STALE
    os.utime(output.join(LOCK), (old, old))
    with output_lock(output, STALE) as lock:
        assert read_holder(output).id == lock.holder.id


def test_a_heartbeat_writes_its_time(output):
    with output_lock(output, STALE) as lock:
        leave_lock(output, **(vars(lock.holder) | {"beat": 0.0}))
        lock.beat()
        assert read_holder(output).beat > time.time() - STALE
        lock.check()


def test_a_lock_that_was_taken_over_is_noticed(output):
    with output_lock(output, STALE) as lock:
        lock.check()
        leave_lock(output)
        lock.beat()
        with pytest.raises(OutputLocked, match="lost to process 4242 on another-machine"):
            lock.check()
    assert read_holder(output).id == "other"  # whose it is now


def test_an_error_after_the_lock_was_taken_over_is_reported_as_that(output):
    """Who takes it over sweeps this build's unfinished files, and the next rename finds none."""

    def take_over():
        leave_lock(output)
        raise FileNotFoundError(2, "No such file or directory", "README.md.x")

    with pytest.raises(OutputLocked, match="lost to process 4242 on another-machine"), output_lock(output, STALE):
        take_over()
    with pytest.raises(FileNotFoundError), output_lock(output, 0.0):
        raise FileNotFoundError(2, "No such file or directory")


def test_a_lock_that_was_removed_is_noticed(output):
    with output_lock(output, STALE) as lock:
        output.remove(LOCK)
        lock.beat()
        with pytest.raises(OutputLocked, match="removed"):
            lock.check()


def test_a_lost_lock_is_never_written_again(output):
    with output_lock(output, STALE) as lock:
        other = leave_lock(output)
        lock.beat()
        lock.beat()
        assert read_holder(output) == other


@pytest.mark.parametrize("stale", [False, True], ids=["free", "stale"])
def test_of_several_who_want_it_one_gets_it(tmp_path, monkeypatch, stale):
    """Each as if it were another process."""
    monkeypatch.setattr(lock_module, "SETTLE_SECONDS", 0.2)
    output = open_folder(str(tmp_path / "out"), {})
    if stale:
        leave_lock(output, beat=0.0)
    start, end = threading.Barrier(6), threading.Event()
    held, refused = [], []

    def want():
        start.wait()
        try:
            with output_lock(output, STALE):
                held.append(1)
                end.wait()
        except OutputLocked:
            refused.append(1)
        if len(refused) == 5:
            end.set()

    threads = [threading.Thread(target=want) for _ in range(6)]
    for thread in threads:
        thread.start()
    end.wait(30)
    end.set()
    for thread in threads:
        thread.join()
    assert (len(held), len(refused)) == (1, 5)


def test_a_holder_is_printed_with_process_machine_and_heartbeat(output):
    holder = Holder("x", "host/boot/pid", 7, 0.0, 0.0)
    assert str(holder) == "process 7 on host, last heartbeat 1970-01-01 00:00:00 UTC"


@pytest.mark.skipif(start_ticks(os.getpid()) is None, reason="no /proc here")
def test_a_holder_lives_though_the_clock_was_set(output):
    """The start of a process in seconds moves with the clock; its ticks since boot do not."""
    mine = vars(Holder.here("other"))
    holder = leave_lock(output, **mine | {"process_started": mine["process_started"] + 5, "beat": 0.0})
    assert not holder.is_gone(STALE)
    with pytest.raises(OutputLocked), output_lock(output, STALE):
        pass


@pytest.mark.skipif(start_ticks(os.getpid()) is None, reason="no /proc here")
def test_another_process_of_the_same_id_is_not_the_holder(output):
    mine = vars(Holder.here("other"))
    assert leave_lock(output, **mine | {"process_ticks": mine["process_ticks"] + 1}).is_gone(STALE)


@pytest.mark.parametrize("beat", [float("nan"), float("inf"), 4e9])
def test_a_heartbeat_that_says_nothing_is_waited_for(output, beat, monkeypatch):
    monkeypatch.setattr(lock_module, "DOUBT_SECONDS", 0.05)
    leave_lock(output, beat=beat)
    with output_lock(output, STALE):
        pass


def test_a_holder_whose_clock_is_ahead_keeps_its_lock_while_it_beats(output, monkeypatch):
    leave_lock(output, beat=time.time() + 1e7)

    def beat(_: float) -> None:
        leave_lock(output, beat=time.time() + 1e7 + 15)

    monkeypatch.setattr(lock_module.time, "sleep", beat)
    with pytest.raises(OutputLocked), output_lock(output, STALE):
        pass
