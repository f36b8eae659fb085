"""publish: every image is accounted for, the manifest has one row per image, and dataset_info.json means complete."""

import hashlib
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.errors import AccountingError, OverBudget
from imagerecords.schemas.receipt import COLUMNS
from imagerecords.tasks.convert import convert_shard
from imagerecords.tasks.dataset.receipts import read_receipt, receipt_fingerprint, write_receipt
from imagerecords.tasks.publish import publish_dataset
from imagerecords.tasks.storage.folders import open_folder
from imagerecords.tasks.validate import validate_shard


def manifest_of(output):
    return pq.read_table(Path(output) / "manifest.parquet").to_pylist()


@pytest.fixture
def mixed(tmp_path, fill, picture):
    """An input of 8 good images and 3 bad ones."""
    good = [picture(number, size=(40, 40)) for number in range(8)]
    return fill(tmp_path / "in", {"cat": [*good[:4], b"", b"text"], "dog": [*good[4:], good[0][:-300]]})


def test_each_reason_is_counted_and_each_image_has_its_row(tmp_path, mixed, build):
    summary = build(train_directory=mixed, output_directory=tmp_path / "out", train_shards=2, max_rejected_fraction=0.5)
    (split,) = summary.splits
    assert (split.found, split.written) == (11, 8)
    assert split.rejected == {"empty_file": 1, "not_an_image": 1, "truncated": 1}
    rows = manifest_of(tmp_path / "out")
    found = sorted(str(path.relative_to(mixed)) for path in Path(mixed).rglob("*.jpg"))
    assert sorted(row["path"] for row in rows) == found
    assert Counter(row["status"] for row in rows) == {"written": 8, "rejected": 3}
    assert Counter(row["reason"] for row in rows if row["reason"]) == split.rejected


def test_the_manifest_has_the_place_of_each_record(small):
    from imagerecords.tasks.records.example import parse_example
    from imagerecords.tasks.records.frames import read_frames

    rows = [row for row in manifest_of(small) if row["status"] == "written"]
    assert len(rows) == 17
    for row in rows:
        with open(small / row["shard"], "rb") as file:
            file.seek(row["offset"])
            (record, *_) = read_frames(file, resume=False)
            assert len(record.data) + 16 == row["size"]
        features = parse_example(record.data)
        assert features["image/filename"] == [row["path"].rpartition("/")[2].encode()]
        assert features["image/class/text"] == [row["text"].encode()]
        assert features["image/class/label"] == [row["label"]]


def test_over_budget_the_manifest_has_the_reasons_and_the_data_set_is_not_complete(tmp_path, mixed, build):
    with pytest.raises(OverBudget, match=r"at most 5.0% of the train images may be rejected, got 3 of 11 .*1 empty_file"):
        build(train_directory=mixed, output_directory=tmp_path / "out")
    assert len(manifest_of(tmp_path / "out")) == 11
    assert not (tmp_path / "out/dataset_info.json").exists()


@pytest.mark.parametrize(("fraction", "complete"), [(0.25, True), (0.24, False), (0, False), (1, True)])
def test_the_budget_is_the_largest_share_that_passes(tmp_path, fill, picture, build, fraction, complete):  # noqa: PLR0917
    source = fill(tmp_path / "in", {"cat": [picture(1), picture(2), picture(3), b""]})
    settings = {"train_directory": source, "output_directory": tmp_path / "out", "max_rejected_fraction": fraction}
    if complete:
        build(**settings)
    else:
        with pytest.raises(OverBudget):
            build(**settings)
    assert (tmp_path / "out/dataset_info.json").exists() is complete


def test_the_budget_holds_for_each_split(tmp_path, fill, build):
    """One bad image of one in validation is all of it, however large train is."""
    settings = {
        "train_directory": fill(tmp_path / "train", {"cat": 30}),
        "validation_directory": fill(tmp_path / "validation", {"cat": [b""]}),
        "output_directory": tmp_path / "out",
    }
    with pytest.raises(OverBudget, match="validation"):
        build(**settings)


def test_a_label_left_without_images_fails_whatever_the_budget(tmp_path, fill, build):
    source = fill(tmp_path / "in", {"cat": 30, "dog": [b"text"]})
    with pytest.raises(OverBudget, match="every image of label 'dog' in train was rejected"):
        build(train_directory=source, output_directory=tmp_path / "out", max_rejected_fraction=1)
    assert len(manifest_of(tmp_path / "out")) == 31
    assert not (tmp_path / "out/dataset_info.json").exists()


def test_mended_images_complete_what_was_over_budget(tmp_path, mixed, build):
    """A larger budget is the same plan: all shards are kept."""
    with pytest.raises(OverBudget):
        build(train_directory=mixed, output_directory=tmp_path / "out", train_shards=2)
    summary = build(train_directory=mixed, output_directory=tmp_path / "out", train_shards=2, max_rejected_fraction=0.5)
    assert (summary.shards_converted, summary.shards_reused) == (0, 2)
    assert (tmp_path / "out/dataset_info.json").exists()


@pytest.fixture
def converted(tmp_path, fill, make_settings, prepared):
    """Settings, receipts' folder and verified of a build that only has to be published."""
    settings = make_settings(
        train_directory=fill(tmp_path / "in", {"cat": 3, "dog": 3}), output_directory=tmp_path / "out", train_shards=2
    )
    _, shards = prepared(settings)
    for shard in shards:
        convert_shard(shard, settings)
    return settings, tmp_path / "out/_build/receipts", [validate_shard(shard, settings) for shard in shards]


def write_again(path, change):
    """Put a changed receipt in the place of one."""
    output = open_folder(str(path.parents[2]), {})
    receipt = read_receipt(output, path.stem)
    write_receipt(output, path.stem, receipt_fingerprint(receipt), change(receipt))


def test_an_image_that_no_receipt_accounts_for_stops_the_publishing(converted, tmp_path):
    settings, receipts, verified = converted
    path = next(receipts.iterdir())
    write_again(path, lambda table: table.slice(1))
    with pytest.raises(AccountingError, match=r"images are unaccounted for: \d found"):
        publish_dataset(verified, settings)
    assert not (tmp_path / "out/dataset_info.json").exists()


def test_an_image_that_is_in_two_receipts_stops_the_publishing(converted):
    settings, receipts, verified = converted
    path = next(receipts.iterdir())
    write_again(path, lambda table: pa.concat_tables([table, table.slice(0, 1)]))
    with pytest.raises(AccountingError):
        publish_dataset(verified, settings)


def test_a_missing_receipt_stops_the_publishing(converted):
    settings, receipts, verified = converted
    next(receipts.iterdir()).unlink()
    with pytest.raises(AccountingError, match="receipt"):
        publish_dataset(verified, settings)


def test_the_manifest_has_the_columns_of_a_receipt(small):
    table = pq.read_table(small / "manifest.parquet")
    assert table.schema.equals(COLUMNS)
    assert table.schema.names[:6] == ["split", "shard", "path", "label", "text", "status"]


def test_the_digest_is_that_of_sha256sums_output_wherever_the_data_set_lies(tmp_path, mixed, build):
    """`sha256sum train-*` in the data set, hashed once more."""
    for name in "ab":
        summary = build(train_directory=mixed, output_directory=tmp_path / name, train_shards=2, max_rejected_fraction=0.5)
        shards = sorted((tmp_path / name).glob("train-*"))
        lines = "".join(f"{hashlib.sha256(shard.read_bytes()).hexdigest()}  {shard.name}\n" for shard in shards)
        assert summary.digest == hashlib.sha256(lines.encode()).hexdigest()
