"""Dask as an executor: how it runs steps, and the error where it is missing."""

import math
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from imagerecords.flows.executors import dask_cluster
from imagerecords.flows.executors.pool import Workers
from imagerecords.schemas.current_image import begin_image
from imagerecords.schemas.errors import BadSettings, ShardFailed, WorkerDied
from imagerecords.schemas.settings import BuildSettings


def settings_for(**more):
    return BuildSettings(output_directory="out", train_directory="in", executor="dask", **more)


@pytest.fixture(scope="module")
def workers():
    """A cluster of two processes on this machine."""
    with Workers(settings_for(workers=2)) as workers:
        yield workers


def test_a_step_returns_what_it_returns_in_another_process(workers):
    assert workers.run(math.gcd, 12, 18) == 6
    assert workers.run(os.getpid) != os.getpid()
    assert workers.count == 2


def test_the_same_step_is_run_as_often_as_it_is_asked_for(workers):
    """Dask would take an equal call's result for a pure function's."""
    assert len({workers.run(os.urandom, 8) for _ in range(5)}) == 5


def test_a_step_raises_what_it_raises(workers):
    with pytest.raises(FileNotFoundError) as caught:
        workers.run(os.stat, "/no/such/file")
    assert caught.value.errno == 2


def test_sys_exit_in_a_step_is_an_error_and_ends_no_worker(workers):
    pids = {workers.run(os.getpid) for _ in range(6)}
    with pytest.raises(ShardFailed, match=r"sys\.exit\(3\)"):
        workers.run(sys.exit, 3)
    assert {workers.run(os.getpid) for _ in range(6)} & pids


def take_images(count, file):
    """A step that begins so many images, and waits at the last one until the file exists."""
    for number in range(count):
        dask_cluster.SECONDS_BETWEEN_EVENTS = 0 if number == count - 1 else 3600  # in a worker, for this step alone
        begin_image("train-00000-of-00001", f"{number}.jpg")
    while not os.path.exists(file):
        time.sleep(0.01)


def test_the_images_of_a_shard_in_hand_are_counted(workers, tmp_path):
    assert workers.images_done() == 0
    with ThreadPoolExecutor(1) as thread:
        step = thread.submit(workers.run, take_images, 40, str(tmp_path / "go"))
        while not (done := workers.images_done()) and not step.done():
            time.sleep(0.01)
        (tmp_path / "go").touch()
        step.result()
    assert (done, workers.images_done()) == (39, 0)


def test_a_step_that_kills_every_worker_it_is_given_to_is_reported_and_the_cluster_stays_usable(workers):
    with pytest.raises(WorkerDied, match=r"^a Dask worker died or was lost while running a step: Attempted to run .* on 4 "):
        workers.run(os._exit, 9)
    assert workers.run(math.gcd, 4, 6) == 2


SCRIPT = """
from imagerecords.flows.executors.pool import Workers
from imagerecords.schemas.settings import BuildSettings

print("the script")
with Workers(BuildSettings(output_directory="out", train_directory="in", executor="dask", workers=2)) as workers:
    print(workers.run(eval, "vars(__import__('__main__')).get('__file__')"))
print(__file__, __spec__)
"""


def test_a_cluster_on_this_machine_does_not_import_the_callers_script(tmp_path):
    """Without `if __name__ == "__main__"`, each worker would start a cluster of its own."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    for arguments, file in ([script], str(script)), (["-"], "<stdin>"):
        with script.open() as stdin:
            ran = subprocess.run([sys.executable, *arguments], stdin=stdin, cwd=tmp_path, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.splitlines() == ["the script", "None", f"{file} None"]


def test_workers_with_a_count_are_on_this_machine():
    with Workers(settings_for(dask_address="tcp://127.0.0.1:9"), count=1) as lane:
        assert lane.run(math.gcd, 4, 6) == 2


def test_without_distributed_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BadSettings, match=r"pip install 'imagerecords\[dask\]'"):
        Workers(settings_for())


def test_an_address_without_dask_is_refused():
    with pytest.raises(ValueError, match="dask_address must go with executor dask"):
        BuildSettings(output_directory="out", train_directory="in", dask_address="tcp://127.0.0.1:8786")
