"""Folds: of one size, each with equally many images of a label, groups whole, and what a data set has does not move."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagerecords.schemas.errors import BadLayout, OutputConflict
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.splits import FOLDS
from imagerecords.tasks.append import append_images
from imagerecords.tasks.partition import partition_images
from imagerecords.tasks.planning.folds import evened
from tests.tasks.planning.test_stratify import splits_of as named_splits_of
from tests.tasks.test_partition import listing_of

LABELS = {"cat": 12, "dog": 31, "owl": 7, "yak": 3}


def paths_of(labels, group="{}.jpg"):
    return [f"{label}/{group.format(number)}" for label, count in labels.items() for number in range(count)]


def folds_of(plan):
    return {path: fold for fold in FOLDS for path in plan.images_of(fold)["path"].to_pylist()}


def spread(counts, folds):
    """The difference between the most and the fewest of `folds` counts."""
    numbers = [counts.get(fold, 0) for fold in FOLDS[:folds]]
    return max(numbers) - min(numbers)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6).filter(lambda sizes: sum(sizes) >= 10), st.integers(2, 10))
def test_folds_have_equally_many_images_of_each_label_and_in_all_to_within_one(sizes, folds):
    settings = BuildSettings(data_directory="in", output_directory="out", folds=folds)
    plan = partition_images(listing_of(paths_of({f"label{number}": size for number, size in enumerate(sizes)})), settings)
    found = folds_of(plan)
    assert len(found) == sum(sizes)
    assert spread(Counter(found.values()), folds) <= 1
    for number in range(len(sizes)):
        assert spread(Counter(fold for path, fold in found.items() if path.startswith(f"label{number}/")), folds) <= 1


@given(
    st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=5),
    st.lists(st.integers(0, 30), min_size=5),
)
def test_what_is_added_fills_the_folds_that_have_the_fewest(there, sizes):
    before, new = np.array(there), np.array(sizes[: len(there)] + [0] * (len(there) - len(sizes)))
    more = evened(new, before)
    assert more.min() >= 0
    assert more.sum(1).tolist() == new.tolist()
    after = before + more
    for old, added, now in zip(before, more, after, strict=True):
        # Where anything was added, no fold stands more than one below it.
        assert all(now[fold] <= now.min() + 1 for fold in range(3) if added[fold])
        assert now.max() <= max(old.max(), now.min() + 1)


@pytest.mark.parametrize("method", ["stratified", "hash"])
def test_test_is_held_out_of_all_folds_and_is_the_same_without_folds(make_settings, method):
    listing = listing_of(paths_of(LABELS))
    settings = make_settings(data_directory="in", test_fraction=0.2, split_method=method)
    without = named_splits_of(partition_images(listing, settings))
    plan = partition_images(listing, settings.model_copy(update={"folds": 3}))
    test = plan.images_of("test")["path"].to_pylist()
    assert sorted(test) == sorted(path for path, split in without.items() if split == "test")
    assert not set(test) & folds_of(plan).keys()
    assert len(test) + len(folds_of(plan)) == sum(LABELS.values())
    assert {shard.split for shard in plan.shards} == {"test", "fold_0", "fold_1", "fold_2"}


def test_by_hash_an_image_stays_in_its_fold_when_others_are_added_or_held_out(make_settings):
    settings = make_settings(data_directory="in", folds=5, split_method="hash")
    small = folds_of(partition_images(listing_of(paths_of({"cat": 40})), settings))
    large = folds_of(partition_images(listing_of(paths_of({"ant": 30, "cat": 60})), settings))
    held = folds_of(
        partition_images(listing_of(paths_of({"cat": 40})), settings.model_copy(update={"test_fraction": 0.3})),
    )
    assert small.items() <= large.items()
    assert held.items() <= small.items()
    assert len(set(small.values())) == 5


def test_groups_stay_in_one_fold_and_folds_stay_near_one_size(make_settings):
    paths = [f"{label}/{group}-{number}.jpg" for label in LABELS for group in range(10) for number in range(1 + group % 3)]
    settings = make_settings(data_directory="in", folds=4, group_pattern="([a-z]+/[0-9]+)-")
    found = folds_of(partition_images(listing_of(paths), settings))
    assert len(found) == len(paths)
    groups = {}
    for path, fold in found.items():
        groups.setdefault(path.partition("-")[0], set()).add(fold)
    assert all(len(folds) == 1 for folds in groups.values())
    assert spread(Counter(found.values()), 4) <= 4


@pytest.mark.parametrize("method", ["stratified", "hash"])
def test_an_append_moves_no_image_and_evens_the_folds(make_settings, method):
    settings = make_settings(data_directory="in", folds=3, test_fraction=0.1, split_method=method, append=True)
    first = listing_of(paths_of({"cat": 10, "dog": 12}))
    base = partition_images(first, settings)
    grown = append_images(base, listing_of(paths_of({"cat": 25, "dog": 12, "yak": 9})), settings).plan
    assert folds_of(base).items() <= folds_of(grown).items()
    assert set(base.images_of("test")["path"].to_pylist()) <= set(grown.images_of("test")["path"].to_pylist())
    assert len(folds_of(grown)) + grown.images_of("test").num_rows == 46
    if method == "stratified":
        assert spread(Counter(folds_of(grown).values()), 3) <= 2


def test_a_group_that_a_fold_has_gets_its_new_images_there(make_settings):
    settings = make_settings(data_directory="in", folds=3, group_pattern="/([0-9]+)-", append=True)
    first = [f"cat/{group}-a.jpg" for group in range(9)]
    base = partition_images(listing_of(first), settings)
    grown = append_images(base, listing_of([*first, *(f"cat/{group}-b.jpg" for group in range(9))]), settings).plan
    found = folds_of(grown)
    assert all(found[f"cat/{group}-a.jpg"] == found[f"cat/{group}-b.jpg"] for group in range(9))


def test_the_number_of_folds_can_not_change_by_an_append(make_settings):
    listing = listing_of(paths_of(LABELS))
    base = partition_images(listing, make_settings(data_directory="in", folds=3))
    with pytest.raises(OutputConflict, match="folds is 4, was 3"):
        append_images(base, listing, make_settings(data_directory="in", folds=4, append=True))


def test_more_folds_than_images_are_refused(make_settings):
    with pytest.raises(BadLayout, match=r"got none for fold_3: .* pass fewer --folds"):
        partition_images(listing_of(paths_of({"cat": 3})), make_settings(data_directory="in", folds=5))
    with pytest.raises(BadLayout, match=r"train_shards must be at most the number of its images \(1 in fold_0\), got 2"):
        partition_images(listing_of(paths_of({"cat": 3})), make_settings(data_directory="in", folds=3, train_shards=2))


def test_an_image_list_may_have_folds_of_its_own(make_settings):
    rows = listing_of(paths_of({"cat": 4}))
    sources = ["fold_0", "fold_0", "fold_3", "test"]
    images = rows.images.set_column(0, rows.images.schema.field(0), [sources])
    plan = partition_images(replace(rows, images=images, roots=dict.fromkeys(sources, "in")), make_settings())
    assert Counter(folds_of(plan).values()) == {"fold_0": 2, "fold_3": 1}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"train_directory": "in"}, "folds must go with data_directory or a list"),
        ({"data_directory": "in", "validation_fraction": 0.1}, "folds must go without validation_fraction"),
    ],
)
def test_folds_with_other_splits_are_refused(make_settings, settings, problem):
    with pytest.raises(ValueError, match=problem):
        make_settings(folds=5, **settings)
