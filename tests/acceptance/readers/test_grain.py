"""grain reads what was built: its own TFRecord reader by shards, and any record by the manifest; in processes too."""

import pytest

from imagerecords.tasks.records.reader import parse_example

pytest.importorskip("grain")

FOUND = """
from imagerecords.tasks.records.reader import parse_example


def found():
    for record in RECORDS.mp_prefetch(grain.multiprocessing.MultiprocessingOptions(num_workers=2)):
        example = parse_example(record) if isinstance(record, bytes) else record
        yield example["image/filename"][0], example["image/class/label"][0], example["image/encoded"][0]
"""


def test_grains_tfrecord_reader_gives_each_record_once(ran, expected, seen):
    examples = map(parse_example, ran("grain")["records"])
    assert seen(of_each(examples)) == expected("train")


def test_the_manifest_gives_each_record_once_to_grain(ran, expected, seen):
    examples = ran("grain, any record by its number")["examples"]
    assert seen(of_each(examples)) == expected("train")


@pytest.mark.parametrize(("title", "variable"), [("grain", "records"), ("grain, any record by its number", "examples")])
def test_two_processes_of_grain_lose_no_record_and_double_none(block, run, expected, title, variable):
    assert run(block(title), FOUND.replace("RECORDS", variable)) == expected("train")


def of_each(examples):
    for example in examples:
        yield example["image/filename"][0], example["image/class/label"][0], example["image/encoded"][0]


def test_the_place_of_an_iterator_over_the_manifest_can_be_saved(ran):
    iterator = iter(ran("grain, any record by its number")["examples"])
    [next(iterator) for _ in range(20)]
    place, rest = iterator.get_state(), [example["image/filename"] for example in iterator]
    assert len(rest) == 37
    iterator.set_state(place)
    assert [example["image/filename"] for example in iterator] == rest
