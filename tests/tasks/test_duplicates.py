"""duplicates: which images are excluded before anything is converted, and which one is kept."""

import os
import random
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from imagerecords.schemas.errors import BadLayout
from imagerecords.tasks.discover import discover_images
from imagerecords.tasks.duplicates import drop_duplicates
from imagerecords.tasks.partition import partition_images
from imagerecords.tasks.storage.folders import open_folder


def dropped(settings):
    """The excluded images and the reasons, by source and path."""
    images = drop_duplicates(discover_images(settings), settings).images.to_pylist()
    return {(row["source"], row["path"]): row["drop"] for row in images if row["drop"]}


@pytest.fixture
def three_splits(tmp_path, make_settings):
    """`three_splits(train={"cat/1": b"…"}, validation=…, test=…)` writes files and gives settings of a build that drops."""

    def three_splits(**splits):
        for split, files in splits.items():
            for name, data in files.items():
                path = tmp_path / split / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        directories = {f"{split}_directory": tmp_path / split for split in splits}
        return make_settings(**directories, output_directory=tmp_path / "out", duplicates="drop")

    return three_splits


def test_validation_is_kept_before_test_and_test_before_train(three_splits):
    settings = three_splits(
        train={"cat/1": b"in all", "cat/2": b"in test too", "cat/3": b"alone"},
        validation={"cat/4": b"in all"},
        test={"cat/5": b"in all", "cat/6": b"in test too"},
    )
    assert dropped(settings) == {
        ("train", "cat/1"): "the same bytes as cat/4 in validation, which is kept",
        ("train", "cat/2"): "the same bytes as cat/6 in test, which is kept",
        ("test", "cat/5"): "the same bytes as cat/4 in validation, which is kept",
    }


def test_within_a_split_the_lowest_label_and_then_the_first_path_is_kept(three_splits):
    settings = three_splits(train={"dog/1": b"one", "cat/2": b"one", "cat/3": b"one", "dog/4": b"two", "dog/5": b"two"})
    assert set(dropped(settings)) == {("train", "cat/3"), ("train", "dog/1"), ("train", "dog/5")}


@pytest.mark.parametrize(
    "files",
    [
        {"cat/1": b"", "cat/2": b""},  # convert says of each that it is empty
        {"cat/1": b"one", "cat/2": b"two"},  # of one size
        {"cat/1": b"one", "cat/2": b"one more"},
    ],
)
def test_what_is_no_copy_is_kept(three_splits, files):
    assert dropped(three_splits(train=files)) == {}


def test_a_file_that_goes_away_or_changes_before_it_is_read_is_left_to_convert(three_splits, tmp_path):
    settings = three_splits(train={"cat/1": b"one", "cat/2": b"one", "cat/3": b"one", "cat/4": b"one"})
    listing = discover_images(settings)
    (tmp_path / "train/cat/1").unlink()
    os.utime(tmp_path / "train/cat/2", ns=(1, 1))
    images = drop_duplicates(listing, settings).images.to_pylist()
    assert [row["path"] for row in images if row["drop"]] == ["cat/4"]


def test_a_link_to_nowhere_is_left_to_convert(three_splits, tmp_path):
    settings = three_splits(train={"cat/1": b"one", "cat/2": b"one"})
    (tmp_path / "train/cat/0").symlink_to(tmp_path / "nowhere")
    assert set(dropped(settings)) == {("train", "cat/2")}


def test_no_image_that_validation_keeps_is_left_in_train_whatever_the_fractions(tmp_path, make_settings):
    """The split of each image is what partition makes of it."""
    draw = random.Random(1)
    for number in range(300):
        path = tmp_path / f"in/{draw.choice(['a', 'b', 'c'])}/{number:03}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%03d" % draw.randrange(120))
    settings = make_settings(
        data_directory=tmp_path / "in",
        output_directory=tmp_path / "out",
        validation_fraction=0.3,
        test_fraction=0.2,
        duplicates="drop",
    )
    plan = partition_images(drop_duplicates(discover_images(settings), settings), settings)
    kept = {"train": [], "validation": [], "test": []}
    everywhere = {split: set() for split in kept}
    for shard, rows in zip(plan.shards, plan.tables(), strict=True):
        for row in rows.to_pylist():
            content = (tmp_path / "in" / row["path"]).read_bytes()
            everywhere[shard.split].add(content)
            if row["drop"] is None:
                kept[shard.split].append(content)
    remaining = [content for contents in kept.values() for content in contents]
    assert len(remaining) == len(set(remaining)) == len(set.union(*everywhere.values()))
    assert set(kept["validation"]) == everywhere["validation"]
    assert set(kept["test"]) == everywhere["test"] - everywhere["validation"]


def test_what_is_dropped_does_not_depend_on_threads_or_storage(tmp_path, make_settings):
    draw = random.Random(2)
    memory = open_folder("memory://duplicates/in", {})
    for number in range(200):
        name, data = f"{draw.choice('abc')}/{number:03}", b"%02d" % draw.randrange(60)
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        memory.fs.pipe_file(memory.join(name), data)
    settings = make_settings(train_directory=tmp_path / "in", duplicates="drop")
    found = [
        dropped(settings.model_copy(update={"train_directory": url, "workers": workers}))
        for url in (str(tmp_path / "in"), "memory://duplicates/in")
        for workers in (1, 4)
    ]
    assert found[1:] == found[:1] * 3
    assert len(found[0]) > 100


def test_what_is_dropped_makes_its_shard_another_and_no_other_shard(three_splits):
    settings = three_splits(train={f"cat/{number}": b"%d" % number for number in range(4)} | {"dog/9": b"3", "dog/8": b"8"})
    settings = settings.model_copy(update={"train_shards": 6, "allow_empty_shards": True})
    listing = discover_images(settings)
    without, with_drop = (partition_images(each, settings) for each in (listing, drop_duplicates(listing, settings)))
    changed = [
        rows["path"].to_pylist()
        for one, other, rows in zip(without.shards, with_drop.shards, without.tables(), strict=True)
        if one.fingerprint != other.fingerprint
    ]
    assert changed == [["dog/9"]]


def test_dropped_images_make_no_shards_of_their_own(three_splits):
    """Where the number is left to us."""
    settings = three_splits(train={"cat/1": b"1", "dog/2": b"2"})
    listing = discover_images(settings)
    images = listing.images.set_column(3, "size", pa.array([100, 500 * 2**20]))
    images = images.append_column("drop", pa.array([None, "why"]))
    assert [
        len(partition_images(replace(listing, images=rows), settings).shards) for rows in (images.drop("drop"), images)
    ] == [
        2,
        1,
    ]


def test_a_split_of_duplicates_alone_is_bad_input(three_splits):
    settings = three_splits(train={"cat/1": b"one"}, validation={"cat/1": b"one"})
    with pytest.raises(BadLayout, match="every image of train is a duplicate"):
        partition_images(drop_duplicates(discover_images(settings), settings), settings)


def test_paths_are_reported_as_the_manifest_has_them(three_splits):
    settings = three_splits(train={"cat/Ünï.jpg": b"one"}, validation={"cat/Ünï.jpg": b"one"})
    assert list(dropped(settings).values()) == ["the same bytes as cat/Ünï.jpg in validation, which is kept"]
    assert Path(settings.train_directory).exists()
