"""The direct runner: shards are retried after errors, and one failure does not stop the others."""

import errno
import threading

import pytest

from imagerecords.flows import direct
from imagerecords.flows.direct import DirectRunner
from imagerecords.flows.executors.pool import Workers
from imagerecords.schemas.errors import CorruptRecord, Interrupted, ShardFailed, WorkerDied
from imagerecords.schemas.plan import Shard
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.storage.bulk_read import NoAnswer

SHARDS = [Shard("train", number, 4, range(1), "x") for number in range(4)]


@pytest.fixture
def run_step(monkeypatch):
    """`run_step(step)` maps a step over four shards on threads, with two retries and short waits."""
    monkeypatch.setattr(direct, "jittered", lambda delay: 0.001)
    notes = []

    def run_step(step, retries=2):
        settings = BuildSettings(output_directory="out", train_directory="in", executor="threads", workers=2, retries=retries)
        with Workers(settings) as workers, Workers(settings, 1) as tensorflow:
            return sorted(DirectRunner(workers, tensorflow, notes.append).map(step, SHARDS, settings))

    run_step.notes = notes
    return run_step


class Failing:
    """A step that fails a number of times for the second shard."""

    def __init__(self, error, times):
        self.error, self.times, self.done = error, times, []
        self.guard = threading.Lock()

    def __call__(self, shard, settings):
        with self.guard:
            if shard.index == 1 and self.times:
                self.times -= 1
                raise self.error
            self.done.append(shard.index)
            return shard.index


def test_each_shard_is_done_once(run_step):
    step = Failing(None, 0)
    assert run_step(step) == [0, 1, 2, 3]
    assert sorted(step.done) == [0, 1, 2, 3]


@pytest.mark.parametrize("error", [WorkerDied("killed"), OSError(errno.EIO, "disk"), ConnectionResetError("gone")])
def test_an_error_is_retried_and_reported(run_step, error):
    assert run_step(Failing(error, 2)) == [0, 1, 2, 3]
    assert len(run_step.notes) == 2
    assert all("train-00001-of-00004" in line for line in run_step.notes)


def test_an_error_that_stays_fails_its_shard_after_all_others_are_done(run_step):
    step = Failing(ConnectionResetError("gone"), 99)
    with pytest.raises(
        ShardFailed, match=r"1 of 4 shards failed. First: train-00001-of-00004: ConnectionResetError: gone.*Run the build"
    ):
        run_step(step)
    assert sorted(step.done) == [0, 2, 3]
    assert step.times == 99 - 3  # the first try and two more


def test_an_error_that_no_retry_cures_is_not_retried(run_step):
    step = Failing(CorruptRecord("wrong"), 99)
    with pytest.raises(ShardFailed, match="wrong"):
        run_step(step)
    assert step.times == 98


def test_a_full_disk_stops_the_build_immediately_and_is_named(run_step):
    with pytest.raises(OSError, match="full") as caught:
        run_step(Failing(OSError(errno.ENOSPC, "full"), 99))
    assert caught.value.errno == errno.ENOSPC


def test_an_interrupt_stops_the_build(run_step):
    with pytest.raises(Interrupted):
        run_step(Failing(Interrupted("stopped"), 99))


def test_without_retries_the_first_error_counts(run_step):
    step = Failing(ConnectionResetError("gone"), 1)
    with pytest.raises(ShardFailed):
        run_step(step, retries=0)


def test_a_storage_that_does_not_answer_stops_the_other_shards(run_step):
    """Each of a thousand shards would wait as long as the first one did."""
    step = Failing(NoAnswer(errno.EIO, "error sending request"), 99)
    with pytest.raises(ShardFailed, match=r"train-00001-of-00004 failed.*and the build stopped.*does not answer"):
        run_step(step)


def test_several_failures_are_reported_by_number_and_first_name(run_step):
    def fail(shard, settings):
        raise CorruptRecord(f"bad {shard.index}")

    with pytest.raises(ShardFailed, match=r"4 of 4 shards failed. First: train-00000-of-00004: CorruptRecord: bad 0"):
        run_step(fail)
