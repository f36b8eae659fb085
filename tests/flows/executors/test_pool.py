"""The workers: results and errors are returned, a dead worker costs a retry, and stopping ends all."""

import errno
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import imagerecords
from imagerecords.flows.executors.pool import DOING, Workers
from imagerecords.flows.executors.processes import ProcessPool
from imagerecords.schemas.errors import BadSettings, Interrupted, ShardFailed, WorkerDied
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.convert import convert_shard
from imagerecords.tasks.records.tensorflow import check_with_tensorflow
from imagerecords.tasks.storage.processors import usable_processors
from imagerecords.tasks.validate import validate_shard

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


@pytest.mark.parametrize(
    ("step", "number", "reason"),
    [
        (os._exit, 3, "exit code 3"),
        (signal.raise_signal, signal.SIGKILL, r"exit code -9 \(SIGKILL\): killed, perhaps out of memory"),
        (signal.raise_signal, signal.SIGSEGV, r"exit code -11 \(SIGSEGV\)"),
        (signal.raise_signal, signal.SIGTERM, r"exit code -15 \(SIGTERM\)"),  # by which the pool itself ends all the others
        (os._exit, 255, "exit code unknown"),  # multiprocessing says 255 when the fork server was killed too
    ],
)
def test_a_worker_that_dies_is_reported_with_its_cause_and_replaced(processes, step, number, reason):
    for _ in range(2):
        with pytest.raises(WorkerDied, match=f"^a worker process died while running a step: {reason}$"):
            processes.run(step, number)
        assert processes.run(math.gcd, 4, 6) == 2


def test_each_step_is_described_for_error_messages():
    assert set(DOING) == {step.__name__ for step in (convert_shard, validate_shard, check_with_tensorflow)}


def test_an_answer_that_cannot_be_read_is_reported_as_that(processes):
    with pytest.raises(WorkerDied, match=r"answer could not be read while running a step: ValueError: invalid literal"):
        processes.run(eval, "type('Answer', (), {'__reduce__': lambda self: (int, ('x',))})()")


RUN_TWO_STEPS = """
import os
from imagerecords.flows.executors.pool import Workers
from imagerecords.schemas.settings import BuildSettings

with Workers(BuildSettings(output_directory="out", train_directory="in", workers=2)).warm_up() as workers:
    for _ in range(2):
        try:
            print("pid" if workers.run(os.getpid) != os.getpid() else "here")
        except Exception as error:
            print(f"{type(error).__name__}: {error}")
"""


def run_python(*arguments, folder, **options):
    """The lines that a Python prints which never looks for modules in its working directory by itself."""
    ran = subprocess.run([sys.executable, "-P", *arguments], cwd=folder, capture_output=True, text=True, timeout=300, **options)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise ImportError('libjpeg.so.9: no such file')", "ImportError: libjpeg.so.9: no such file"),
        ("raise RuntimeError('not today')", "ImportError: RuntimeError: not today"),
        ("import os; os._exit(4)", "its fork server died: exit code 4"),
        ("import signal; signal.raise_signal(11)", "its fork server died: exit code -11 (SIGSEGV)"),
    ],
)
def test_a_worker_that_fails_in_its_imports_is_reported_as_not_started(code, reason, tmp_path):
    (tmp_path / "simplejpeg.py").write_text(code)
    lines = run_python("-c", RUN_TWO_STEPS, folder=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert lines == [f"WorkerDied: a worker process could not start: {reason}"] * 2


def test_the_working_directorys_modules_are_not_taken_for_pythons_or_ours(tmp_path):
    for name in ("random", "socket", "selectors", "signal", "tempfile", "imagerecords", "PIL"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    assert run_python("-c", RUN_TWO_STEPS, folder=tmp_path) == ["pid", "pid"]


def test_workers_import_the_package_that_their_parent_has_imported(tmp_path):
    """A copy on the parent's own sys.path, beside the installed one; no folder of the package is on their path."""
    shutil.copytree(Path(imagerecords.__path__[0]), tmp_path / "copy/imagerecords")
    code = f"""
import pkgutil, sys
sys.path.insert(0, {str(tmp_path / "copy")!r})
import imagerecords
from imagerecords.flows.executors.processes import ProcessPool
pool = ProcessPool(1, [])
print(imagerecords.__file__ == pool.submit(pkgutil.resolve_name, "imagerecords:__file__").result())
print([place for place in pool.submit(pkgutil.resolve_name, "sys:path").result() if place.endswith("imagerecords")])
pool.shutdown()
"""
    assert run_python("-c", code, folder=tmp_path) == ["True", "[]"]


def test_the_callers_script_is_not_imported(processes, tmp_path):
    assert processes.run(eval, "vars(__import__('__main__')).get('__file__')") is None
    script = tmp_path / "script.py"
    script.write_text(f"print('the script')\n{RUN_TWO_STEPS}\nprint(__file__, __spec__)")
    assert run_python(script, folder=tmp_path) == ["the script", "pid", "pid", f"{script} None"]
    assert run_python("-", folder=tmp_path, input=script.read_text()) == ["the script", "pid", "pid", "<stdin> None"]


def test_the_caller_can_still_choose_a_start_method(tmp_path):
    code = f"{RUN_TWO_STEPS}\nimport multiprocessing\nmultiprocessing.set_start_method('spawn')\nprint('chosen')"
    assert run_python("-c", code, folder=tmp_path) == ["pid", "pid", "chosen"]


def test_a_daemonic_process_can_have_workers(tmp_path):
    """Dask's workers are daemonic, and so are those of multiprocessing.Pool."""
    code = (
        f"from multiprocessing import get_context\nprocess = get_context('fork').Process(target=exec, args=({RUN_TWO_STEPS!r},)"
    )
    assert run_python("-c", f"{code}, daemon=True)\nprocess.start()\nprocess.join()", folder=tmp_path) == ["pid", "pid"]


def test_workers_have_the_environment_of_their_build_and_leave_the_callers_alone(monkeypatch):
    """The fork server, which all builds of a process share, has that of the first."""
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    for value in ("one", "two"):
        monkeypatch.setenv("SOMETHING", value)
        before = dict(os.environ)
        with Workers(settings_for("processes")) as workers:
            names = ("SOMETHING", "PYTHONSAFEPATH", "PYTHONPATH")
            assert [workers.run(os.getenv, name) for name in names] == [value, "", os.getenv("PYTHONPATH")]
        assert dict(os.environ) == before


def test_a_death_is_reported_to_all_running_calls(processes):
    """Immediately, not with the next result; and the pool is rebuilt once for all of them."""
    with ThreadPoolExecutor(2) as callers:
        sleeping = callers.submit(processes.run, time.sleep, 60)
        while not processes._executor._pending_work_items:
            time.sleep(0.01)
        dying = callers.submit(processes.run, os._exit, 9)
        for future in (sleeping, dying):
            with pytest.raises(WorkerDied):
                future.result()
    assert processes.run(math.gcd, 4, 6) == 2


def test_workers_that_are_stopped_interrupt_running_steps(processes):
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


@pytest.mark.parametrize(("asked", "given", "count"), [(3, None, 3), (None, None, usable_processors()), (3, 1, 1)])
def test_there_are_as_many_workers_as_asked_for(asked, given, count):
    with Workers(settings_for("threads", asked), given) as workers:
        assert workers.count == count


@pytest.mark.parametrize("length", [75, 76])  # with 32 more for the socket: 107 bytes, as many as Linux takes
def test_a_temporary_directory_too_deep_for_a_socket_is_reported_before_any_work(length, monkeypatch):
    with tempfile.TemporaryDirectory(dir="/tmp") as root:
        deep = os.path.join(root, "d" * (length - len(root) - 1))
        os.mkdir(deep)
        monkeypatch.setattr(tempfile, "tempdir", deep)
        if length == 75:
            Workers(settings_for("processes"), count=1).stop()
        else:
            with pytest.raises(BadSettings, match="Set TMPDIR"):
                Workers(settings_for("processes"), count=1)


def test_shared_memory_that_can_not_be_written_is_named_with_what_to_do(monkeypatch):
    """As on AWS Lambda and in hardened containers."""

    def refuse(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("imagerecords.flows.executors.pool.ProcessPool", refuse)
    with pytest.raises(BadSettings, match=r"/dev/shm .*Read-only file system.*--executor threads"):
        Workers(settings_for("processes"))


def test_workers_are_listed_while_another_one_starts():
    """Else the thread that watches for dead workers ends, and the build hangs after its last shard."""
    with ProcessPool(1, []) as pool:
        listed = pool._processes
        listed[1] = None
        for number, _ in enumerate(listed.values()):
            listed[number + 2] = None
        assert sorted(listed) == [1, 2]
        listed.clear()
