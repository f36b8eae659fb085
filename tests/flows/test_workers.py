"""The workers: results and errors come through, a death costs a retry, and stopping ends all."""

import math
import os
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from imagerecords.flows.workers import Workers
from imagerecords.schemas.errors import BadSettings, Interrupted, ShardFailed, WorkerDied
from imagerecords.schemas.settings import BuildSettings

# Steps are functions of the standard library here: worker processes can import those by name.


def settings_for(executor, workers=2):
    return BuildSettings(output_directory="out", train_directory="in", executor=executor, workers=workers)


@pytest.fixture(params=["threads", "processes"])
def workers(request):
    """Two workers."""
    with Workers(settings_for(request.param)) as workers:
        yield workers


@pytest.fixture
def processes():
    """Two worker processes."""
    with Workers(settings_for("processes")) as workers:
        yield workers


def test_a_step_returns_what_it_returns(workers):
    assert workers.run(math.gcd, 12, 18) == 6


def test_a_step_raises_what_it_raises(workers):
    with pytest.raises(ValueError, match="invalid literal for int"):
        workers.run(int, "x")
    with pytest.raises(FileNotFoundError) as caught:
        workers.run(os.stat, "/no/such/file")
    assert caught.value.errno == 2
    assert workers.run(math.gcd, 4, 6) == 2  # nothing was broken


def test_many_callers_each_get_their_own(workers):
    with ThreadPoolExecutor(8) as callers:
        assert list(callers.map(lambda n: workers.run(math.factorial, n), range(40))) == [math.factorial(n) for n in range(40)]


def test_sys_exit_in_a_step_is_an_error_and_nothing_hangs(workers):
    with pytest.raises(ShardFailed, match=r"sys\.exit\(3\)"):
        workers.run(sys.exit, 3)
    assert workers.run(math.gcd, 4, 6) == 2


def test_processes_are_other_processes(processes):
    assert processes.run(os.getpid) != os.getpid()


def test_a_worker_that_dies_is_told_and_replaced(processes):
    for _ in range(2):
        with pytest.raises(WorkerDied):
            processes.run(os._exit, 9)
        assert processes.run(math.gcd, 4, 6) == 2


def test_a_death_is_told_to_all_whose_work_was_in_flight(processes):
    """At once, not when the next result comes in; and the pool is rebuilt once for all of them."""
    with ThreadPoolExecutor(2) as callers:
        sleeping = callers.submit(processes.run, time.sleep, 5)
        time.sleep(0.2)
        dying = callers.submit(processes.run, os._exit, 9)
        for future in (sleeping, dying):
            with pytest.raises(WorkerDied):
                future.result()
    assert processes.run(math.gcd, 4, 6) == 2


def test_workers_that_are_stopped_interrupt_what_is_in_flight(processes):
    processes.run(math.gcd, 1, 1)
    with ThreadPoolExecutor(1) as callers:
        sleeping = callers.submit(processes.run, time.sleep, 60)
        while not processes._executor._pending_work_items:
            time.sleep(0.01)
        processes.stop()
        with pytest.raises(Interrupted):
            sleeping.result(30)


def test_workers_that_are_stopped_take_no_more(workers):
    workers.stop()
    with pytest.raises(Interrupted):
        workers.run(math.gcd, 1, 1)


def test_stopping_ends_the_worker_processes(processes):
    import psutil

    pids = {processes.run(os.getpid) for _ in range(4)}
    processes.stop()
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)


def test_a_wait_ends_when_the_workers_are_stopped(workers):
    ended = threading.Event()

    def wait():
        workers.wait(600)
        ended.set()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    workers.stop()
    assert ended.wait(30)


def test_an_error_in_the_block_stops_the_workers():
    with pytest.raises(ValueError, match="invalid literal"), Workers(settings_for("processes")) as workers:
        workers.run(int, "x")
    with pytest.raises(Interrupted):
        workers.run(math.gcd, 1, 1)


@pytest.mark.parametrize(("asked", "given", "count"), [(3, None, 3), (None, None, os.cpu_count()), (3, 1, 1)])
def test_there_are_as_many_workers_as_asked_for(asked, given, count):
    with Workers(settings_for("threads", asked), given) as workers:
        assert workers.count == count


@pytest.mark.parametrize("length", [75, 76])  # with 32 more for the socket: 107 bytes, as many as Linux takes
def test_a_temporary_directory_too_deep_for_a_socket_is_told_before_any_work(length, monkeypatch):
    with tempfile.TemporaryDirectory(dir="/tmp") as root:
        deep = os.path.join(root, "d" * (length - len(root) - 1))
        os.mkdir(deep)
        monkeypatch.setattr(tempfile, "tempdir", deep)
        if length == 75:
            Workers(settings_for("processes"), count=1).stop()
        else:
            with pytest.raises(BadSettings, match="Set TMPDIR"):
                Workers(settings_for("processes"), count=1)
