"""The contact sheet of the data card: sample images of each label.

Images are taken at even distances in the manifest's order, so from all shards, and as many from each split: the same ones for
the same data set, wherever the page is built. Their number per label depends on the number of labels.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from imagerecords.schemas.data_card import LabelRow, Picture, Sheet
from imagerecords.tasks.data_card.histograms import places
from imagerecords.tasks.data_card.pictures import of_row, with_pictures
from imagerecords.tasks.data_card.rows import Rows

MOST_PER_LABEL = 12
MOST_PICTURES = 480  # with this many labels or more, each has one picture
MOST_LABELS = 1000
BUDGET = 3_000_000  # characters of all pictures here
# The longer side in pixels by the largest number of pictures.
SIDES = ((240, 192), (MOST_PICTURES, 144), (MOST_LABELS, 112))


def make_sheets(rows: Rows, written: pa.Table, labels: Sequence[LabelRow]) -> tuple[Sheet, ...]:
    """One sheet per label that has images, for at most MOST_LABELS labels."""
    present = [label for label in labels if label.total]
    chosen = [present[number] for number in spread(len(present), MOST_LABELS)]
    per_label = min(MOST_PER_LABEL, max(1, MOST_PICTURES // max(1, len(chosen))))
    sample = _sample(written, [label.label for label in chosen], per_label)
    by_round = sorted((number, label, place) for label, places in sample.items() for number, place in enumerate(places))
    side = next(side for most, side in SIDES if len(by_round) <= most)
    numbers = rows.written()[np.array([place for *_, place in by_round], np.int64)]
    images = [of_row(rows.folder, row) for row in rows.take(numbers)]
    # Round by round, so that if the budget ends, the labels' numbers of pictures differ by one at most.
    pictures: dict[int, list[Picture]] = {}
    for (_, label, _), picture in zip(by_round, with_pictures(images, side, BUDGET), strict=True):
        pictures.setdefault(label, []).append(picture)
    return tuple(Sheet(label.label, label.text, label.total, tuple(pictures[label.label])) for label in chosen)


def spread(count: int, most: int) -> Iterator[int]:
    """At most `most` of the numbers below `count`, at even distances."""
    shown = min(count, most)
    return ((2 * number + 1) * count // (2 * shown) for number in range(shown))


def _sample(written: pa.Table, labels: Sequence[int], per_label: int) -> dict[int, list[int]]:
    """Places in `written` by label, at most `per_label` each, shared evenly among its splits, the remainder to the first."""
    label = written["label"].to_numpy()
    split = places(written["split"], written["split"].unique().to_pylist())
    order = np.lexsort((split, label))
    starts = (np.diff(label[order]) != 0) | (np.diff(split[order]) != 0)
    by_label: dict[int, list[np.ndarray]] = {}
    for rows in np.split(order, np.flatnonzero(starts) + 1) if order.size else ():
        by_label.setdefault(int(label[rows[0]]), []).append(rows)
    sample: dict[int, list[int]] = {}
    for number in labels:
        splits = by_label[number]
        shares = [per_label // len(splits) + (place < per_label % len(splits)) for place in range(len(splits))]
        sample[number] = [int(rows[at]) for rows, share in zip(splits, shares, strict=True) for at in spread(len(rows), share)]
    return sample
