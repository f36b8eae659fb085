"""The direct runner: shards are tried again after faults, and one failure does not stop the others."""

import errno
import threading

import pytest

from imagerecords.flows import direct
from imagerecords.flows.direct import DirectRunner
from imagerecords.flows.executors.pool import Workers
from imagerecords.schemas.errors import CorruptRecord, Interrupted, ShardFailed, WorkerDied
from imagerecords.schemas.plan import Shard
from imagerecords.schemas.settings import BuildSettings

SHARDS = [Shard("train", number, 4, number, "x") for number in range(4)]


@pytest.fixture
def conduct(monkeypatch):
    """`conduct(step)` maps a step over four shards on threads, with two retries and short waits."""
    monkeypatch.setattr(direct, "jittered", lambda delay: 0.001)
    told = []

    def conduct(step, retries=2):
        settings = BuildSettings(output_directory="out", train_directory="in", executor="threads", workers=2, retries=retries)
        with Workers(settings) as workers, Workers(settings, 1) as tensorflow:
            return sorted(DirectRunner(workers, tensorflow, told.append).map(step, SHARDS, settings))

    conduct.told = told
    return conduct


class Failing:
    """A step that fails so many times for the second shard."""

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


def test_each_shard_is_done_once(conduct):
    step = Failing(None, 0)
    assert conduct(step) == [0, 1, 2, 3]
    assert sorted(step.done) == [0, 1, 2, 3]


@pytest.mark.parametrize("error", [WorkerDied("killed"), OSError(errno.EIO, "disk"), ConnectionResetError("gone")])
def test_a_fault_is_tried_again_and_told(conduct, error):
    assert conduct(Failing(error, 2)) == [0, 1, 2, 3]
    assert len(conduct.told) == 2
    assert all("train-00001-of-00004" in line for line in conduct.told)


def test_a_fault_that_stays_fails_its_shard_after_all_others_are_done(conduct):
    step = Failing(ConnectionResetError("gone"), 99)
    with pytest.raises(
        ShardFailed, match=r"1 shard failed. First: train-00001-of-00004: ConnectionResetError: gone.*Run the build"
    ):
        conduct(step)
    assert sorted(step.done) == [0, 2, 3]
    assert step.times == 99 - 3  # the first try and two more


def test_a_fault_that_no_retry_mends_is_not_tried_again(conduct):
    step = Failing(CorruptRecord("wrong"), 99)
    with pytest.raises(ShardFailed, match="wrong"):
        conduct(step)
    assert step.times == 98


def test_a_full_disk_stops_the_build_at_once_as_what_it_is(conduct):
    with pytest.raises(OSError, match="full") as caught:
        conduct(Failing(OSError(errno.ENOSPC, "full"), 99))
    assert caught.value.errno == errno.ENOSPC


def test_an_interrupt_stops_the_build(conduct):
    with pytest.raises(Interrupted):
        conduct(Failing(Interrupted("stopped"), 99))


def test_without_retries_the_first_fault_counts(conduct):
    step = Failing(ConnectionResetError("gone"), 1)
    with pytest.raises(ShardFailed):
        conduct(step, retries=0)


def test_several_failures_are_told_by_number_and_first_name(conduct):
    def fail(shard, settings):
        raise CorruptRecord(f"bad {shard.index}")

    with pytest.raises(ShardFailed, match="4 shards failed. First: train-00000-of-00004: CorruptRecord: bad 0"):
        conduct(fail)
