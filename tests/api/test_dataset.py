"""imagerecords.open_dataset: any record by its number, in any process, from a disk and from S3."""

import json
import multiprocessing
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest

import imagerecords
from imagerecords.tasks.commands.remove import remove_images
from tests.api.reading import sha256


def test_a_data_set_has_labels_and_splits(made):
    data = imagerecords.open_dataset(str(made))
    assert (data.labels, data.label_ids) == (("cat", "größe"), (1, 2))
    assert data.splits == ("train", "validation")
    assert {name: len(split) for name, split in data.items()} == {"train": 21, "validation": 5}
    assert "test" not in data


def test_every_record_is_what_the_manifest_says(train, rows):
    assert len(train) == len(rows)
    for record, row in zip(train, rows, strict=True):
        assert (record.split, record.shard, record.number) == ("train", row["shard"], row["record"])
        assert (record.path, record.label, record.text) == (row["path"], row["label"], row["text"])
        assert sha256(record) == row["encoded_sha256"]
        assert (record.image().size, record.image().mode) == ((row["width"], row["height"]), "RGB")
        assert record.features["image/height"] == [row["height"]]


def test_a_number_gives_the_record_that_iteration_gives(train):
    records = list(train)
    assert [train[number] for number in range(21)] == records
    assert [train[number] for number in range(-21, 0)] == records
    assert train[np.int64(3)] == records[3]
    assert train.__getitems__([20, 3, -1]) == [records[20], records[3], records[20]]
    assert list(reversed(train)) == records[::-1]


@pytest.mark.parametrize(
    "part", [slice(3), slice(-4, None), slice(5, 17), slice(None, None, 3), slice(None, None, -1), slice(30, 40), slice(0, 0)]
)
def test_a_slice_is_a_split_of_its_own(train, part):
    records = list(train)[part]
    chosen = train[part]
    assert isinstance(chosen, imagerecords.Split)
    assert (list(chosen), len(chosen)) == (records, len(records))
    assert [chosen[number] for number in range(len(chosen))] == records
    assert list(chosen[1:]) == records[1:]
    assert list(pickle.loads(pickle.dumps(chosen))) == records


@pytest.mark.parametrize("number", [21, -22, 1 << 70])
def test_a_number_beyond_is_an_index_error_that_says_what_is_there(train, number):
    with pytest.raises(IndexError, match="must be at least -21 and less than 21, got"):
        train[number]


def test_a_number_of_an_empty_part_is_an_index_error(train):
    with pytest.raises(IndexError, match="less than 0, got 0"):
        train[:0][0]


def test_an_unknown_split_is_a_key_error_that_names_those_there_are(made):
    with pytest.raises(KeyError, match="split must be one of train, validation, got 'tests'"):
        imagerecords.open_dataset(made)["tests"]


def test_what_is_shown_names_the_numbers(made, train):
    data = imagerecords.open_dataset(made)
    assert repr(data) == f"<Dataset '{made}': 2 labels, records: train 21, validation 5>"
    assert repr(train) == f"<Split 'train' of '{made}': 21 records>"
    assert repr(train) == repr(pickle.loads(pickle.dumps(train)))  # by which grain knows a source again
    assert "label 1 'cat'" in repr(next(record for record in train if record.label == 1))
    assert '<td style="text-align:right">21</td><td style="text-align:right">3</td>' in data._repr_html_()
    assert train[0]._repr_jpeg_() == train[0].encoded


def test_shards_and_manifest_alone_are_a_data_set(copy, train):
    for path in copy.iterdir():
        if path.name != "manifest.parquet" and "-of-" not in path.name:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    data = imagerecords.open_dataset(copy)
    assert data.labels == ("cat", "größe")
    assert list(data["train"]) == list(train)


def test_a_removed_image_is_no_record_any_more(copy, rows):
    before = imagerecords.open_dataset(copy)["train"]
    remove_images(str(copy), [f"train/{rows[4]['path']}"], {})
    train = imagerecords.open_dataset(copy)["train"]
    assert [sha256(record) for record in train] == [row["encoded_sha256"] for row in rows if row is not rows[4]]
    with pytest.raises(imagerecords.CorruptRecord):  # its shard was rewritten
        list(before)


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_worker_processes_read_each_record(train, rows, method):
    train[0]  # with a file open already
    with multiprocessing.get_context(method).Pool(2) as pool:
        records = pool.map(train.__getitem__, range(21))
    assert [sha256(record) for record in records] == [row["encoded_sha256"] for row in rows]


def test_pickled_it_is_its_columns_and_no_open_file(train):
    before = len(pickle.dumps(train))
    list(train)
    assert len(pickle.dumps(train)) == before
    assert len(pickle.dumps(train[:1])) < before
    assert before < 21 * 200 + 2000  # bytes


def test_it_reads_on_when_the_working_directory_changes(made, monkeypatch, tmp_path):
    monkeypatch.chdir(made.parent)
    train = imagerecords.open_dataset("out")["train"]
    monkeypatch.chdir(tmp_path)
    assert train[0].label in (1, 2)


def test_many_threads_may_read_at_once(train, rows):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as threads:
        records = list(threads.map(train.__getitem__, list(range(21)) * 20))
    assert [sha256(record) for record in records] == [row["encoded_sha256"] for row in rows] * 20


def test_tf_without_tensorflow_says_what_to_install(made, monkeypatch):
    monkeypatch.setattr("imagerecords.dataset.find_spec", lambda name: None)
    with pytest.raises(
        ModuleNotFoundError, match=r"tf\(\) needs TensorFlow, which is not installed. Run pip install tensorflow"
    ):
        imagerecords.open_dataset(made)["train"].tf()


def test_neither_tensorflow_nor_prefect_is_imported(made):
    code = (
        "import json, sys, imagerecords\n"
        "loaded = 'fsspec' in sys.modules\n"
        "data = imagerecords.open_dataset(sys.argv[1])\n"
        "data['train'][3].image(), list(data['train'])\n"
        "print(json.dumps([loaded, sorted({'tensorflow', 'prefect', 'rich'} & set(sys.modules))]))"
    )
    ran = subprocess.run([sys.executable, "-c", code, made], capture_output=True, text=True)
    assert json.loads(ran.stdout) == [False, []], ran.stderr


def test_boxes_are_relative_sides_with_labels(tmp_path, fill, build):
    train = fill(tmp_path / "in", {"cat": 2, "dog": 1})
    (tmp_path / "boxes.csv").write_text("cat/000.jpg,0.25,0.0,0.5,1.0\ncat/000.jpg,0.0,0.5,1.0,0.75\n")
    build(train_directory=train, output_directory=tmp_path / "out", train_shards=1, bounding_boxes=tmp_path / "boxes.csv")
    boxes = {record.path: record.boxes for record in imagerecords.open_dataset(tmp_path / "out")["train"]}
    assert boxes["cat/000.jpg"] == (imagerecords.Box(0.25, 0.0, 0.5, 1.0, 1), imagerecords.Box(0.0, 0.5, 1.0, 0.75, 1))
    assert boxes["cat/001.jpg"] == ()


def test_a_data_set_on_s3_is_read_as_one_on_a_disk(on_moto, made, train):
    data = imagerecords.open_dataset(on_moto(made), storage_options=on_moto.options)
    assert data.labels == ("cat", "größe")
    records = list(train)
    assert list(data["train"]) == records
    assert [data["train"][-1], data["train"].__getitems__([7, 0])] == [records[-1], [records[7], records[0]]]
    for method in ("spawn", "fork"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.map(data["train"].__getitem__, range(21)) == records
