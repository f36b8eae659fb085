"""imagerecords.open_dataset on TFRecord files written by other programs, without a manifest."""

import gzip
from collections import Counter

import numpy as np
import pytest

import imagerecords
from imagerecords.schemas.example import encode_example
from tests.api.reading import damage, framed


def foreign(picture, number, **features):
    return framed(encode_example({"image/encoded": picture(number), "image/class/label": number % 3} | features))


@pytest.fixture
def others(tmp_path, picture):
    """Another program's TFRecord files, labels from 0, without other files."""
    for split, counts in {"train": (3, 4), "val": (2,)}.items():
        for shard, count in enumerate(counts):
            frames = [foreign(picture, 10 * shard + number) for number in range(count)]
            (tmp_path / f"{split}.tfrecord-{shard:05}-of-{len(counts):05}").write_bytes(b"".join(frames))
    return tmp_path


def test_other_programs_files_are_read_without_a_manifest(others, picture):
    data = imagerecords.open_dataset(others)
    assert (data.splits, data.labels, data.label_ids) == (("train", "val.tfrecord"), ("0", "1", "2"), (0, 1, 2))
    train = data["train"]
    assert [record.label for record in train] == [0, 1, 2, 1, 2, 0, 1]
    assert (train[4].shard, train[4].number, train[4].text) == ("train.tfrecord-00001-of-00002", 1, "2")
    assert train[4].encoded == picture(11)
    assert train[4].path == "train.tfrecord-00001-of-00002-000001.jpg"


def test_their_label_names_come_from_the_file_beside_them(others):
    (others / "labels.txt").write_text("0:cat\n1:dog\n2:emu\n")
    data = imagerecords.open_dataset(others)
    assert data.labels == ("cat", "dog", "emu")
    assert Counter(record.text for record in data["train"]) == {"cat": 2, "dog": 3, "emu": 2}


def test_their_damage_is_found_when_they_are_opened(others):
    damage(others / "train.tfrecord-00001-of-00002", 40)
    with pytest.raises(
        imagerecords.CorruptRecord, match=r"1 of 9 records are broken. First: train.tfrecord-00001-of-00002 record 0"
    ):
        imagerecords.open_dataset(others)


def test_a_number_missing_among_their_files_is_found(others):
    (others / "train.tfrecord-00000-of-00002").unlink()
    with pytest.raises(imagerecords.Incomplete, match=r"train.tfrecord-00000-of-00002 is missing"):
        imagerecords.open_dataset(others)


def test_a_compressed_file_is_refused_with_what_to_do(others):
    path = others / "val.tfrecord-00000-of-00001"
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(imagerecords.BadInput, match=r"must not be compressed as a whole .*val.tfrecord.*gunzip"):
        imagerecords.open_dataset(others)


def test_boxes_of_unequal_numbers_are_refused(tmp_path, picture):
    sides = {f"image/object/bbox/{side}": np.array([0.5, 0.5], np.float32) for side in ("xmin", "ymin", "xmax")}
    (tmp_path / "train.tfrecord").write_bytes(foreign(picture, 1, **sides))
    record = imagerecords.open_dataset(tmp_path)["train"][0]
    with pytest.raises(imagerecords.CorruptRecord, match=r"got 2, 2, 2, 0, 2: record 0 of train.tfrecord"):
        _ = record.boxes
