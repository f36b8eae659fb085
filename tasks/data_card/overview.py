"""What is counted over all images, before any picture is made."""

from dataclasses import dataclass

import pyarrow as pa

from imagerecords.schemas.data_card import ALL_SPLITS, Bars, LabelRow
from imagerecords.schemas.summary import SplitSummary
from imagerecords.tasks.data_card.histograms import Values, label_rows, metric_charts, split_summaries
from imagerecords.tasks.data_card.rows import Rows


@dataclass(frozen=True, eq=False)
class Overview:
    """A data set's rows, those of its written images, and its counts; each chart is with the metric that it counts."""

    rows: Rows
    written: pa.Table
    splits: tuple[SplitSummary, ...]
    labels: tuple[LabelRow, ...]
    charts: tuple[tuple[Values, Bars], ...]

    @property
    def split_names(self) -> list[str]:
        """The splits, in their order."""
        return [split.split for split in self.splits]

    @property
    def metrics(self) -> dict[str, Values]:
        """The metrics by key."""
        return {metric.key: metric for metric, bars in self.charts if bars.split == ALL_SPLITS}

    @property
    def texts(self) -> dict[int, str]:
        """The labels' texts by id."""
        return {label.label: label.text for label in self.labels}


def count_all(rows: Rows) -> Overview:
    """The counts of a data set."""
    splits = split_summaries(rows.narrow)
    names = [split.split for split in splits]
    written = rows.narrow.take(rows.written())
    return Overview(rows, written, splits, label_rows(rows.narrow, names), tuple(metric_charts(written, names)))
