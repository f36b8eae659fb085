"""The files by which other programs open a data set, opened by those programs."""

import json
import re
from pathlib import Path

import pytest

from imagerecords.schemas.splits import SPLITS
from imagerecords.tasks.records.example import parse_example
from imagerecords.tasks.records.frames import read_frames


def test_tfds_opens_the_data_set(tf, small):
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(str(small))
    assert {name: split.num_examples for name, split in builder.info.splits.items()} == {"train": 12, "validation": 5}
    label = builder.info.features["image"]["class"]["label"]
    assert label.names == ["background", "cat", "dog"]
    seen = []
    for split in ("train", "validation"):
        for example in builder.as_dataset(split=split):
            image = example["image"]
            assert image["encoded"].shape == (image["height"], image["width"], 3)
            assert label.int2str(int(image["class"]["label"])) == image["class"]["text"].numpy().decode()
            seen.append(image["filename"].numpy())
    assert len(seen) == 17


def test_tfds_slices_the_data_set_by_its_counts(small):
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(str(small))
    assert len(list(builder.as_dataset(split="train[2:9]"))) == 7


def test_tfds_opens_a_data_set_with_empty_shards(tmp_path, fill, build):
    import tensorflow_datasets as tfds

    source = fill(tmp_path / "in", {"größe": 1, "two words": 1})
    build(train_directory=source, output_directory=tmp_path / "out", train_shards=5, allow_empty_shards=True)
    builder = tfds.builder_from_directory(str(tmp_path / "out"))
    assert builder.info.features["image"]["class"]["label"].names == ["background", "größe", "two words"]
    assert sum(1 for _ in builder.as_dataset(split="train")) == 2


def test_dataset_info_has_the_records_and_bytes_of_each_shard(small):
    info = json.loads((small / "dataset_info.json").read_text())
    for split in info["splits"]:
        shards = sorted(small.glob(f"{split['name']}-*"))
        assert split["numBytes"] == str(sum(shard.stat().st_size for shard in shards))
        assert split["shardLengths"] == [str(len(list(read_frames(shard.open("rb"), resume=False)))) for shard in shards]


def test_each_index_is_what_an_independent_reading_finds(small):
    """As DALI's tfrecord2idx: the length is read, the CRCs are not."""
    for shard in [*small.glob("train-*"), *small.glob("validation-*")]:
        data, offset, lines = shard.read_bytes(), 0, []
        while offset < len(data):
            size = 8 + 4 + int.from_bytes(data[offset : offset + 8], "little") + 4
            lines.append(f"{offset} {size}\n")
            offset += size
        assert (small / "index" / f"{shard.name}.idx").read_text() == "".join(lines)


@pytest.mark.parametrize("names", [["cat", "dog"], ["we[i]rd", "größe", "two words", "Ab", "101"]])
def test_labels_txt_can_be_given_back_as_labels_file(tmp_path, fill, build, digests, names):
    source = fill(tmp_path / "in", dict.fromkeys(names, 2))
    build(train_directory=source, output_directory=tmp_path / "a")
    assert (tmp_path / "a/labels.txt").read_text().splitlines() == sorted(names)
    build(train_directory=source, output_directory=tmp_path / "b", labels_file=tmp_path / "a/labels.txt")
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_a_label_with_a_line_separator_can_be_given_back_too(tmp_path, fill, build, digests):
    """Or is refused like the other control characters; str.splitlines would make two labels of it."""
    from imagerecords.schemas.errors import BadLayout

    source = fill(tmp_path / "in", {"a\u2028b": 1})
    try:
        build(train_directory=source, output_directory=tmp_path / "a")
    except BadLayout:
        return
    build(train_directory=source, output_directory=tmp_path / "b", labels_file=tmp_path / "a/labels.txt")
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_line_n_of_labels_txt_is_the_label_of_records_with_id_n(small):
    labels = (small / "labels.txt").read_text().splitlines()
    for shard in small.glob("train-*"):
        for record in read_frames(shard.open("rb"), resume=False):
            features = parse_example(record.data)
            assert labels[features["image/class/label"][0] - 1].encode() == features["image/class/text"][0]


def test_nothing_but_shards_matches_what_trainers_glob(small):
    matching = [path.name for split in SPLITS for path in small.glob(f"{split}-*")]
    assert len(matching) == 5
    assert all(re.fullmatch(r"(train|validation)-\d{5}-of-\d{5}", name) for name in matching)


def test_the_files_of_a_data_set_are_these(small):
    top = {path.name for path in Path(small).iterdir()}
    shards = {path.name for split in SPLITS for path in small.glob(f"{split}-*")}
    sidecars = {
        "labels.txt",
        "manifest.parquet",
        "dataset_info.json",
        "features.json",
        "croissant.json",
        "report.html",
        "findings.parquet",
        "README.md",
    }
    assert top - shards == sidecars | {"image-class-label.labels.txt", "index", "_build"}
    assert {path.name for path in (small / "_build").iterdir()} == {
        "plan.parquet",
        "receipts",
        "about.json",
    }  # no lock, no scratch


def test_no_sidecar_contains_when_or_where_it_was_made(tmp_path, fill, build, digests):
    source = fill(tmp_path / "in", {"cat": 3})
    build(train_directory=source, output_directory=tmp_path / "first")
    build(train_directory=source, output_directory=tmp_path / "another/place")
    assert digests(tmp_path / "first") == digests(tmp_path / "another/place")
