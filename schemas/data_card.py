"""The data card as data: all that report.html says, before it is a page.

Texts are plain: the page escapes them. Nothing here depends on who built the data set, where, when, or on how many workers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from imagerecords.schemas.findings import Findings
from imagerecords.schemas.messages import plural

ALL_SPLITS = ""
FEW_PICTURES = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a build ended: what keeps the data set from being complete, what was found over the whole of it, and its digest.

    The digest is empty where the data set is not complete or not ours.
    """

    is_complete: bool
    problems: tuple[str, ...] = ()
    findings: Findings = field(default_factory=Findings)
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A small picture of an image; `source` is a data URI, empty where no picture could be made; sizes are in pixels."""

    name: str
    split: str
    label: int
    text: str
    source: str = ""
    width: int = 0
    height: int = 0
    boxes: int = 0

    @property
    def alternative(self) -> str:
        """What it shows, for those who do not see it."""
        boxes = f", {plural(self.boxes, 'box', 'boxes')}" if self.boxes else ""
        return f"{self.text}, {self.split}: {self.name}{boxes}"


@dataclass(frozen=True, slots=True)
class SplitRow:
    """The books of a split; `bytes` are those of its records."""

    split: str
    found: int
    written: int
    rejected: int
    shards: int
    bytes: int


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A label's images: written by split, in the order of the report's splits, and rejected."""

    label: int
    text: str
    written: tuple[int, ...]
    rejected: int

    @property
    def total(self) -> int:
        """All that were written."""
        return sum(self.written)


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar chart: a name and a count for each bar; `ticks` are what stands below some, by the bar's number.

    A split's name is the split that is counted, ALL_SPLITS that all are.
    """

    title: str
    split: str
    names: tuple[str, ...]
    counts: tuple[int, ...]
    ticks: Mapping[int, str] = field(default_factory=dict)
    is_horizontal: bool = False
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Sample pictures of a label, of all its written images."""

    label: int
    text: str
    images: int
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to look at: its pictures side by side, and what is to say about them."""

    note: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of problem: how many there are in all, and some of them; `key` is its anchor on the page.

    Without a count it is no problem as such: the images at one end of a scale, which every data set has.
    """

    key: str
    title: str
    explanation: str
    count: int | None = None
    unit: str = "image"
    cases: tuple[Case, ...] = ()

    @property
    def unshown(self) -> int:
        """How many are not on the page."""
        return max(0, (self.count or 0) - len(self.cases))


@dataclass(frozen=True, slots=True)
class Report:
    """The whole card."""

    outcome: Outcome
    has_manifest: bool
    splits: tuple[SplitRow, ...]
    labels: tuple[LabelRow, ...]
    label_charts: tuple[Bars, ...]
    figure_charts: tuple[Bars, ...]
    sheets: tuple[Sheet, ...]
    problems: tuple[Problem, ...]
    skipped: Mapping[str, int] = field(default_factory=dict)
    boxes: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    version: str = ""

    @property
    def images(self) -> int:
        """All written images."""
        return sum(split.written for split in self.splits)

    @property
    def split_names(self) -> tuple[str, ...]:
        """The splits, in their order."""
        return tuple(split.split for split in self.splits)

    @property
    def has_boxes(self) -> bool:
        """Whether a picture has boxes."""
        return any(picture.boxes for sheet in self.sheets for picture in sheet.pictures)

    @property
    def is_compact(self) -> bool:
        """Whether labels have so few pictures that they stand side by side."""
        return max((len(sheet.pictures) for sheet in self.sheets), default=0) <= FEW_PICTURES

    def caps(self) -> Iterator[str]:
        """What the contact sheet leaves out for the page's size, in sentences."""
        present = sum(label.total > 0 for label in self.labels)
        if len(self.sheets) < present:
            yield f"{len(self.sheets):,} of {present:,} labels are here, at even distances: the page has room for no more."
        missing = sum(not picture.source for sheet in self.sheets for picture in sheet.pictures)
        if missing:
            yield f"{missing:,} pictures are missing, for want of room or because they can't be drawn."
