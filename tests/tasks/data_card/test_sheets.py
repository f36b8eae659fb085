"""The contact sheet: which images are shown for a label."""

import itertools

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagerecords.schemas.data_card import LabelRow
from imagerecords.schemas.receipt import COLUMNS
from imagerecords.tasks.data_card.histograms import label_rows
from imagerecords.tasks.data_card.rows import WIDE, Rows
from imagerecords.tasks.data_card.sheets import MOST_LABELS, MOST_PER_LABEL, make_sheets, spread
from imagerecords.tasks.storage.folders import open_folder


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
        {"split": split, "label": label, "text": f"l{label}", "status": "written", "path": f"l{label}/{split}-{number}.jpg"}
        for split, label, count in images
        for number in range(count)
    ]
    return pa.Table.from_pylist([row | {"shard": "none", "offset": 0, "size": 1} for row in made], schema=COLUMNS)


def sheets_of(tmp_path, images):
    rows = table(images)
    labels = label_rows(rows, rows["split"].unique().to_pylist())
    return make_sheets(Rows(open_folder(str(tmp_path), {}), rows, rows.select(WIDE)), rows, labels)


def test_each_label_gets_as_many_pictures_of_each_split(tmp_path):
    (sheet,) = sheets_of(tmp_path, [("train", 1, 100), ("validation", 1, 50), ("test", 1, 50)])
    names = [picture.name for picture in sheet.pictures]
    assert [name.partition("-")[0] for name in names] == ["train"] * 4 + ["validation"] * 4 + ["test"] * 4
    assert names[:4] == ["train-12.jpg", "train-37.jpg", "train-62.jpg", "train-87.jpg"]
    assert (sheet.images, len(sheet.pictures)) == (200, MOST_PER_LABEL)


def test_a_label_with_few_images_shows_them_all(tmp_path):
    cat, dog = sheets_of(tmp_path, [("train", 1, 2), ("train", 2, 30), ("test", 2, 1)])
    assert [picture.name for picture in cat.pictures] == ["train-0.jpg", "train-1.jpg"]
    assert [picture.split for picture in dog.pictures] == ["train"] * 6 + ["test"]


@pytest.mark.parametrize(("labels", "each"), [(10, 12), (40, 12), (100, 4), (400, 1), (1000, 1)])
def test_the_more_labels_the_fewer_pictures_each(tmp_path, labels, each):
    sheets = sheets_of(tmp_path, [("train", label, 20) for label in range(1, labels + 1)])
    assert {len(sheet.pictures) for sheet in sheets} == {each}
    assert [sheet.label for sheet in sheets] == list(range(1, labels + 1))


def test_beyond_a_thousand_labels_some_of_all_over_are_shown(tmp_path):
    sheets = sheets_of(tmp_path, [("train", label, 1) for label in range(1, 3 * MOST_LABELS + 1)])
    assert [sheet.label for sheet in sheets] == list(range(2, 3 * MOST_LABELS + 1, 3))


def test_labels_without_images_have_no_sheet(tmp_path):
    rejected = LabelRow(label=1, text="cat", written=(0,), rejected=3)
    rows = table([])
    assert make_sheets(Rows(open_folder(str(tmp_path), {}), rows, rows.select(WIDE)), rows, [rejected]) == ()
