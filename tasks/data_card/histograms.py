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
from imagerecords.schemas.output_files import parse_shard_name
from imagerecords.schemas.receipt import REJECTED, WRITTEN
from imagerecords.schemas.summary import SplitSummary
from imagerecords.tasks.dataset.label_columns import each_label

BINS = 24
TICKS = 5
WIDE = 20  # if the largest value is this many times the smallest, bins grow by a factor instead of a step
FAR = 2.0  # times the width of the middle 98 %: values further out share one bar
CUT = 0.01  # of the images on each side may lie beyond the scale
FEWEST_CUT = 20  # values; fewer are all on the scale
UNITS = ("B", "kB", "MB", "GB", "TB")
MOST_SIZES = 1200  # points of the chart of sizes


@dataclass(frozen=True)
class Scale:
    """The ends of a chart's bars, how they grow (linear or log), and how many at each end hold all that lies beyond."""

    edges: np.ndarray
    kind: str = "linear"
    cut: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Values:
    """A metric of images for a histogram: its key and title, its values (NaN where there is none), and a value's text.

    Bins of a wide range grow by a factor, but not those of a share, which ends at 1 and may begin at 0. `low` and `high` are
    the words for the ends.
    """

    key: str
    title: str
    values: np.ndarray
    text: Callable[[float], str]
    low: str
    high: str
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
    """The images of each label, in the order of their ids; one with several labels counts for each."""
    rows, _ = each_label(rows)
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


def metric_charts(written: pa.Table, splits: Sequence[str]) -> Iterator[tuple[Values, Bars]]:
    """Histograms of sizes and image quality, of all images and of each split, with the same bins; each with its metric."""
    split_of = places(written["split"], splits)
    for metric in metric_values(written):
        scale = _scale(metric)
        yield metric, _histogram(metric, ALL_SPLITS, metric.values, scale)
        for number, split in enumerate(splits if len(splits) > 1 else ()):
            yield metric, _histogram(metric, split, metric.values[split_of == number], scale)


def metric_values(written: pa.Table) -> Iterator[Values]:
    """The metrics that some image has."""
    width, height = column(written, "width"), column(written, "height")
    aspect = width / np.where(height > 0, height, np.nan)
    metrics = [
        Values("brightness", "Brightness, 0 to 1", column(written, "brightness"), _two, "dark", "bright", is_share=True),
        Values("contrast", "Contrast, 0 to 1", column(written, "contrast"), _two, "flat", "rich in contrast", is_share=True),
        Values("sharpness", "Sharpness", column(written, "sharpness"), lambda value: f"{value:.2g}", "blurred", "sharp"),
        Values("width", "Width", width, _whole("px"), "narrow", "wide", is_whole=True),
        Values("height", "Height", height, _whole("px"), "low", "high", is_whole=True),
        Values("aspect", "Aspect, width by height", aspect, _two, "upright", "elongated"),
        Values("bytes", "Bytes of an image file", column(written, "source_size"), bytes_text, "small", "large", is_whole=True),
        Values("boxes", "Boxes per image", column(written, "boxes"), _whole(""), "few boxes", "many boxes", is_whole=True),
    ]
    return (metric for metric in metrics if np.isfinite(metric.values).any())


def size_points(written: pa.Table) -> tuple[tuple[tuple[int, int, int], ...], int]:
    """Width, height and number of images of each size, the most frequent and the extreme ones first; and of how many it is not.

    The most frequent MOST_SIZES are kept, and the smallest and largest.
    """
    known = written.filter(pc.is_valid(written["width"]))
    if not known.num_rows:
        return (), 0
    known = known.group_by(["width", "height"]).aggregate([([], "count_all")])
    sizes = sorted((row["width"], row["height"], row["count_all"]) for row in known.to_pylist())
    ends = {each for key in (0, 1) for each in (min(sizes, key=lambda size: size[key]), max(sizes, key=lambda size: size[key]))}
    kept = sorted({*sorted(sizes, key=lambda size: -size[2])[:MOST_SIZES], *ends})
    return tuple(kept), sum(size[2] for size in sizes) - sum(size[2] for size in kept)


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


def _scale(metric: Values) -> Scale:
    values = metric.values[np.isfinite(metric.values)]
    least, most = float(values.min()), float(values.max())
    if least == most and not metric.is_whole:
        return Scale(np.array([least, np.nextafter(most, math.inf)]))
    low, high = _middle(values) if not metric.is_share else (least, most)
    is_log = low > 0 and high / low >= WIDE and not metric.is_share
    steps = min(BINS, int(high - low) + 1) if metric.is_whole else BINS
    edges = np.geomspace(low, high, steps + 1) if is_log else np.linspace(low, high, steps + 1)
    edges[0], edges[-1] = low, high
    if metric.is_whole:  # between whole numbers, so that each bin contains one and can be named by its ends
        edges = np.append(np.unique(np.ceil(edges[:-1])) - 0.5, math.floor(high) + 0.5)
        least, most = least - 0.5, most + 0.5
    cut = int(least < edges[0]), int(most > edges[-1])
    edges = np.concatenate([[least] * cut[0], edges, [most] * cut[1]])
    return Scale(edges, "log" if is_log else "linear", cut)


def _middle(values: np.ndarray) -> tuple[float, float]:
    """The range that the scale shows: all values, or without those that are far from the rest."""
    least, most = float(values.min()), float(values.max())
    low, high = (float(each) for each in np.quantile(values, (CUT, 1 - CUT), method="nearest"))
    far = FAR * (high - low)
    if values.size < FEWEST_CUT or low == high:
        return least, most
    return low if low - least > far else least, high if most - high > far else most


def _histogram(metric: Values, split: str, values: np.ndarray, scale: Scale) -> Bars:
    finite = np.sort(values[np.isfinite(values)])
    counts = np.histogram(finite, scale.edges)[0]
    ends = list(itertools.pairwise(scale.edges.tolist()))
    if metric.is_whole:
        ends = [(math.ceil(low), math.floor(high)) for low, high in ends]
    names = [metric.text(low) if low == high else f"{metric.text(low)} to {metric.text(high)}" for low, high in ends]
    shown = sorted({round(number) for number in np.linspace(0, len(names) - 1, min(TICKS, len(names)))})
    summary = "no images"
    if finite.size:
        least, middle, most = (metric.text(float(value)) for value in (finite[0], finite[finite.size // 2], finite[-1]))
        summary = f"all {least}" if least == most else f"from {least} to {most}, half of them up to {middle}"
    ticks = {number: metric.text(ends[number][0]) for number in shown}
    return Bars(
        metric.key,
        metric.title,
        split,
        tuple(names),
        tuple(counts.tolist()),
        tuple(scale.edges.tolist()),
        ticks,
        scale.kind,
        scale.cut,
        summary,
    )


def _whole(unit: str) -> Callable[[float], str]:
    return lambda value: f"{value:,.0f} {unit}".rstrip()


def _two(value: float) -> str:
    return f"{value:.2f}"


def bytes_text(value: float) -> str:
    """A number of bytes as a short text, in powers of ten."""
    power = min(len(UNITS) - 1, int(math.log10(value)) // 3) if value >= 1 else 0
    scaled = value / 1000**power
    return f"{scaled:.0f} {UNITS[power]}" if scaled >= 100 or not power else f"{scaled:.1f} {UNITS[power]}"
