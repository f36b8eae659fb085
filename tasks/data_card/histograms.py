"""The numbers of the data card: the counts of splits and labels, and histograms, from a manifest's columns."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.data_card import ALL_SPLITS, Bars, LabelRow
from imagerecords.schemas.messages import plural
from imagerecords.schemas.output_files import parse_shard_name
from imagerecords.schemas.receipt import REJECTED, WRITTEN
from imagerecords.schemas.summary import SplitSummary

BINS = 24
TICKS = 5
WIDE = 20  # if the largest value is this many times the smallest, bins grow by a factor instead of a step
UNITS = ("B", "kB", "MB", "GB", "TB")
MOST_BARS = 40  # labels that have a bar each; with more the card counts labels by their images


@dataclass(frozen=True)
class Metric:
    """A metric of images for a histogram: its title, its values (NaN where there is none), and a value's text.

    Bins of a wide range grow by a factor, but not those of a share, which ends at 1 and may begin at 0.
    """

    title: str
    values: np.ndarray
    text: Callable[[float], str]
    is_whole: bool = False
    is_share: bool = False


def split_summaries(rows: pa.Table) -> tuple[SplitSummary, ...]:
    """The counts of each split, in the order of the rows."""
    counted = rows.group_by(["split", "shard", "reason"]).aggregate([([], "count_all"), ("size", "sum")]).to_pylist()
    summaries = []
    for split in rows["split"].unique().to_pylist():
        of_split = [row for row in counted if row["split"] == split]
        rejected: Counter[str] = Counter()
        for row in of_split:
            if row["reason"] is not None:
                rejected[row["reason"]] += row["count_all"]
        found = sum(row["count_all"] for row in of_split)
        shards = {row["shard"] for row in of_split}
        in_names = [parts.count for shard in shards if (parts := parse_shard_name(shard))]
        summaries.append(
            SplitSummary(
                split=split,
                found=found,
                written=found - rejected.total(),
                rejected=dict(sorted(rejected.items())),
                shards=max(in_names, default=len(shards)),
                bytes=sum(row["size_sum"] or 0 for row in of_split if row["reason"] is None),
            )
        )
    return tuple(summaries)


def label_rows(rows: pa.Table, splits: Sequence[str]) -> tuple[LabelRow, ...]:
    """The images of each label, in the order of their ids."""
    counted = rows.group_by(["label", "text", "split", "status"]).aggregate([([], "count_all")]).to_pylist()
    texts: dict[int, str] = {}
    counts: dict[tuple[int, str, str], int] = {}
    for row in counted:
        texts.setdefault(row["label"], row["text"])
        key = row["label"], row["split"], row["status"]
        counts[key] = counts.get(key, 0) + row["count_all"]
    return tuple(
        LabelRow(
            label=label,
            text=texts[label],
            written=tuple(counts.get((label, split, WRITTEN), 0) for split in splits),
            rejected=sum(counts.get((label, split, REJECTED), 0) for split in splits),
        )
        for label in sorted(texts)
    )


def label_charts(labels: Sequence[LabelRow], splits: Sequence[str]) -> Iterator[Bars]:
    """One chart per split: one bar per label, or with many labels a histogram of their images."""
    for number, split in enumerate(splits):
        counts = [label.written[number] for label in labels]
        most = plural(max(counts, default=0), "image")
        summary = f"{plural(len(counts), 'label')}, from {min(counts, default=0):,} to {most}"
        if len(labels) <= MOST_BARS:
            names = tuple(label.text for label in labels)
            yield Bars(f"Images per label in {split}", split, names, tuple(counts), is_horizontal=True, summary=summary)
        else:
            metric = Metric(f"Labels by their images in {split}", np.array(counts, np.float64), _whole(""), is_whole=True)
            yield _histogram(metric, split, metric.values, _edges(metric))


def metric_charts(written: pa.Table, splits: Sequence[str]) -> Iterator[Bars]:
    """Histograms of sizes and image quality, of all images and of each split, with the same bins."""
    split_of = places(written["split"], splits)
    for metric in _metrics(written):
        if not np.isfinite(metric.values).any():
            continue
        edges = _edges(metric)
        yield _histogram(metric, ALL_SPLITS, metric.values, edges)
        for number, split in enumerate(splits if len(splits) > 1 else ()):
            yield _histogram(metric, split, metric.values[split_of == number], edges)


def _metrics(written: pa.Table) -> Iterator[Metric]:
    width, height = column(written, "width"), column(written, "height")
    yield Metric("Width", width, _whole("px"), is_whole=True)
    yield Metric("Height", height, _whole("px"), is_whole=True)
    yield Metric("Aspect, width by height", width / np.where(height > 0, height, np.nan), lambda value: f"{value:.2f}")
    yield Metric("Bytes of an image file", column(written, "source_size"), bytes_text, is_whole=True)
    for name, what in (("brightness", "Brightness, 0 to 1"), ("contrast", "Contrast, 0 to 1")):
        yield Metric(what, column(written, name), lambda value: f"{value:.2f}", is_share=True)
    yield Metric("Sharpness", column(written, "sharpness"), lambda value: f"{value:.2g}")


def column(table: pa.Table, name: str) -> np.ndarray:
    """A column as floats, NaN where it is null or missing (manifests of older versions do not have all)."""
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    values: np.ndarray = pc.cast(table[name], pa.float64()).to_numpy()
    return values


def places(texts: pa.ChunkedArray, among: Sequence[str]) -> np.ndarray:
    """The position of each text in `among`."""
    found: np.ndarray = pc.index_in(texts.cast(pa.string()), pa.array(among, pa.string())).to_numpy()
    return found


def _edges(metric: Metric) -> np.ndarray:
    values = metric.values[np.isfinite(metric.values)]
    low, high = float(values.min()), float(values.max())
    if low == high and not metric.is_whole:
        return np.array([low, np.nextafter(high, math.inf)])
    steps = min(BINS, int(high - low) + 1) if metric.is_whole else BINS
    is_wide = low > 0 and high / low >= WIDE and not metric.is_share
    edges = np.geomspace(low, high, steps + 1) if is_wide else np.linspace(low, high, steps + 1)
    edges[0], edges[-1] = low, high
    if metric.is_whole:  # between whole numbers, so that each bin contains one and can be named by its ends
        return np.append(np.unique(np.ceil(edges[:-1])) - 0.5, high + 0.5)
    return edges


def _histogram(metric: Metric, split: str, values: np.ndarray, edges: np.ndarray) -> Bars:
    finite = np.sort(values[np.isfinite(values)])
    counts = np.histogram(finite, edges)[0]
    ends = list(itertools.pairwise(edges.tolist()))
    if metric.is_whole:
        ends = [(math.ceil(low), math.floor(high)) for low, high in ends]
    names = [metric.text(low) if low == high else f"{metric.text(low)} to {metric.text(high)}" for low, high in ends]
    shown = sorted({round(number) for number in np.linspace(0, len(names) - 1, min(TICKS, len(names)))})
    summary = "no images"
    if finite.size:
        least, middle, most = (metric.text(float(value)) for value in (finite[0], finite[finite.size // 2], finite[-1]))
        summary = f"all {least}" if least == most else f"from {least} to {most}, half of them up to {middle}"
    ticks = {number: metric.text(ends[number][0]) for number in shown}
    return Bars(metric.title, split, tuple(names), tuple(counts.tolist()), ticks, summary=summary)


def _whole(unit: str) -> Callable[[float], str]:
    return lambda value: f"{value:,.0f} {unit}".rstrip()


def bytes_text(value: float) -> str:
    """A number of bytes as a short text, in powers of ten."""
    power = min(len(UNITS) - 1, int(math.log10(value)) // 3) if value >= 1 else 0
    scaled = value / 1000**power
    return f"{scaled:.0f} {UNITS[power]}" if scaled >= 100 or not power else f"{scaled:.1f} {UNITS[power]}"
