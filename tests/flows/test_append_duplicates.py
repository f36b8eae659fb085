"""append with duplicates=drop: a new duplicate of an old image is dropped, and removed images stay removed."""

from pathlib import Path

import pytest

from imagerecords.tasks.audit.folder import audit_folder
from imagerecords.tasks.commands.remove import remove_images
from tests.flows.growing import contents, copy, manifest, reasons


def test_a_new_duplicate_of_an_old_image_is_dropped_and_the_old_one_stays(grown, build, add):
    """Even where a first build would keep the new one, since validation comes before train."""
    train, validation = Path(grown["train_directory"]), Path(grown["validation_directory"])
    before = contents(grown["output_directory"], "train")
    copy(train / "dog/000.jpg", validation / "cat/copy.jpg")
    add(validation, "cat", 1, first=200)
    add(train, "cat", 2)
    copy(train / "cat/101.jpg", train / "dog/copy.jpg")
    build(**grown, duplicates="drop")
    assert reasons(grown["output_directory"]) == {
        "validation/cat/copy.jpg": "the same bytes as dog/000.jpg in train, which is kept",
        "train/dog/copy.jpg": "the same bytes as cat/101.jpg in train, which is kept",
    }
    assert contents(grown["output_directory"], "train")[:3] == before


def test_a_duplicate_of_a_deleted_image_is_dropped_too(grown, build, add):
    """The data set's images count, not the input's."""
    train = Path(grown["train_directory"])
    (train / "dog/000.jpg").rename(train / "cat/renamed.jpg")
    add(train, "cat", 1)
    build(**grown, duplicates="drop")
    assert reasons(grown["output_directory"]) == {
        "train/cat/renamed.jpg": "the same bytes as dog/000.jpg in train, which is kept"
    }


def test_images_of_an_unfinished_build_are_read_to_find_duplicates(grown, build, add):
    train = Path(grown["train_directory"])
    for lost in ("dataset_info.json", "manifest.parquet"):
        (grown["output_directory"] / lost).unlink()
    copy(train / "dog/003.jpg", train / "cat/copy.jpg")
    add(train, "cat", 1)
    build(**grown, duplicates="drop")
    assert reasons(grown["output_directory"]) == {"train/cat/copy.jpg": "the same bytes as dog/003.jpg in train, which is kept"}


def test_new_images_that_are_all_duplicates_make_no_shard(grown, notes_of, digests):
    train = Path(grown["train_directory"])
    before = digests(grown["output_directory"])
    copy(train / "cat/000.jpg", train / "cat/copy.jpg")
    notes = notes_of(**grown, duplicates="drop")
    assert any("train: 1 new image, all duplicates: nothing to append" in note for note in notes)
    assert digests(grown["output_directory"]) == before


@pytest.mark.parametrize("keep", [True, False], ids=["shards kept", "a shard lost"])
def test_removed_images_stay_removed_when_the_data_set_grows(grown, build, add, keep):
    output = grown["output_directory"]
    gone = "cat/001.jpg"
    (row,) = [row for row in manifest(output, "train") if row["path"] == gone]
    remove_images(str(output), [f"train/{gone}"], {})
    before = contents(output, "train")
    if not keep:  # it must be converted again, without the removed images
        (output / row["shard"]).unlink()
    add(grown["train_directory"], "dog", 4)
    build(**grown, train_shards=1)
    assert contents(output, "train")[:3] == before
    rows = {row["path"]: row for row in manifest(output, "train")}
    assert len(rows) == 16
    assert (rows[gone]["status"], rows[gone]["reason"]) == ("rejected", "removed")
    assert not audit_folder(str(output), {}).problems
    remove_images(str(output), ["train/dog/100.jpg"], {})  # and again, from a new shard
    assert [row["path"] for row in manifest(output, "train") if row["reason"] == "removed"] == [gone, "dog/100.jpg"]
    build(**grown)
    assert len([row for row in manifest(output, "train") if row["status"] == "written"]) == 14
    assert not audit_folder(str(output), {}).problems
