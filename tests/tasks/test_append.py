"""The plan of a data set that grows: what is there stays, what is new goes behind, what can't be one data set is refused."""

import re
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from imagerecords.schemas.errors import BadLayout, OutputConflict
from imagerecords.schemas.listing import COLUMNS, Listing
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks import append
from imagerecords.tasks.append import append_images
from imagerecords.tasks.partition import partition_images


def listing_of(images, labels="ab", roots=("train",)):
    """A listing of `{source: {path: size or (size, version)}}`; a path's first letter is its label."""
    rows = []
    for source, files in images.items():
        for path, state in files.items():
            size, version = state if isinstance(state, tuple) else (state, "1")
            row = {"source": source, "label": labels.index(path[0]) + 1, "path": path, "size": size, "version": version}
            rows.append(row)
    rows.sort(key=lambda row: (row["source"], row["label"], row["path"]))
    return Listing(tuple(labels), {root: f"file:///{root}" for root in roots}, pa.Table.from_pylist(rows, COLUMNS))


def settings_of(**settings):
    source = {} if "data_directory" in settings else {"train_directory": "train"}
    return BuildSettings(**source | {"output_directory": "out", "append": True} | settings)


def shards_of(plan):
    """The paths in each shard, by its name."""
    tables = zip(plan.references(), plan.tables(), strict=True)
    return {shard.name: table["path"].to_pylist() for shard, table in tables}


def split_of(plan):
    """The split of each path."""
    return {path: name.partition("-")[0] for name, paths in shards_of(plan).items() for path in paths}


def numbered(label, numbers):
    return {f"{label}{number:03}": 1 for number in numbers}


BASE = numbered("a", range(4)) | numbered("b", range(4))


@pytest.fixture
def base():
    """The plan of eight images in two train shards."""
    return partition_images(listing_of({"train": BASE}), settings_of(train_shards=2))


def test_old_shards_keep_their_rows_and_fingerprints_and_get_the_new_count(base):
    settings = settings_of(train_shards=2)
    plan = append_images(base, listing_of({"train": BASE | numbered("a", range(4, 9))}), settings).plan
    old = shards_of(base)
    assert shards_of(plan) | {name.replace("00002", "00004"): paths for name, paths in old.items()} == shards_of(plan)
    assert list(shards_of(plan)) == [f"train-{number:05d}-of-00004" for number in range(4)]
    assert [shard.fingerprint for shard in plan.shards[:2]] == [shard.fingerprint for shard in base.shards]
    assert plan.header.extends == base.header.digest
    assert base.header.extends == ""
    assert plan.header.digest != base.header.digest


def test_new_images_are_shuffled_and_cut_as_a_data_set_of_their_own(base):
    new = numbered("a", range(10, 17)) | numbered("b", range(10, 17))
    plan = append_images(base, listing_of({"train": BASE | new}), settings_of(train_shards=3)).plan
    alone = partition_images(listing_of({"train": new}), settings_of(train_shards=3))
    assert list(shards_of(plan).values())[2:] == list(shards_of(alone).values())
    assert [shard.fingerprint for shard in plan.shards[2:]] == [shard.fingerprint for shard in alone.shards]


def test_without_new_images_the_plan_is_the_one_that_is_there(base):
    appended = append_images(base, listing_of({"train": BASE}), settings_of(train_shards=5, seed=9))
    assert appended.plan.header == base.header
    assert appended.plan.shards == base.shards
    assert appended.plan.images.equals(base.images)
    assert appended.notes == ("no new image: nothing to append",)


def test_skipped_files_are_those_of_the_latest_listing(base):
    listing = replace(listing_of({"train": BASE}), skipped={"hidden files": 3})
    plan = append_images(base, listing, settings_of()).plan
    assert plan.header == base.header.model_copy(update={"skipped": {"hidden files": 3}})


NOTES = {
    # name: (train images now, words of the note); all beside one new image
    "another size": (
        BASE | {"a001": 2},
        "1 image changed since the last build; the data set keeps its old records: a001",
    ),
    "another version": (BASE | {"a001": (1, "2")}, "1 image changed"),
    "gone": (
        {path: 1 for path in BASE if path != "b003"},
        "1 image no longer in the input; the data set keeps the records: b003",
    ),
    "many gone": (numbered("b", range(3)), "5 images no longer in the input; the data set keeps the records: .* and 2 more"),
    "moved to another label": (
        {path: 1 for path in BASE if path != "b003"} | {"abcd": 1},
        "2 new images with the size and modification time of deleted ones",  # the new one beside it has the same size and time
    ),
}


@pytest.mark.parametrize("row", NOTES)
def test_changed_deleted_and_moved_images_are_reported_and_change_nothing(base, row):
    images, words = NOTES[row]
    appended = append_images(base, listing_of({"train": images | {"a999": 1}}), settings_of())
    assert any(re.search(words, note) for note in appended.notes), appended.notes
    assert appended.plan.images.slice(0, 8).equals(base.images)


SHARDS = [
    # (asked, new images, layout threads, new shards)
    ("auto", 5, 1, 1),
    (2, 5, 1, 2),
    (8, 3, 1, 3),
    (8, 3, 4, 3),  # layout_threads is of a first build: three images could not be cut by four
    ("auto", 3, 4, 1),
]


@pytest.mark.parametrize(("asked", "images", "threads", "shards"), SHARDS)
def test_there_are_no_more_new_shards_than_new_images(base, asked, images, threads, shards):
    listing = listing_of({"train": BASE | numbered("a", range(100, 100 + images))})
    appended = append_images(base, listing, settings_of(train_shards=asked, layout_threads=threads))
    assert len(appended.plan.shards) == 2 + shards
    assert any("fewer than the 8 asked for" in note for note in appended.notes) == (asked == 8)


def test_a_split_without_new_images_keeps_its_names():
    roots = ("train", "validation")
    settings = settings_of(validation_directory="validation")
    images = {"train": BASE, "validation": BASE}  # one path in two directories is two images
    base = partition_images(listing_of(images, roots=roots), settings)
    grown = images | {"validation": BASE | {"a100": 1}}
    plan = append_images(base, listing_of(grown, roots=roots), settings).plan
    assert list(shards_of(plan)) == ["train-00000-of-00001", "validation-00000-of-00002", "validation-00001-of-00002"]
    assert shards_of(plan)["validation-00001-of-00002"] == ["a100"]


def test_a_new_split_may_appear_but_not_without_images(base):
    settings = settings_of(validation_directory="validation")
    roots = ("train", "validation")
    plan = append_images(base, listing_of({"train": BASE, "validation": {"a000": 1}}, roots=roots), settings).plan
    assert list(shards_of(plan)) == ["train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001"]
    with pytest.raises(BadLayout, match="a split must have images, got none for validation"):
        append_images(base, listing_of({"train": BASE}, roots=roots), settings)


def test_a_label_that_is_new_gets_the_next_id(base):
    plan = append_images(base, listing_of({"train": BASE | {"c000": 1}}, labels="abc"), settings_of()).plan
    assert plan.header.labels == ("a", "b", "c")
    assert plan.images.slice(8).to_pylist()[0]["label"] == 3


PATHS = st.sets(st.text("ab", min_size=1, max_size=6), min_size=1, max_size=40)


@given(old=PATHS, new=PATHS, fraction=st.sampled_from([0.0, 0.3]))
@hypothesis_settings(max_examples=60)
def test_grown_or_built_at_once_every_image_is_there_once_and_in_the_same_split(old, new, fraction):
    settings = settings_of(data_directory="data", validation_fraction=fraction, split_method="hash")

    def listing(paths):
        return listing_of({"data": dict.fromkeys(paths, 1)}, roots=("data",))

    try:
        base, at_once = (partition_images(listing(paths), settings) for paths in (old, old | new))
    except BadLayout:  # a split without images
        return
    grown = append_images(base, listing(old | new), settings).plan
    assert sorted(grown.images["path"].to_pylist()) == sorted(old | new)
    assert split_of(grown) == split_of(at_once)
    assert split_of(grown) | split_of(base) == split_of(grown)


def test_changed_fractions_move_no_old_image_and_part_no_group():
    pattern = {"data_directory": "data", "group_pattern": r"^.(\d)"}
    roots = ("data",)
    old = {f"a{group}-{number}": 1 for group in range(10) for number in range(3)}
    base = partition_images(listing_of({"data": old}, roots=roots), settings_of(**pattern, validation_fraction=0.5))
    new = {f"b{group}-{number}": 1 for group in range(10) for number in range(3)}
    for fraction in (0.0, 0.1, 0.9):
        settings = settings_of(**pattern, validation_fraction=fraction)
        plan = append_images(base, listing_of({"data": old | new}, roots=roots), settings).plan
        splits = split_of(plan)
        assert splits | split_of(base) == splits
        assert all(splits[path] == splits[path.replace("b", "a")] for path in new)


def test_names_have_no_more_than_five_digits(base, monkeypatch):
    monkeypatch.setattr(append, "MOST_SHARDS", 3)
    with pytest.raises(BadLayout, match="at most 3 shards, got 4 of train"):
        append_images(base, listing_of({"train": BASE | numbered("a", range(10, 14))}), settings_of(train_shards=2))


REFUSED = {
    "another directory": ({"roots": {"train": "file:///else"}}, {}, "input of train is 'file:///else', was 'file:///train'"),
    "another kind of directory": ({"roots": {"data": "file:///train"}}, {}, "input of train is None, was"),
    "another setting": ({}, {"check_pixels": "none"}, "check_pixels is 'none', was 'all'"),
    "both": (
        {"roots": {"train": "file:///else"}},
        {"check_pixels": "none"},
        "input of train .*, check_pixels is 'none', was 'all'",
    ),
}


@pytest.mark.parametrize("row", REFUSED)
def test_what_would_be_no_data_set_of_one_kind_is_refused_with_each_difference(base, row):
    change, settings, words = REFUSED[row]
    with pytest.raises(OutputConflict, match=words):
        append_images(base, replace(listing_of({"train": BASE | {"a100": 1}}), **change), settings_of(**settings))
