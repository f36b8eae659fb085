"""The wait for an output's lock once a build has the slot: a dead holder's is waited for, a living one's is not."""

import json
import logging
import threading
import time

import pytest

from imagerecords.flows.prefect_ui.concurrency import wait_for_dead_holder
from imagerecords.schemas.errors import OutputLocked
from imagerecords.schemas.output_files import LOCK
from imagerecords.tasks.storage.folders import open_folder
from imagerecords.tasks.storage.lock_holder import Holder

STALE_SECONDS = 6.0


@pytest.fixture
def output(tmp_path):
    """An output that a build on another machine has locked just now."""
    folder = open_folder(str(tmp_path / "out"), {})
    lock(folder)
    return folder


def lock(folder):
    folder.write(LOCK, json.dumps(vars(Holder("other", "pod-a/boot/ns", 7, 0.0, time.time()))).encode())


def test_the_lock_of_a_build_that_died_on_another_machine_is_waited_for(output, caplog):
    caplog.set_level(logging.INFO)
    wait_for_dead_holder(output, STALE_SECONDS, logging.getLogger("build"))
    (line,) = caplog.messages
    assert line.startswith("waiting for the lock of process 7 on pod-a, last heartbeat ")
    assert f"until it is 6 s without a heartbeat: {output.url}" in line


def test_a_build_that_gives_heartbeats_is_not_waited_for(output):
    def beat():
        while not done.wait(1):
            lock(output)

    done = threading.Event()
    thread = threading.Thread(target=beat)
    thread.start()
    try:
        with pytest.raises(OutputLocked, match="process 7 on pod-a"):
            wait_for_dead_holder(output, STALE_SECONDS, logging.getLogger("build"))
    finally:
        done.set()
        thread.join()


def test_a_free_output_is_not_waited_for(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    wait_for_dead_holder(open_folder(str(tmp_path), {}), STALE_SECONDS, logging.getLogger("build"))
    assert caplog.messages == []
