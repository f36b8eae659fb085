"""imagerecords.open_dataset: any record by its number, checked as it is read, in any process, from a disk and from S3."""

import gzip
import hashlib
import json
import multiprocessing
import pickle
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import imagerecords
from imagerecords.schemas.example import encode_example
from imagerecords.schemas.frame import frame
from imagerecords.tasks.commands.remove import remove_images

IMAGES = {"train": {"cat": 12, "größe": 9}, "validation": {"cat": 3, "größe": 2}}


@pytest.fixture(scope="module")
def made(tmp_path_factory, fill, build):
    """A data set of three shards of train and two of validation. Not to be changed."""
    folder = tmp_path_factory.mktemp("dataset")
    inputs = {f"{split}_directory": fill(folder / split, labels) for split, labels in IMAGES.items()}
    (folder / "train/cat/broken.jpg").write_bytes(b"no image")
    build(output_directory=folder / "out", train_shards=3, validation_shards=2, max_rejected_fraction=0.2, **inputs)
    return folder / "out"


@pytest.fixture
def copy(made, tmp_path):
    """A copy of it that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


@pytest.fixture(scope="module")
def rows(made):
    """The manifest's written rows of train."""
    return [row for row in pq.read_table(made / "manifest.parquet").to_pylist() if row["record"] is not None][:21]


@pytest.fixture
def train(made):
    return imagerecords.open_dataset(made)["train"]


def sha256(record):
    return hashlib.sha256(record.encoded).hexdigest()


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


def damage(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("where", "fault"),
    [
        (lambda row: row["offset"] + 100, "the CRC of the data is wrong"),
        (lambda row: row["offset"] + row["size"] - 1, "the CRC of the data is wrong"),
        (lambda row: row["offset"], "the CRC of the length is wrong"),
        (lambda row: row["offset"] + 8, "the CRC of the length is wrong"),
    ],
    ids=["data", "CRC of the data", "length", "CRC of the length"],
)
def test_one_wrong_bit_is_found_and_other_records_are_read(copy, rows, where, fault):
    row = rows[4]
    damage(copy / row["shard"], where(row))
    train = imagerecords.open_dataset(copy)["train"]
    expected = f"record {row['record']} at byte {row['offset']} is damaged: {fault}: {copy / row['shard']}. Run"
    for read in (lambda: train[4], lambda: train.__getitems__([3, 4]), lambda: list(train)):
        with pytest.raises(imagerecords.CorruptRecord) as caught:
            read()
        assert expected in str(caught.value)
    assert (sha256(train[3]), sha256(train[5])) == (rows[3]["encoded_sha256"], rows[5]["encoded_sha256"])


def test_a_sound_record_that_is_not_the_manifests_is_found(copy, rows):
    row = rows[0]
    shard = copy / row["shard"]
    data = bytearray(shard.read_bytes())
    begin, end = row["offset"], row["offset"] + row["size"]
    data[begin:end] = framed(bytes(end - begin - 16))
    shard.write_bytes(data)
    with pytest.raises(imagerecords.CorruptRecord, match="another record than the manifest has there"):
        imagerecords.open_dataset(copy)["train"][0]


def test_a_shard_of_another_length_is_refused_when_opened(copy, rows):
    shard = copy / rows[0]["shard"]
    size = shard.stat().st_size
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(imagerecords.CorruptRecord, match=f"the {size:,} bytes .* got {size - 1:,}: {shard}"):
        imagerecords.open_dataset(copy)


def test_a_shard_cut_short_after_opening_is_found(copy, rows):
    train = imagerecords.open_dataset(copy)["train"]
    shard = copy / rows[0]["shard"]
    shard.write_bytes(shard.read_bytes()[: rows[0]["size"] - 5])
    with pytest.raises(imagerecords.CorruptRecord, match=r"record 0 at byte 0 is damaged: truncated: \d+ of \d+ bytes"):
        train[0]


def test_missing_shards_are_named_when_opened_and_when_read(copy):
    train = imagerecords.open_dataset(copy)["train"]
    (copy / "train-00001-of-00003").unlink()
    with pytest.raises(imagerecords.Incomplete, match=r"is missing: .*/copy/train-00001-of-00003\. Restore it"):
        list(train)
    with pytest.raises(imagerecords.Incomplete, match=r"1 of 5 files of the manifest are missing: .*: train-00001-of-00003"):
        imagerecords.open_dataset(copy)


def test_a_build_that_has_not_finished_is_refused(copy):
    (copy / "dataset_info.json").unlink()
    for name in ("manifest.parquet", "train-00000-of-00003", "train-00001-of-00003"):
        with pytest.raises(imagerecords.Incomplete, match=r"dataset_info\.json is missing: .*/copy\. Its build"):
            imagerecords.open_dataset(copy)
        (copy / name).unlink()


def test_no_data_set_is_told_from_an_empty_one(tmp_path):
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(imagerecords.BadInput, match=f"got none: {place}"):
            imagerecords.open_dataset(place)


def test_credentials_do_not_belong_in_a_data_sets_address(tmp_path):
    with pytest.raises(imagerecords.BadSettings, match="credential"):
        imagerecords.open_dataset("s3://bucket/x", storage_options={"secret": "x"})


def test_a_broken_manifest_is_named(copy):
    (copy / "manifest.parquet").write_bytes(b"PAR1")
    with pytest.raises(imagerecords.CorruptRecord, match=r"manifest\.parquet must be readable, got .*/copy/manifest\.parquet"):
        imagerecords.open_dataset(copy)


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
    with pytest.raises(imagerecords.CorruptRecord):  # its shard was written anew since
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


def framed(data):
    head, foot, _ = frame(data)
    return head + data + foot


def foreign(picture, number, **features):
    return framed(encode_example({"image/encoded": picture(number), "image/class/label": number % 3} | features))


@pytest.fixture
def others(tmp_path, picture):
    """Somebody else's TFRecord files, labels from 0, without anything beside them."""
    for split, counts in {"train": (3, 4), "val": (2,)}.items():
        for shard, count in enumerate(counts):
            frames = [foreign(picture, 10 * shard + number) for number in range(count)]
            (tmp_path / f"{split}.tfrecord-{shard:05}-of-{len(counts):05}").write_bytes(b"".join(frames))
    return tmp_path


def test_anybodys_files_are_read_without_a_manifest(others, picture):
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


def test_a_data_set_on_s3_is_read_as_one_on_a_disk(on_moto, made, train):
    data = imagerecords.open_dataset(on_moto(made), storage_options=on_moto.options)
    assert data.labels == ("cat", "größe")
    records = list(train)
    assert list(data["train"]) == records
    assert [data["train"][-1], data["train"].__getitems__([7, 0])] == [records[-1], [records[7], records[0]]]
    for method in ("spawn", "fork"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert pool.map(data["train"].__getitem__, range(21)) == records


def test_damage_and_missing_files_on_s3_are_named(on_moto, copy, rows):
    damage(copy / rows[4]["shard"], rows[4]["offset"] + 100)
    url = on_moto(copy)
    train = imagerecords.open_dataset(url, storage_options=on_moto.options)["train"]
    with pytest.raises(imagerecords.CorruptRecord, match=f"record {rows[4]['record']} at byte .*/copy/{rows[4]['shard']}"):
        train[4]
    on_moto.fs.rm_file(f"{url}/{rows[0]['shard']}")
    for read in (lambda: train[0], lambda: train.__getitems__([0])):
        with pytest.raises(imagerecords.Incomplete, match=f"is missing: bucket/.*/copy/{rows[0]['shard']}"):
            read()
    with pytest.raises(imagerecords.Incomplete, match="1 of 5 files of the manifest are missing"):
        imagerecords.open_dataset(url, storage_options=on_moto.options)
