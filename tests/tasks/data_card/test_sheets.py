"""Which images have a picture on the page."""

import itertools
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagerecords.schemas.data_card import LabelRow
from imagerecords.schemas.receipt import COLUMNS
from imagerecords.tasks.data_card.histograms import label_rows, metric_charts
from imagerecords.tasks.data_card.sheets import MOST_LABELS, MOST_PICTURES, choose, spread


@given(st.integers(0, 5000), st.integers(1, 50))
def test_the_sample_is_spread_evenly_over_all(count, most):
    chosen = list(spread(count, most))
    assert len(chosen) == len(set(chosen)) == min(count, most)
    edges = [-1, *chosen, count] if chosen else [0]
    steps = [after - before for before, after in itertools.pairwise(edges)]
    assert all(step <= count / min(count, most) + 1 for step in steps)


def table(images):
    """Rows of a manifest of (split, label, number of images), of shards that are not there."""
    made = [
        {
            "split": split,
            "label": label,
            "text": f"l{label}",
            "status": "written",
            "path": f"l{label}/{split}-{number}.jpg",
            "width": 10 + number,
        }
        for split, label, count in images
        for number in range(count)
    ]
    return pa.Table.from_pylist([row | {"shard": "none", "offset": 0, "size": 1} for row in made], schema=COLUMNS)


def chosen(images, known=(), charts=False):
    """The paths of the images that are chosen, by label."""
    rows = table(images)
    splits = rows["split"].unique().to_pylist()
    drawn = list(metric_charts(rows, splits)) if charts else []
    by_label = {}
    for place in choose(rows, label_rows(rows, splits), known, drawn):
        by_label.setdefault(rows["label"][place].as_py(), []).append(rows["path"][place].as_py())
    return by_label


def test_a_small_data_set_is_shown_whole():
    found = chosen([("train", 1, 20), ("test", 1, 3), ("train", 2, 5)])
    assert {label: len(set(paths)) for label, paths in found.items()} == {1: 23, 2: 5}


def test_labels_get_as_many_pictures_each_and_their_splits_too():
    found = chosen([("train", 1, 2000), ("validation", 1, 400), ("train", 2, 900), ("train", 3, 2)])
    assert sum(map(len, found.values())) == MOST_PICTURES
    assert len(found[3]) == 2
    assert abs(len(found[1]) - len(found[2])) <= 1
    splits = Counter(path.partition("/")[2].partition("-")[0] for path in found[1])
    assert abs(splits["train"] - splits["validation"]) <= 1


def test_a_beginning_of_the_sample_is_spread_too():
    """If the budget ends early, what is shown is not the first shard alone."""
    (paths,) = chosen([("train", 1, 900)]).values()
    first = sorted(int(path.rpartition("-")[2].removesuffix(".jpg")) for path in paths[:8])
    assert all(after - before < 400 for before, after in itertools.pairwise([0, *first, 900]))


def test_the_sample_depends_on_the_images_not_on_their_order():
    rows = table([("train", 1, 2000), ("validation", 1, 400), ("train", 2, 900)])
    rng = np.random.default_rng(1)
    rows = rows.set_column(rows.column_names.index("dhash"), "dhash", pa.array(rng.integers(0, 2**64, 3300, np.uint64)))
    shuffled = rows.take(rng.permutation(3300))
    fewer = rows.filter(pa.array(rng.random(3300) > 0.01))
    whole, again, without = (sampled_paths(each) for each in (rows, shuffled, fewer))
    assert whole == again
    assert len(whole & without) > 0.97 * MOST_PICTURES


def sampled_paths(rows):
    splits = sorted(rows["split"].unique().to_pylist())
    return {rows["path"][place].as_py() for place in choose(rows, label_rows(rows, splits), (), [])}


def test_known_images_are_not_chosen_again_and_count():
    found = chosen([("train", 1, 2000)], known=set(range(100)))
    assert len(found[1]) == MOST_PICTURES - 100
    assert "l1/train-5.jpg" not in found[1]


@pytest.mark.parametrize("labels", [400, MOST_LABELS])
def test_every_label_has_a_picture(labels):
    found = chosen([("train", label, 20) for label in range(1, labels + 1)])
    assert list(found) == list(range(1, labels + 1))


def test_beyond_a_thousand_labels_some_of_all_over_are_shown():
    found = chosen([("train", label, 1) for label in range(1, 3 * MOST_LABELS + 1)])
    assert list(found) == list(range(2, 3 * MOST_LABELS + 1, 3))


def test_the_ends_of_a_metric_and_each_of_its_bars_have_a_picture():
    found = chosen([("train", 1, 5000)], charts=True)
    widths = {int(path.rpartition("-")[2].removesuffix(".jpg")) + 10 for path in found[1]}
    assert {10, 11, 5008, 5009} <= widths


def test_a_data_set_without_written_images_has_none():
    rejected = LabelRow(label=1, text="cat", written=(0,), rejected=3)
    assert choose(table([]), [rejected], (), []) == []
