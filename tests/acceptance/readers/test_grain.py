"""grain reads what was built: its own TFRecord reader by shards, and any record by the manifest; in processes too."""

import pytest

from imagerecords.tasks.records.example import parse_example

pytest.importorskip("grain")

FOUND = """
from imagerecords.tasks.records.example import parse_example


def found():
    for record in records.mp_prefetch(grain.multiprocessing.MultiprocessingOptions(num_workers=2)):
        features = parse_example(record) if isinstance(record, bytes) else record.features
        yield features["image/filename"][0], features["image/class/label"][0], features["image/encoded"][0]
"""


def of_each(features):
    for each in features:
        yield each["image/filename"][0], each["image/class/label"][0], each["image/encoded"][0]


def test_grains_tfrecord_reader_gives_each_record_once(ran, expected, seen):
    assert seen(of_each(map(parse_example, ran("grain")["records"]))) == expected("train")


def test_the_manifest_gives_each_record_once_to_grain(ran, expected, seen):
    records = ran("grain, any record by its number")["records"]
    assert seen(of_each(record.features for record in records)) == expected("train")


@pytest.mark.parametrize("title", ["grain", "grain, any record by its number"])
def test_two_processes_of_grain_lose_no_record_and_double_none(block, run, expected, title):
    assert run(block(title), FOUND) == expected("train")


def test_the_place_of_an_iterator_over_the_manifest_can_be_saved(ran):
    iterator = iter(ran("grain, any record by its number")["records"])
    [next(iterator) for _ in range(20)]
    place, rest = iterator.get_state(), [record.path for record in iterator]
    assert len(rest) == 37
    iterator.set_state(place)
    assert [record.path for record in iterator] == rest


def test_grains_data_loader_takes_a_split_with_processes_and_saves_its_place(run, expected):
    """Its checkpoint compares the source by its repr."""
    code = """
import grain
import imagerecords

train = imagerecords.open_dataset("out")["train"]


def found():
    sampler = grain.samplers.IndexSampler(len(train), num_epochs=1, shuffle=True, seed=3)
    loader = grain.DataLoader(data_source=train, sampler=sampler, worker_count=2)
    iterator = iter(loader)
    records = [next(iterator) for _ in range(20)]
    following = iter(loader)
    following.set_state(iterator.get_state())
    for record in (*records, *following):
        yield record.features["image/filename"][0], record.label, record.encoded
"""
    assert run(code, "") == expected("train")
