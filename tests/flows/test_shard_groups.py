"""Shards in groups: how many task runs there are, and what a retry of one runs again."""

from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import pytest

from imagerecords.flows.shard_groups import GROUPS, MOST_SHARDS, GroupFailed, group_shards
from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.plan import Shard
from imagerecords.tasks.storage.bulk_read import NoAnswer


def _shards(count):
    return [Shard("train", number, count, range(1), "") for number in range(count)]


@pytest.mark.parametrize(
    ("shards", "granularity", "groups"),
    [
        (0, "auto", 0),
        (0, "step", 0),
        (MOST_SHARDS, "auto", MOST_SHARDS),
        (MOST_SHARDS + 1, "auto", 84),  # of six shards
        (10_000, "auto", GROUPS),
        (10_000, "shard", 10_000),
        (7, "group", 7),
        (250, "group", 84),
        (10_000, "step", 1),
    ],
)
def test_each_granularity_has_its_number_of_task_runs(shards, granularity, groups):
    grouped = group_shards(_shards(shards), granularity, SimpleQueue())
    assert len(grouped) == groups
    assert [shard for group in grouped for shard in group.shards] == _shards(shards)


def test_a_group_is_named_by_its_first_and_last_shard():
    assert group_shards(_shards(3), "step", SimpleQueue())[0].name == "train-00000-of-00003 to train-00002-of-00003 (3 shards)"
    assert group_shards(_shards(3), "shard", SimpleQueue())[0].name == "train-00000-of-00003"


def _run(group, call, tries):
    """What each of so many tries raised, and then the group's results by shard: a value or an error."""
    raised = []
    with ThreadPoolExecutor(2) as threads:
        for _ in range(tries):
            try:
                group.run(call, threads)
            except Exception as error:
                raised.append(error)
    group.close(raised[-1] if raised else None)
    results = {}
    for _ in group.shards:
        shard, future = group._finished.get_nowait()
        results[shard.index] = future.exception() or future.result()
    assert group._finished.empty()
    return raised, results


def test_a_retry_runs_the_failed_shards_only():
    called = []

    def call(shard):
        called.append(shard.index)
        if shard.index in {1, 2} and called.count(shard.index) == 1:
            raise OSError(f"shard {shard.index}")
        return f"done {shard.index}"

    raised, results = _run(group_shards(_shards(4), "step", SimpleQueue())[0], call, 2)
    assert sorted(called) == [0, 1, 1, 2, 2, 3]
    assert [type(error) for error in raised] == [GroupFailed]
    assert str(raised[0]) == "2 of 4 shards failed. First: train-00001-of-00004: OSError: shard 1"
    assert results == {index: f"done {index}" for index in range(4)}


def test_a_shard_that_no_retry_cures_is_reported_and_not_run_again():
    called = []

    def call(shard):
        called.append(shard.index)
        if shard.index == 0:
            raise CorruptRecord("damaged")
        if shard.index == 1 and called.count(1) == 1:
            raise OSError("once")
        return "done"

    raised, results = _run(group_shards(_shards(3), "step", SimpleQueue())[0], call, 2)
    assert sorted(called) == [0, 1, 1, 2]
    assert isinstance(raised[0].__cause__, OSError), "the error that is worth another try decides"
    assert isinstance(results.pop(0), CorruptRecord)
    assert results == {1: "done", 2: "done"}


def test_storage_that_does_not_answer_stops_its_group():
    called = []

    def call(shard):
        called.append(shard.index)
        raise NoAnswer("gone")

    raised, results = _run(group_shards(_shards(20), "step", SimpleQueue())[0], call, 1)
    assert len(called) <= 2, "one call per thread"
    assert len(raised) == 1
    assert any(isinstance(error, NoAnswer) for error in results.values())
