"""The numbers of the data card: every image is in one bin, bins are named by what they hold, counts add up."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagerecords.schemas.data_card import ALL_SPLITS
from imagerecords.schemas.receipt import COLUMNS
from imagerecords.schemas.summary import SplitSummary
from imagerecords.tasks.data_card.histograms import (
    bytes_text,
    label_rows,
    metric_charts,
    size_points,
    split_summaries,
)

REASONS = {"rejected": "truncated"}


def rows(*images):
    """A manifest's rows of (split, label, status), with what else is not null in any of them."""
    plain = {"shard": "train-00000-of-00002", "size": 100, "width": 20, "height": 10, "source_size": 50}
    made = [
        plain | {"split": split, "label": label, "text": f"label {label}", "status": status, "reason": REASONS.get(status)}
        for split, label, status in images
    ]
    return pa.Table.from_pylist(made, schema=COLUMNS)


COUNTED = rows(
    ("train", 2, "written"),
    ("train", 1, "written"),
    ("train", 1, "rejected"),
    ("validation", 1, "written"),
    ("validation", 1, "written"),
    ("validation", 3, "rejected"),
)


def test_splits_come_in_the_manifests_order_with_their_counts():
    train, validation = split_summaries(COUNTED)
    rejected = {"truncated": 1}
    assert train == SplitSummary(split="train", found=3, written=2, rejected=rejected, shards=2, bytes=200)
    assert (validation.split, validation.found, validation.written, validation.rejected) == ("validation", 3, 2, rejected)


def test_labels_come_by_id_with_zeros_where_a_split_has_none():
    labels = label_rows(COUNTED, ["train", "validation"])
    assert [(label.label, label.written, label.rejected) for label in labels] == [
        (1, (1, 2), 1),
        (2, (1, 0), 0),
        (3, (0, 0), 1),
    ]
    assert [label.total for label in labels] == [3, 1, 0]


def sized(widths):
    made = [{"split": "train", "width": width, "height": 7, "source_size": 9} for width in widths]
    return pa.Table.from_pylist(made, schema=COLUMNS)


def charts_of(table, splits=("train",)):
    return {(chart.title, chart.split): chart for _, chart in metric_charts(table, splits)}


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=60))
def test_every_width_is_in_the_one_bin_whose_name_says_so(widths):
    chart = charts_of(sized(widths))["Width", ALL_SPLITS]
    ends = [[int(end.removesuffix(" px").replace(",", "")) for end in name.split(" to ")] for name in chart.names]
    assert list(chart.counts) == [sum(each[0] <= width <= each[-1] for width in widths) for each in ends]
    assert sum(chart.counts) == len(widths)
    assert [first for first, *_ in ends[1:]] == [last + 1 for *_, last in ends[:-1]]


def test_far_values_share_a_bar_instead_of_flattening_the_chart():
    """Ninety-nine pictures of some 500 pixels, and one of 90,000: linear, with the last bar beyond the scale."""
    chart = charts_of(sized([*range(450, 549), 90_000]))["Width", ALL_SPLITS]
    assert (chart.scale, chart.cut) == ("linear", (0, 1))
    assert chart.names[-1] == "549 px to 90,000 px"
    assert chart.counts[-1] == 1
    assert max(chart.counts) < 8


@pytest.mark.parametrize(("widths", "scale"), [(range(100, 200), "linear"), ([2**at for at in range(12)] * 9, "log")])
def test_a_chart_says_how_its_bars_grow(widths, scale):
    assert charts_of(sized(widths))["Width", ALL_SPLITS].scale == scale


def test_sizes_are_counted_and_the_extreme_ones_are_always_there(monkeypatch):
    assert size_points(sized([3, 3, 9])) == (((3, 7, 2), (9, 7, 1)), 0)
    monkeypatch.setattr("imagerecords.tasks.data_card.histograms.MOST_SIZES", 1)
    assert size_points(sized([5, 5, 3, 9, 6])) == (((3, 7, 1), (5, 7, 2), (9, 7, 1)), 1)
    assert size_points(sized([])) == ((), 0)


def test_splits_share_the_bins_of_all_images_so_that_they_can_be_compared():
    table = pa.concat_tables([sized([10, 20]), sized([900]).set_column(0, "split", pa.array(["test"]))])
    charts = charts_of(table, ["train", "test"])
    train, test, everything = (charts["Width", split] for split in ("train", "test", ALL_SPLITS))
    assert train.names == test.names == everything.names
    assert np.array_equal(np.add(train.counts, test.counts), everything.counts)


def test_metrics_that_no_image_has_get_no_chart():
    """Manifests of older versions have no brightness; a folder without images has nothing at all."""
    titles = {title for title, _ in charts_of(sized([3]))}
    assert titles == {"Width", "Height", "Aspect, width by height", "Bytes of an image file"}
    assert charts_of(sized([])) == {}
    assert charts_of(sized([3]).drop_columns(["brightness"])).keys() == charts_of(sized([3])).keys()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (123_456, "123 kB"), (7_654_321, "7.7 MB"), (5e15, "5000 TB")],
)
def test_bytes_are_printed_with_a_fitting_unit(value, text):
    assert bytes_text(value) == text
