"""Splits of TFRecord files by their names, ours and others'."""

import pytest

from tasks.report.records import split_of


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train-00000-of-00008", "train"),
        ("mnist-test.tfrecord-00000-of-00001", "test"),  # as TFDS names them
        ("validation.tfrecord", "validation"),
        ("my-flowers.tfrecords", "my-flowers"),
        ("part-00000-of-00002", "part"),
        ("restrain-00000-of-00002", "restrain"),
    ],
)
def test_a_files_name_tells_its_split(name, split):
    assert split_of(name) == split
