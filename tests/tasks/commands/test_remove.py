"""remove: images out of a finished data set for good, whatever happens in the middle."""

import json
import shutil

import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.errors import BadInput, CorruptRecord, OutputLocked
from imagerecords.tasks.audit.folder import audit_folder
from imagerecords.tasks.commands.locate import locate_image
from imagerecords.tasks.commands.remove import remove_images
from imagerecords.tasks.records.example import parse_example
from imagerecords.tasks.records.frames import read_frames
from imagerecords.tasks.storage import whole_files
from imagerecords.tasks.storage.folders import Folder, open_folder
from imagerecords.tasks.storage.lock import output_lock


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture(scope="module")
def original(tmp_path_factory, fill, build, picture):
    """Settings of a build of three shards of training images and one of validation, and its output; not to be changed."""
    root = tmp_path_factory.mktemp("original")
    same = picture(70)
    train = {"cat": [picture(number) for number in range(6)] + [same, same], "dog": 7}
    settings = {
        "train_directory": fill(root / "train", train),
        "validation_directory": fill(root / "validation", {"cat": 2, "dog": 2}),
        "train_shards": 3,
    }
    build(output_directory=root / "out", **settings)
    return settings, root / "out"


@pytest.fixture
def data_set(original, tmp_path):
    shutil.copytree(original[1], tmp_path / "out")
    return tmp_path / "out"


def rows(data_set):
    return {(row["split"], row["path"]): row for row in pq.read_table(data_set / "manifest.parquet").to_pylist()}


def encoded(data_set, split, path):
    """The picture's bytes, as a shard holds them."""
    row = rows(data_set)[split, path]
    with (data_set / row["shard"]).open("rb") as file:
        record = next(record for record in read_frames(file, resume=False) if record.number == row["record"])
    return parse_example(record.data)["image/encoded"][0]


def test_nothing_of_the_picture_is_left_and_all_else_agrees(original, data_set, digests):
    picture, before = encoded(data_set, "train", "cat/003.jpg"), digests(data_set)
    shard = rows(data_set)["train", "cat/003.jpg"]["shard"]
    (data_set / "report.html").write_bytes(picture)
    done = remove_images(str(data_set), ["train/cat/003.jpg"], {})
    assert (done.images, done.already, done.shards) == (("train/cat/003.jpg",), (), (shard,))
    core = picture[-50:-10]  # of its pixels; tables are common to all
    assert len([path for path in original[1].glob("train-*") if core in path.read_bytes()]) == 1
    assert not [path for path in data_set.rglob("*") if path.is_file() and core in path.read_bytes()]
    assert audit_folder(str(data_set), {}).problems == ()
    assert picture not in (data_set / "report.html").read_bytes()  # it is made again
    changed = {name for name, digest in digests(data_set).items() if before.get(name) != digest}
    assert changed == {
        shard,
        f"index/{shard}.idx",
        f"_build/receipts/{shard}.parquet",
        "_build/removals.json",
        "manifest.parquet",
        "findings.parquet",
        "croissant.json",
        "dataset_info.json",
        "report.html",
        "README.md",
    }


def test_the_row_stays_rejected_as_removed(data_set):
    before = rows(data_set)["train", "cat/003.jpg"]
    remove_images(str(data_set), [before["sha256"]], {})
    after = rows(data_set)["train", "cat/003.jpg"]
    recorded = {name: value for name, value in after.items() if value is not None}
    kept = ("split", "shard", "path", "label", "text", "source_size", "sha256")
    message = {"status": "rejected", "reason": "removed", "message": "removed from the data set by imagerecords remove"}
    assert recorded == {name: before[name] for name in kept} | message
    (found,) = locate_image(str(data_set), before["sha256"][:12], {})
    assert found.reason == "removed"


def test_a_hash_means_all_images_that_have_it(data_set):
    """cat/006.jpg and cat/007.jpg are the same file."""
    digest = rows(data_set)["train", "cat/006.jpg"]["sha256"]
    assert remove_images(str(data_set), [digest], {}).images == ("train/cat/006.jpg", "train/cat/007.jpg")
    assert audit_folder(str(data_set), {}).problems == ()


def test_unknown_and_ambiguous_names_are_all_reported_before_anything_is_written(data_set, digests):
    before = digests(data_set)
    with pytest.raises(BadInput) as refused:
        remove_images(str(data_set), ["train/cat/003.jpg", "cat/999.jpg", "cat/001.jpg", "000.jpg"], {})
    unknown, path, name = str(refused.value).splitlines()
    assert "a name to remove must be an image's, got 'cat/999.jpg'" in unknown
    assert "got 'cat/001.jpg' of 2: train/cat/001.jpg, validation/cat/001.jpg. Give its path" in path
    assert "got '000.jpg' of 4" in name
    assert digests(data_set) == before


def test_again_there_is_nothing_to_do(data_set, digests):
    remove_images(str(data_set), ["train/cat/003.jpg"], {})
    before = digests(data_set)
    done = remove_images(str(data_set), ["train/cat/003.jpg"], {})
    assert (done.images, done.already, done.shards) == ((), ("train/cat/003.jpg",), ())
    assert digests(data_set) == before


def test_one_after_the_other_is_the_same_as_together(original, data_set, tmp_path, digests):
    names = ["train/cat/000.jpg", "train/dog/001.jpg", "validation/dog/000.jpg"]
    for name in names:
        remove_images(str(data_set), [name], {})
    together = tmp_path / "together"
    shutil.copytree(original[1], together)
    remove_images(str(together), reversed(names), {})
    assert digests(together) == digests(data_set)


def test_a_whole_shard_can_go(data_set):
    names = [f"validation/{path}" for split, path in rows(data_set) if split == "validation"]
    remove_images(str(data_set), names, {})
    assert (data_set / "validation-00000-of-00001").stat().st_size == 0
    assert audit_folder(str(data_set), {}).problems == ()


def test_a_build_with_the_same_settings_keeps_the_removal(original, data_set, digests, build):
    """More than the budget of rejected images, and all of a label: what somebody took out is no failure."""
    names = [f"{split}/{path}" for split, path in rows(data_set) if "dog" in path and split == "validation"]
    remove_images(str(data_set), [*names, "train/cat/003.jpg"], {})
    before = digests(data_set)
    summary = build(output_directory=data_set, **original[0])
    assert (summary.shards_converted, summary.splits[0].rejected) == (0, {"removed": 1})
    assert digests(data_set) == before


def test_a_shard_that_must_be_converted_again_excludes_the_image(original, data_set, digests, build):
    shard = rows(data_set)["train", "cat/003.jpg"]["shard"]
    remove_images(str(data_set), ["train/cat/003.jpg"], {})
    before = digests(data_set)
    (data_set / shard).unlink()
    (data_set / f"_build/receipts/{shard}.parquet").unlink()
    assert build(output_directory=data_set, **original[0]).shards_converted == 1
    assert digests(data_set) == before


def test_other_settings_bring_it_back_from_the_source(original, data_set, build):
    remove_images(str(data_set), ["train/cat/003.jpg"], {})
    build(output_directory=data_set, overwrite=True, **original[0] | {"train_shards": 2})
    assert rows(data_set)["train", "cat/003.jpg"]["status"] == "written"


NAMES = ["train/cat/000.jpg", "train/dog/001.jpg", "validation/dog/000.jpg"]


def stopped_before(number, data_set):
    """Remove NAMES, but the process is gone before its change of number `number`; False when it comes to its end first."""
    count = 0

    def counted(change):
        def counting(*arguments):
            nonlocal count
            count += 1
            if count >= number:  # nor is the lock put away
                raise Killed
            return change(*arguments)

        return counting

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whole_files, "rename_whole", counted(whole_files.rename_whole))
        patch.setattr(Folder, "remove", counted(Folder.remove))
        try:
            remove_images(str(data_set), NAMES, {})
        except Killed:
            (data_set / "_build/lock").unlink()  # its holder is this process, which lives
            return True
    return False


@pytest.mark.parametrize("finish", ["remove", "build"])
def test_killed_at_any_moment_and_run_again_it_comes_to_the_same_end(original, tmp_path, digests, build, finish):
    expected = tmp_path / "expected"
    shutil.copytree(original[1], expected)
    remove_images(str(expected), NAMES, {})
    wanted, number = digests(expected), 1
    while stopped_before(number, shutil.copytree(original[1], tmp_path / str(number))):
        data_set = tmp_path / str(number)
        if finish == "remove":
            remove_images(str(data_set), NAMES, {})
            assert digests(data_set) == wanted, number
        elif number % 3 == 2:  # some moments; before the first, the list of removals, nothing is begun
            build(output_directory=data_set, **original[0])
            found = digests(data_set)
            assert found | {"_build/removals.json": ""} == wanted | {"_build/removals.json": ""}, number
        shutil.rmtree(data_set)
        number += 1
    assert digests(tmp_path / str(number)) == wanted
    assert number > 15


def test_a_damaged_shard_is_reported_and_kept(data_set):
    shard = data_set / rows(data_set)["train", "cat/003.jpg"]["shard"]
    data = bytearray(shard.read_bytes())
    data[50] ^= 1
    shard.write_bytes(data)
    with pytest.raises(CorruptRecord, match="a shard differs from its receipt"):
        remove_images(str(data_set), ["train/cat/003.jpg"], {})
    assert shard.read_bytes() == data


def test_a_data_set_that_is_being_written_is_refused(data_set):
    with output_lock(open_folder(str(data_set), {}), 120), pytest.raises(OutputLocked):
        remove_images(str(data_set), ["train/cat/003.jpg"], {})


@pytest.mark.parametrize("missing", ["manifest.parquet", "_build/plan.parquet", "dataset_info.json"])
def test_an_incomplete_data_set_is_refused(data_set, digests, missing):
    (data_set / missing).unlink()
    before = digests(data_set)
    with pytest.raises(BadInput, match="remove needs"):
        remove_images(str(data_set), ["train/cat/003.jpg"], {})
    assert digests(data_set) == before


def test_a_broken_list_of_removals_stops_remove_and_build(original, data_set, build):
    """Nothing may come back because a file was damaged."""
    remove_images(str(data_set), ["train/cat/003.jpg"], {})
    (data_set / "_build/removals.json").write_text("{")
    with pytest.raises(CorruptRecord, match="the list of removed images must be readable"):
        remove_images(str(data_set), ["train/cat/002.jpg"], {})
    with pytest.raises(Exception, match="the list of removed images must be readable"):
        build(output_directory=data_set, **original[0])


def test_counts_follow(data_set):
    remove_images(str(data_set), NAMES, {})
    splits = json.loads((data_set / "dataset_info.json").read_text())["splits"]
    assert [sum(map(int, split["shardLengths"])) for split in splits] == [13, 3]


def test_a_data_set_without_a_card_gets_none(data_set):
    (data_set / "report.html").unlink()
    remove_images(str(data_set), ["train/cat/003.jpg"], {})
    assert not (data_set / "report.html").exists()
    assert not audit_folder(str(data_set), {}).problems
