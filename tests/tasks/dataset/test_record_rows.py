"""Records read as a manifest's rows: ours, others', compressed ones, broken ones."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.example import encode_example
from imagerecords.schemas.frame import frame
from imagerecords.schemas.receipt import COLUMNS
from imagerecords.tasks.dataset.record_rows import read_rows_of_records, split_of
from imagerecords.tasks.storage.folders import open_folder

IN_RECORDS = ["split", "shard", "label", "text", "record", "offset", "size", "crc32c", "height", "width", "encoded_sha256"]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train-00000-of-00008", "train"),
        ("mnist-test.tfrecord-00000-of-00001", "test"),  # as TFDS names them
        ("flowers_train_00000-of-00005.tfrecord", "train"),  # as slim does
        ("validation.tfrecord", "validation"),
        ("my-flowers.tfrecords", "my-flowers"),
        ("part-00000-of-00002", "part"),
        ("restrain-00000-of-00002", "restrain"),
    ],
)
def test_the_split_is_read_from_a_files_name(name, split):
    assert split_of(name) == split


def rows_of(folder, *names):
    table = read_rows_of_records(open_folder(str(folder), {}), names)
    assert table.schema == COLUMNS
    return table


def test_rows_of_records_are_those_of_the_manifest(small):
    manifest = pq.read_table(small / "manifest.parquet", filters=[("status", "=", "written")])
    names = manifest["shard"].unique().to_pylist()
    assert rows_of(small, *reversed(names)).select(IN_RECORDS).to_pylist() == manifest.select(IN_RECORDS).to_pylist()


def test_a_compressed_file_is_read_as_what_is_inside(small, tmp_path):
    data = (small / "train-00000-of-00003").read_bytes()
    (tmp_path / "train.tfrecord.gz").write_bytes(gzip.compress(data))
    (tmp_path / "train.tfrecord").write_bytes(data)
    columns = [name for name in IN_RECORDS if name != "shard"]
    inside, plain = (rows_of(tmp_path, name).select(columns) for name in ("train.tfrecord.gz", "train.tfrecord"))
    assert inside.num_rows > 3
    assert inside.to_pylist() == plain.to_pylist()


def test_a_compressed_file_that_ends_too_early_is_reported_after_its_last_sound_record(small, tmp_path):
    data = gzip.compress((small / "train-00000-of-00003").read_bytes(), mtime=0)
    (tmp_path / "train.tfrecord.gz").write_bytes(data[: len(data) // 2])
    *sound, broken = rows_of(tmp_path, "train.tfrecord.gz").to_pylist()
    assert all(row["status"] == "written" for row in sound)
    assert (broken["status"], broken["reason"]) == ("rejected", "corrupt")
    assert broken["path"] == f"train.tfrecord.gz record {len(sound)}"
    assert broken["message"] == "the compressed stream ends too early"


def test_a_label_that_is_text_is_known(tmp_path, picture):
    """As FiftyOne writes classifications."""
    data = encode_example({"filename": b"a.jpg", "image_bytes": picture(1), "label": b"cat"})
    before, after, _ = frame(data)
    (tmp_path / "tf.records-00000-of-00001").write_bytes(before + data + after)
    (row,) = rows_of(tmp_path, "tf.records-00000-of-00001").to_pylist()
    assert (row["path"], row["label"], row["text"]) == ("a.jpg", None, "cat")


def test_other_keys_of_the_same_meaning_are_known(tf, tmp_path, picture):
    """As TFDS writes an image and its label."""
    features = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[picture(1, size=(30, 20))])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[1])),
    }
    with tf.io.TFRecordWriter(str(tmp_path / "toy-test.tfrecord-00000-of-00001")) as writer:
        writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    (tmp_path / "label.labels.txt").write_text("cat\ndog\n")
    (row,) = rows_of(tmp_path, "toy-test.tfrecord-00000-of-00001").to_pylist()
    assert (row["split"], row["label"], row["text"], row["height"], row["width"]) == ("test", 1, "dog", 20, 30)
    assert row["encoded_sha256"] == hashlib.sha256(picture(1, size=(30, 20))).hexdigest()


CORNERS = {f"image/object/bbox/{edge}": np.array([0.1, 0.5], np.float32) for edge in ("xmin", "xmax", "ymin", "ymax")}


def write(folder, *records):
    with open(folder / "train.tfrecord", "wb") as file:
        for features in records:
            data = encode_example(features)
            before, after, _ = frame(data)
            file.write(before + data + after)
    return folder


def labels_of(folder):
    columns = rows_of(folder, "train.tfrecord").select(["label", "text", "labels", "texts"])
    return [tuple(row.values()) for row in columns.to_pylist()]


def test_records_of_detection_have_the_classes_of_their_objects_as_roboflow_writes_them(tmp_path, picture):
    base = {"image/encoded": picture(1), "image/filename": b"a_jpg.rf.0.jpg", "image/format": b"jpeg", **CORNERS}
    both = {"image/object/class/text": (b"dog", b"cat"), "image/object/class/label": np.array([2, 1])}
    one = {"image/object/class/text": (b"cat", b"cat"), "image/object/class/label": np.array([1, 1])}
    none = {"image/object/class/text": (), "image/object/class/label": np.array([], np.int64)}
    write(tmp_path, *(base | each for each in (both, one, none)))
    assert labels_of(tmp_path) == [
        (1, "cat", [1, 2], ["cat", "dog"]),
        (1, "cat", None, None),
        (None, None, None, None),
    ]


def test_records_that_datumaro_exported_have_the_classes_of_their_objects():
    """Written by datumaro 1.13.12, tf_detection_api: an image with a cat, one with a dog and a cat, one without objects."""
    export = Path(__file__).parent / "exports/datumaro_tf_detection_api"
    assert sorted(labels_of(export), key=str) == [
        (1, "cat", None, None),
        (1, "cat", [1, 2], ["cat", "dog"]),
        (None, None, None, None),
    ]


def test_records_of_tfds_for_detection_have_their_names_from_the_file_beside_them(tmp_path, picture):
    (tmp_path / "objects-label.labels.txt").write_text("cat\ndog\nemu")
    base = {"image": picture(1), "image/filename": b"a.jpg"}
    write(tmp_path, *(base | {"objects/label": np.array(ids)} for ids in ([2, 0], [1])))
    assert labels_of(tmp_path) == [(0, "cat", [0, 2], ["cat", "emu"]), (1, "dog", None, None)]


def test_the_label_of_an_image_comes_before_the_classes_of_its_objects(tmp_path, picture):
    both = {"image/object/class/text": (b"wheel", b"door"), "image/object/class/label": np.array([2, 1])}
    write(tmp_path, {"image/encoded": picture(1), "label": b"car", **CORNERS, **both})
    assert labels_of(tmp_path) == [(None, "car", None, None)]
