"""Which images have a picture on the page, beside those of the problems.

Samples are as many from each split of each label, and the same ones wherever the page is built. An image's place in the sample
comes from its content, so a data set that is shuffled otherwise, or has some images more, has nearly the same sample: versions
can be compared, and most pictures are known from the card before. With the samples come the ends of each metric, and some
images of each bar, so that no bar of a chart leads to nothing.
"""

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.data_card import ALL_SPLITS, Bars, LabelRow
from imagerecords.tasks.data_card.histograms import Values, places
from imagerecords.tasks.dataset.label_columns import each_label

MOST_PICTURES = 900
MOST_LABELS = 1000  # with a sample each
LARGE_LABELS = 20  # times its even share is what a label may have, where others have few images
ENDS_SHOWN = 8
PER_BAR = 2
CONTENT = ("dhash", "source_size", "width", "height")  # columns
MIX = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio as a fraction of 2**64: it spreads neighbouring numbers

Numbers = np.ndarray


def choose(
    written: pa.Table, labels: Sequence[LabelRow], known: Collection[int], charts: Sequence[tuple[Values, Bars]]
) -> list[int]:
    """Places in `written` of images to show, the most useful first; `known` are shown anyway.

    At most MOST_PICTURES with the known ones, but always one of each label, of MOST_LABELS labels.
    """
    present = [label for label in labels if label.total]
    chosen = [present[number] for number in spread(len(present), MOST_LABELS)]
    per_label = max(1, min(MOST_PICTURES, LARGE_LABELS * MOST_PICTURES // max(1, len(chosen))))
    sample = _sample(written, [label.label for label in chosen], per_label)
    rounds = [place for _, place in sorted((number, place) for each in sample for number, place in enumerate(each))]
    first, rest = rounds[: len(chosen)], rounds[len(chosen) :]
    ordered = dict.fromkeys([*first, *_of_charts(charts), *rest])
    new = [place for place in ordered if place not in known]
    return new[: max(len(chosen), MOST_PICTURES - len(known))]


def _of_charts(charts: Sequence[tuple[Values, Bars]]) -> Iterator[int]:
    """Places of the ends of each metric, and of some images of each bar."""
    for metric, bars in charts:
        if bars.split != ALL_SPLITS:
            continue
        finite = np.flatnonzero(np.isfinite(metric.values))
        order = finite[np.argsort(metric.values[finite], kind="stable")]
        yield from order[:ENDS_SHOWN].tolist()
        yield from order[-ENDS_SHOWN:].tolist()
        bar = np.searchsorted(bars.edges[1:-1], metric.values[order], side="right")
        starts = np.searchsorted(bar, np.arange(len(bars.counts)))
        for start, count in zip(starts.tolist(), bars.counts, strict=True):
            yield from (int(order[start + at]) for at in spread(count, PER_BAR))


def spread(count: int, most: int) -> Iterator[int]:
    """At most `most` of the numbers below `count`, at even distances."""
    shown = min(count, most)
    return ((2 * number + 1) * count // (2 * shown) for number in range(shown))


def _sample(written: pa.Table, labels: Sequence[int], per_label: int) -> list[list[int]]:
    """Places in `written` by label, at most `per_label` each: one of each split in a round."""
    written, of_row = each_label(written)
    label = written["label"].to_numpy()
    split = places(written["split"], written["split"].unique().to_pylist())
    order = np.lexsort((content_order(written), split, label))
    starts = (np.diff(label[order]) != 0) | (np.diff(split[order]) != 0)
    by_label: dict[int, list[Numbers]] = {}
    for rows in np.split(order, np.flatnonzero(starts) + 1) if order.size else ():
        by_label.setdefault(int(label[rows[0]]), []).append(rows)
    sample = []
    for number in labels:
        splits = by_label[number]
        each = [rows[:per_label].tolist() for rows in splits]
        rounds = [rows[at] for at in range(max(map(len, each))) for rows in each if at < len(rows)]
        sample.append([int(of_row[place]) for place in rounds[:per_label]])
    return sample


def content_order(written: pa.Table) -> npt.NDArray[np.uint64]:
    """A number of each image that looks random and depends on its content alone, as far as the rows say."""
    mixed = np.zeros(written.num_rows, np.uint64)
    for name in [name for name in CONTENT if name in written.column_names]:
        column = pc.fill_null(written[name].cast(pa.uint64(), safe=False), 0).to_numpy()
        mixed = (mixed ^ column) * MIX
        mixed ^= mixed >> np.uint64(32)
    return mixed
