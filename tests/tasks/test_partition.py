"""The plan: split, shuffle and cut as they bind users' data, and as build_image_data.py does them."""

import random
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.listing import COLUMNS, Listing
from imagerecords.tasks.partition import (
    AUTO_SHARD_BYTES,
    cut,
    partition_images,
    shard_count,
    shuffled,
)
from imagerecords.tasks.planning.splits import group_of, group_position, split_images


def classic_shards(found, shards, threads, seed=12345):
    """What build_image_data.py puts in each shard, written again after its code: the listing is `found`."""
    state = random.getstate()
    random.seed(seed)
    order = list(range(len(found)))
    random.shuffle(order)
    random.setstate(state)
    files = [found[number] for number in order]
    spacing = np.linspace(0, len(files), threads + 1).astype(int)
    per_thread = shards // threads
    contents = []
    for thread in range(threads):
        edges = np.linspace(spacing[thread], spacing[thread + 1], per_thread + 1).astype(int)
        contents += [files[edges[shard] : edges[shard + 1]] for shard in range(per_thread)]
    return contents


def listing_of(paths, source="data", sizes=None):
    """A listing of these paths; a path's first part is its label."""
    labels = sorted({path.partition("/")[0] for path in paths})
    found = sorted((labels.index(path.partition("/")[0]) + 1, path) for path in paths)
    rows = {
        "source": [source] * len(found),
        "label": [label for label, _ in found],
        "path": [path for _, path in found],
        "size": sizes or [1] * len(found),
        "version": ["1"] * len(found),
        "group": [None] * len(found),
        **{name: [None] * len(found) for name in ("labels", "boxes", "objects")},
    }
    return Listing(tuple(labels), {source: "in"}, pa.table(rows, schema=COLUMNS))


CLASSIC_ROWS = [
    (1, 1, 1),
    (10, 2, 1),
    (10, 2, 2),
    (44, 4, 2),
    (100, 8, 8),
    (101, 12, 4),  # two levels differ from one here
    (103, 24, 8),
    (3_670, 24, 8),  # the flowers example of the original's README
    (50_000, 128, 8),
    (7, 8, 4),  # more shards than images: some stay empty
    (0, 4, 2),
]


@pytest.mark.parametrize(("images", "shards", "threads"), CLASSIC_ROWS)
def test_each_image_stands_where_the_classic_script_puts_it(images, shards, threads):
    order = shuffled(images, 12345)
    ours = [order[start:end] for start, end in cut(images, shards, threads)]
    assert ours == classic_shards(list(range(images)), shards, threads)


def test_threads_change_the_cut_for_most_numbers():
    """Else the rows above would prove nothing about the second level."""
    assert list(cut(101, 12, 4)) != list(cut(101, 12, 1))


@given(st.integers(0, 3_000), st.integers(1, 12), st.integers(1, 12))
def test_every_image_is_in_exactly_one_shard(images, per_thread, threads):
    ranges = list(cut(images, per_thread * threads, threads))
    assert len(ranges) == per_thread * threads
    assert [number for start, end in ranges for number in range(start, end)] == list(range(images))


@given(st.integers(0, 3_000), st.integers(1, 12), st.integers(1, 12))
def test_shards_differ_by_little(images, per_thread, threads):
    sizes = [end - start for start, end in cut(images, per_thread * threads, threads)]
    assert max(sizes) - min(sizes) <= 2  # one for each of the two truncations


@given(st.integers(0, 400), st.integers())
def test_the_shuffle_is_a_permutation(count, seed):
    assert sorted(shuffled(count, seed)) == list(range(count))


def test_the_golden_shuffle_has_not_changed():
    assert shuffled(10, 12345) == [8, 7, 3, 5, 1, 2, 9, 4, 0, 6]
    assert shuffled(20, 12345) == [16, 18, 3, 8, 19, 10, 7, 14, 12, 1, 5, 2, 15, 17, 4, 6, 11, 9, 0, 13]


def test_the_shuffle_leaves_pythons_own_randomness_alone():
    state = random.getstate()
    shuffled(10, 1)
    assert random.getstate() == state


@pytest.mark.parametrize(
    ("group", "position"),
    [
        ("cat/1.jpg", 0.9952651140579519),
        ("cat/2.jpg", 0.1567675829837054),
        ("dog/größe.png", 0.7812065637842276),
        ("", 0.9286458745802705),
        ("patient-7", 0.5420803301008791),
    ],
)
def test_the_golden_positions_have_not_changed(group, position):
    """A changed hash moves images between train and test of every data set built after it."""
    assert group_position(group) == position


@given(st.text())
def test_a_position_lies_in_zero_to_one(group):
    assert 0 <= group_position(group) < 1


PATHS = st.lists(
    st.builds("{}/{}.jpg".format, st.sampled_from("abc"), st.integers(0, 10**6)), min_size=1, max_size=40, unique=True
)
FRACTIONS = st.tuples(st.floats(0, 0.49), st.floats(0, 0.49))


def split_of(paths, settings):
    """The split of each path."""
    splits = split_images(listing_of(paths), settings)
    return {path: split for split, table in splits.items() for path in table["path"].to_pylist()}


def test_an_image_never_changes_split_when_others_are_added(make_settings):
    @given(PATHS, PATHS, FRACTIONS)
    def check(paths, more, fractions):
        settings = make_settings(
            data_directory="in", validation_fraction=fractions[0], test_fraction=fractions[1], split_method="hash"
        )
        before, after = split_of(paths, settings), split_of(sorted({*paths, *more}), settings)
        assert {path: after[path] for path in paths} == before

    check()


def test_each_image_is_in_exactly_one_split(make_settings):
    @given(PATHS, FRACTIONS)
    def check(paths, fractions):
        settings = make_settings(data_directory="in", validation_fraction=fractions[0], test_fraction=fractions[1])
        tables = split_images(listing_of(paths), settings).values()
        assert sorted(path for table in tables for path in table["path"].to_pylist()) == sorted(paths)

    check()


def test_changing_one_fraction_moves_no_image_of_the_other(make_settings):
    @given(PATHS, FRACTIONS, st.floats(0, 0.49))
    def check(paths, fractions, other):
        validation, test = fractions
        by_hash = {"data_directory": "in", "split_method": "hash", "test_fraction": test}
        before = split_of(paths, make_settings(**by_hash, validation_fraction=validation))
        after = split_of(paths, make_settings(**by_hash, validation_fraction=other))
        in_test = [path for path in paths if before[path] == "test"]
        assert [path for path in paths if after[path] == "test"] == in_test

    check()


def test_groups_stay_together(make_settings):
    @given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 999)), min_size=1, max_size=60, unique=True), FRACTIONS)
    @hypothesis_settings(max_examples=50)
    def check(pictures, fractions):
        settings = make_settings(
            data_directory="in",
            validation_fraction=fractions[0],
            test_fraction=fractions[1],
            group_pattern=r"patient-(\d+)_",
        )
        splits = split_of([f"a/patient-{patient}_{number}.png" for patient, number in pictures], settings)
        for patient in {patient for patient, _ in pictures}:
            assert len({split for path, split in splits.items() if f"patient-{patient}_" in path}) == 1

    check()


@pytest.mark.parametrize(
    ("pattern", "path", "group"),
    [
        (None, "cat/1.jpg", "cat/1.jpg"),
        (r"/(\w+)-\d", "cat/ann-3.jpg", "ann"),
        (r"/(\w+)-\d", "cat/other.jpg", "cat/other.jpg"),  # where the pattern finds nothing, the path is the group
        (r"(x)?cat", "cat/1.jpg", "cat/1.jpg"),  # the group took no part in the match
    ],
)
def test_a_group_is_what_the_pattern_finds(pattern, path, group):
    assert group_of(pattern)(path) == group


def test_fractions_come_out_about_right(make_settings):
    paths = [f"cat/{number}.jpg" for number in range(10_000)]
    settings = make_settings(data_directory="in", validation_fraction=0.1, test_fraction=0.2, split_method="hash")
    sizes = {split: table.num_rows for split, table in split_images(listing_of(paths), settings).items()}
    assert sizes["validation"] == pytest.approx(1_000, abs=100)
    assert sizes["test"] == pytest.approx(2_000, abs=150)
    assert sum(sizes.values()) == 10_000


def test_a_split_that_would_stay_empty_is_an_error(make_settings):
    settings = make_settings(data_directory="in", validation_fraction=0.0001, split_method="hash")
    with pytest.raises(BadLayout, match="a split must have images, got none for validation"):
        partition_images(listing_of(["a/1.jpg", "a/2.jpg"]), settings)


@pytest.mark.parametrize(
    ("sizes", "threads", "shards"),
    [
        ([1], 1, 1),
        ([0, 0], 1, 1),  # dangling links have no size
        ([AUTO_SHARD_BYTES], 1, 1),
        ([AUTO_SHARD_BYTES, 1], 1, 2),
        ([AUTO_SHARD_BYTES * 10], 1, 1),  # never more shards than images
        ([AUTO_SHARD_BYTES] * 5, 4, 4),  # a multiple of the threads: 8 would be more than there are images
        ([AUTO_SHARD_BYTES] * 9, 4, 8),
        ([AUTO_SHARD_BYTES // 2] * 18, 4, 16),
        ([AUTO_SHARD_BYTES // 2] * 40, 1, 20),
        ([2**20] * 15, 1, 1),
        ([2**20] * 32, 1, 4),  # smaller splits have fewer than 16, of 8 MiB
    ],
)
def test_auto_makes_shards_of_about_128_mib(make_settings, sizes, threads, shards):
    paths = [f"a/{number:03}.jpg" for number in range(len(sizes))]
    settings = make_settings(layout_threads=threads)
    assert shard_count("train", listing_of(paths, "train", sizes).images, settings) == shards


@pytest.mark.parametrize("shards", ["auto", 2])
def test_fewer_images_than_threads_is_refused_or_asked_for(make_settings, shards):
    """layout_threads=2 needs two shards; one image fills one."""
    settings = make_settings(layout_threads=2, train_shards=shards)
    with pytest.raises(BadLayout, match="allow_empty_shards"):
        partition_images(listing_of(["a/1.jpg"], "train"), settings)


def test_more_shards_than_images_is_refused_with_both_numbers(make_settings):
    with pytest.raises(BadLayout, match=r"train_shards must be at most the number of its images \(2\), got 3"):
        partition_images(listing_of(["a/1.jpg", "a/2.jpg"], "train"), make_settings(train_shards=3))


def test_more_shards_than_images_may_be_asked_for(make_settings):
    settings = make_settings(train_shards=3, allow_empty_shards=True)
    plan = partition_images(listing_of(["a/1.jpg", "a/2.jpg"], "train"), settings)
    assert sorted(shard.images for shard in plan.shards) == [0, 1, 1]


def test_a_plan_holds_each_shards_rows_in_the_classic_order(make_settings):
    paths = [f"{label}/{number:03}.jpg" for label in ("cat", "dog") for number in range(30)]
    plan = partition_images(listing_of(paths, "train"), make_settings(train_shards=6, layout_threads=3))
    assert [table["path"].to_pylist() for table in plan.tables()] == classic_shards(sorted(paths), 6, 3)


def test_a_group_in_the_listing_has_precedence_over_the_path(make_settings):
    listing = listing_of([f"a/{number}.jpg" for number in range(40)])
    groups = pa.array([str(number % 4) if number < 20 else None for number in range(40)])
    listing = replace(listing, images=listing.images.set_column(5, COLUMNS.field("group"), groups))
    settings = make_settings(data_directory="in", validation_fraction=0.4, split_method="hash")
    found = {split: table["group"].drop_null().to_pylist() for split, table in split_images(listing, settings).items()}
    assert sum(map(len, found.values())) == 20
    assert not set(found["train"]) & set(found["validation"])
    alone = split_images(listing_of(listing.images["path"].to_pylist()), settings)["validation"]["path"].to_pylist()
    together = split_images(listing, settings)["validation"]
    ungrouped = together.filter(pc.is_null(together["group"]))["path"].to_pylist()
    assert set(ungrouped) <= set(alone)  # an image without a group is one of its own, as ever
