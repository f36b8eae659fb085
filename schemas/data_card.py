"""The data card as data: the content of report.html, before it is rendered.

Texts are plain: the page escapes them. Nothing here depends on who built the data set, where, when, or on how many workers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from imagerecords.schemas.about import About
from imagerecords.schemas.findings import Findings
from imagerecords.schemas.messages import plural
from imagerecords.schemas.summary import SplitSummary

ALL_SPLITS = ""
SEVERITIES = ("high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a build: why the data set is not complete, the findings, and its digest.

    The digest is empty where the data set is not complete or not built by imagerecords.
    """

    is_complete: bool
    problems: tuple[str, ...] = ()
    findings: Findings = field(default_factory=Findings)
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A box on a picture: its edges from 0 to 1, and its label's id, 0 where it has none."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float
    label: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """An image with a small picture of it as a data URI, empty where none could be made; `width` and `height` are its pixels.

    `row` is the image's row in the manifest; `record` is None for a rejected image, whose `note` says why. `camera` and
    `is_grey` are what the image's bytes say. Pictures with the same `key` are the same; it is empty where none is known.
    """

    path: str
    split: str
    label: int
    text: str
    data_uri: str = ""
    width: int = 0
    height: int = 0
    boxes: tuple[Box, ...] = ()
    row: int = -1
    shard: str = ""
    record: int | None = None
    source_format: str = ""
    note: str = ""
    camera: str = ""
    is_grey: bool = False
    key: str = ""

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]

    @property
    def alternative(self) -> str:
        """The text in place of the picture, for screen readers."""
        boxes = f", {plural(len(self.boxes), 'box', 'boxes')}" if self.boxes else ""
        return f"{self.text}, {self.split}: {self.name}{boxes}"


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A label's images: the written ones by split, in the order of the report's splits, and the rejected ones."""

    label: int
    text: str
    written: tuple[int, ...]
    rejected: int

    @property
    def total(self) -> int:
        """The number of written images."""
        return sum(self.written)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of each written image on the page: its title, and the words for its low and its high end.

    `values` and `percentiles` are by row of the manifest, for the images on the page that have one.
    """

    key: str
    title: str
    low: str
    high: str
    values: Mapping[int, float] = field(default_factory=dict)
    percentiles: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar chart of a metric: a name and a count per bar; `ticks` are the texts below some bars, by the bar's number.

    `split` is the split that is counted, or ALL_SPLITS. `edges` are the bars' ends, one more than there are bars. `scale` is
    how they grow, "linear" or "log"; `cut` is how many bars at each end hold all that lies beyond the scale.
    """

    key: str
    title: str
    split: str
    names: tuple[str, ...]
    counts: tuple[int, ...]
    edges: tuple[float, ...] = ()
    ticks: Mapping[int, str] = field(default_factory=dict)
    scale: str = "linear"
    cut: tuple[int, int] = (0, 0)
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Category:
    """Counts by name, such as of formats; `key` is what the pictures are chosen by, `note` says what was counted."""

    key: str
    title: str
    note: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Case:
    """One example of a problem: its pictures side by side, by row of the manifest, and a note about them.

    `label` is the id of the label that the case is about, where it is about one.
    """

    note: str
    rows: tuple[int, ...] = ()
    label: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of problem: the number of its occurrences, and some of them; `key` is its anchor on the page."""

    key: str
    title: str
    severity: str
    explanation: str
    advice: str
    count: int
    unit: str = "image"
    cases: tuple[Case, ...] = ()

    @property
    def unshown(self) -> int:
        """The number of occurrences that are not on the page."""
        return max(0, self.count - len(self.cases))


@dataclass(frozen=True, slots=True)
class Report:
    """The whole data card.

    `sizes` are width, height and number of images, `omitted_sizes` is the number of images whose size is not among them.
    `version` is that of imagerecords, `about` has the data set's own.
    """

    outcome: Outcome
    has_manifest: bool
    splits: tuple[SplitSummary, ...]
    labels: tuple[LabelRow, ...]
    charts: tuple[Bars, ...] = ()
    metrics: tuple[Metric, ...] = ()
    sizes: tuple[tuple[int, int, int], ...] = ()
    omitted_sizes: int = 0
    categories: tuple[Category, ...] = ()
    pictures: tuple[Picture, ...] = ()
    problems: tuple[Problem, ...] = ()
    hints: tuple[str, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    boxes: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    about: About | None = None

    @property
    def title(self) -> str:
        """The data set's name and version; empty where nobody has named it."""
        named = self.about is not None and self.about.name != About().name
        return f"{self.about.name} {self.about.version}" if self.about and named else ""

    @property
    def images(self) -> int:
        """The number of written images."""
        return sum(split.written for split in self.splits)

    @property
    def rejected(self) -> int:
        """The number of rejected images."""
        return sum(split.found for split in self.splits) - self.images

    @property
    def split_names(self) -> tuple[str, ...]:
        """The splits, in their order."""
        return tuple(split.split for split in self.splits)

    def scope(self) -> str:
        """A sentence on how many of the images have a picture on the page."""
        drawn = sum(bool(picture.data_uri) for picture in self.pictures if picture.record is not None or not picture.note)
        whole = plural(self.images, "image")
        if drawn >= self.images:
            return f"All {whole} of the data set have a picture in this file."
        return (
            f"{drawn:,} of {whole} have a picture in this file: those of the problems, the ends of each metric, and an even "
            "sample of each label and split. The others are in the shards, and in manifest.parquet."
        )
