"""Stratified splits: each label has its share, groups stay whole, and what a data set has does not move."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.listing import COLUMNS
from imagerecords.tasks.append import append_images
from imagerecords.tasks.partition import partition_images
from imagerecords.tasks.planning.splits import group_position, split_images
from imagerecords.tasks.planning.stratify import Existing, Grouped, stratify, targets
from tests.tasks.test_partition import FRACTIONS, listing_of

SPLITS = ("train", "validation", "test")


def counts_of(plan):
    """The number of images by label and split."""
    found = Counter()
    for split in SPLITS:
        rows = plan.images_of(split)
        found.update((plan.header.labels[label - 1], split) for label in rows["label"].to_pylist())
    return found


def splits_of(plan):
    return {path: split for split in SPLITS for path in plan.images_of(split)["path"].to_pylist()}


@pytest.mark.parametrize(
    ("size", "shares", "goal"),
    [
        (12, (0.8, 0.2, 0), (10, 2, 0)),
        (10, (0.8, 0.1, 0.1), (8, 1, 1)),
        (100, (0.71, 0.29, 0), (71, 29, 0)),  # 0.29 * 100 is a little below 29
        (2, (0.99, 0.01, 0), (1, 1, 0)),
        (1, (0.5, 0.5, 0), (1, 0, 0)),  # of equal remainders train's comes first
        (2, (0.8, 0.1, 0.1), (1, 1, 0)),  # too few for three
        (3, (0.8, 0.1, 0.1), (1, 1, 1)),
        (0, (0.8, 0.1, 0.1), (0, 0, 0)),
    ],
)
def test_a_label_is_divided_by_the_largest_remainders(size, shares, goal):
    assert targets(np.array([size]), shares).tolist() == [list(goal)]


@given(st.integers(0, 10_000), FRACTIONS)
def test_each_split_has_its_share_to_within_one_image_or_one_at_least(size, fractions):
    shares = (1 - sum(fractions), *fractions)
    (goal,) = targets(np.array([size]), shares)
    assert goal.sum() == size
    assert goal.min() >= 0
    asked = [share > 0 for share in shares]
    if size >= sum(asked):
        assert all(images >= 1 for images, wanted in zip(goal, asked, strict=True) if wanted)
    for images, share in zip(goal, shares, strict=True):
        assert images <= max(1, size * share + 1)


def test_each_label_of_a_build_has_its_share(make_settings):
    paths = [f"{label}/{label}_{number:03}.jpg" for label in ("cat", "dog", "owl") for number in range(12)]
    plan = partition_images(listing_of(paths), make_settings(data_directory="in", validation_fraction=0.2))
    assert {label: counts_of(plan)[label, "validation"] for label in plan.header.labels} == {"cat": 2, "dog": 2, "owl": 2}


def test_labels_with_one_image_cannot_be_divided(make_settings):
    settings = make_settings(data_directory="in", validation_fraction=0.2)
    with pytest.raises(BadLayout, match="No label has two images or groups: pass --split_method hash"):
        partition_images(listing_of(["a/1.jpg", "b/1.jpg"]), settings)


def test_an_image_more_moves_at_most_one_of_its_label_and_split(make_settings):
    settings = make_settings(data_directory="in", validation_fraction=0.2, test_fraction=0.1)
    paths = [f"{label}/{number:03}.jpg" for label in "ab" for number in range(50)]
    before = splits_of(partition_images(listing_of(paths), settings))
    after = splits_of(partition_images(listing_of([*paths, "a/new.jpg"]), settings))
    moved = [path for path in paths if before[path] != after[path]]
    assert len(moved) <= 2
    assert all(path.startswith("a/") for path in moved)


def grouped(labels, groups):
    """Images of these labels and groups."""
    return Grouped(np.array(labels), groups, np.array([group_position(group) for group in groups]))


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 12)), min_size=1, max_size=60), FRACTIONS)
def test_groups_stay_whole_and_labels_miss_no_split_for_which_they_have_groups(images, fractions):
    labels, groups = [label for label, _ in images], [f"{label}-{group}" for label, group in images]
    places = stratify(grouped(labels, groups), *fractions, Existing()).tolist()
    of_group = {}
    for group, place in zip(groups, places, strict=True):
        assert of_group.setdefault(group, place) == place
    asked = {place for place, share in ((0, 1), (1, fractions[0]), (2, fractions[1])) if share}
    for label in set(labels):
        own = {group for group in groups if group.startswith(f"{label}-")}
        if len(own) >= len(asked) and labels.count(label) >= len(asked):
            assert {of_group[group] for group in own} == asked


def test_groups_give_each_label_about_its_share():
    labels, groups = [], []
    for label in (1, 2, 3):
        for patient in range(40):
            labels += [label] * 5
            groups += [f"{label}-{patient}"] * 5
    places = stratify(grouped(labels, groups), 0.2, 0.1, Existing())
    for label in (1, 2, 3):
        assert np.bincount(places[np.array(labels) == label]).tolist() == [140, 40, 20]


@given(st.integers(1, 30), st.integers(0, 30), FRACTIONS)
def test_what_a_data_set_has_stays_and_new_images_fill_what_is_lacking(make_settings_once, old, new, fractions):
    settings = make_settings_once(data_directory="in", validation_fraction=fractions[0], test_fraction=fractions[1])
    paths = [f"a/{number:03}.jpg" for number in range(max(3, old))]
    more = [f"a/new-{number:03}.jpg" for number in range(new)]
    base = partition_images(listing_of(paths), settings)
    grown = append_images(base, listing_of([*paths, *more]), settings.model_copy(update={"append": True})).plan
    before, after = splits_of(base), splits_of(grown)
    assert {path: after[path] for path in paths} == before
    assert len(after) == len(paths) + len(more)


@pytest.fixture(scope="module")
def make_settings_once(tmp_path_factory):
    from imagerecords.schemas.settings import BuildSettings

    def make(**settings):
        return BuildSettings(output_directory="out", **settings)

    return make


def test_a_data_set_made_by_hash_is_appended_to_by_hash(make_settings):
    settings = make_settings(data_directory="in", validation_fraction=0.3, split_method="hash")
    paths = [f"a/{number:03}.jpg" for number in range(40)]
    base = partition_images(listing_of(paths), settings)
    for layout in (base.header.layout, {}):  # the latter: version 0.1.0
        old = replace(base, header=base.header.model_copy(update={"layout": layout}))
        more = listing_of([*paths, *(f"a/new-{number}.jpg" for number in range(40))])
        appended = append_images(old, more, settings.model_copy(update={"split_method": "stratified", "append": True}))
        assert splits_of(appended.plan) == splits_of(partition_images(more, settings))
        assert any("divided by hash" in note for note in appended.notes)
        assert appended.plan.header.layout["split_method"] == "hash"


def test_new_images_go_with_their_group_of_an_image_list(make_settings):
    """The list of the new images alone names the group; the plan knows where it is."""
    settings = make_settings(image_list="list.csv", validation_fraction=0.5)
    listing = listing_of([f"a/{number}.jpg" for number in range(8)])
    groups = pa.array([f"g{number % 4}" for number in range(8)])
    listing = replace(listing, images=listing.images.set_column(5, COLUMNS.field("group"), groups))
    base = partition_images(listing, settings)
    new = listing_of([f"a/new-{number}.jpg" for number in range(4)])
    new = replace(new, images=new.images.set_column(5, COLUMNS.field("group"), pa.array([f"g{n}" for n in range(4)])))
    grown = splits_of(append_images(base, new, settings.model_copy(update={"append": True})).plan)
    assert all(grown[f"a/new-{number}.jpg"] == grown[f"a/{number}.jpg"] for number in range(4))


def test_an_input_with_splits_of_its_own_keeps_them(make_settings):
    assert list(split_images(listing_of(["a/1.jpg"], "train"), make_settings())) == ["train"]
