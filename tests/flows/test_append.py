"""Data sets that grow: old shards keep their bytes, new images go behind, and every reader finds them all."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from schemas.errors import BadLayout, OutputConflict, OverBudget

SPLIT_DIRECTORIES = {"train_shards": 3, "validation_shards": 2}


@pytest.fixture
def add(picture):
    """`add(root, "cat", 3)` adds so many new images to a label's folder."""

    def add(root, label, count, first=100):
        folder = Path(root) / label
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(first, first + count):
            (folder / f"{number}.jpg").write_bytes(picture(number, size=(17, 13)))

    return add


@pytest.fixture
def grown(tmp_path, fill, build, digests):
    """A data set of three train and two validation shards, with its settings for an append, and the digests of its files."""
    settings = {
        "train_directory": fill(tmp_path / "train", {"cat": 6, "dog": 6}),
        "validation_directory": fill(tmp_path / "validation", {"cat": 3, "dog": 3}),
        "output_directory": tmp_path / "out",
        "append": True,
    }
    build(**settings, **SPLIT_DIRECTORIES)
    return settings


def names(output, split):
    return sorted(path.name for path in Path(output).glob(f"{split}-*"))


def contents(output, split):
    """The bytes of a split's shards, in order."""
    return [(Path(output) / name).read_bytes() for name in names(output, split)]


def manifest(output):
    return pq.read_table(Path(output) / "manifest.parquet").to_pylist()


def test_new_images_go_into_new_shards_behind_the_old_ones(grown, build, add):
    output = grown["output_directory"]
    before = contents(output, "train"), contents(output, "validation")
    receipts = {row["path"]: row for row in manifest(output) if row["split"] == "train"}
    add(grown["train_directory"], "cat", 5)
    summary = build(**grown, train_shards=2)
    assert names(output, "train") == [f"train-{number:05d}-of-00005" for number in range(5)]
    assert names(output, "validation") == [f"validation-{number:05d}-of-00002" for number in range(2)]
    assert contents(output, "train")[:3] == before[0]
    assert contents(output, "validation") == before[1]
    assert (summary.shards_converted, summary.shards_kept) == (2, 5)
    rows = [row for row in manifest(output) if row["split"] == "train"]
    assert len(rows) == 17
    for row in rows[:12]:
        old = receipts[row["path"]]
        assert row == old | {"shard": old["shard"].replace("00003", "00005")}
    assert {row["path"] for row in rows[12:]} == {f"cat/{number}.jpg" for number in range(100, 105)}
    assert {row["shard"] for row in rows[12:]} == {"train-00003-of-00005", "train-00004-of-00005"}


def test_nothing_of_the_old_names_is_left(grown, build, add, digests):
    add(grown["train_directory"], "cat", 5)
    build(**grown)
    assert [path for path in digests(grown["output_directory"]) if "00003" in path and "train-00003" not in path] == []


def test_without_new_images_not_a_byte_changes(grown, build, digests):
    before = digests(grown["output_directory"])
    summary = build(**grown)
    assert (summary.shards_converted, summary.shards_kept) == (0, 5)
    assert digests(grown["output_directory"]) == before


def test_a_rerun_of_an_append_changes_nothing(grown, build, add, digests):
    add(grown["train_directory"], "cat", 5)
    first = build(**grown)
    before = digests(grown["output_directory"])
    again = build(**grown)
    assert again.digest == first.digest
    assert again.shards_converted == 0
    assert digests(grown["output_directory"]) == before
