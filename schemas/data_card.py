"""The data card as data: the content of report.html, before it is rendered.

Texts are plain: the page escapes them. Nothing here depends on who built the data set, where, when, or on how many workers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from imagerecords.schemas.findings import Findings
from imagerecords.schemas.messages import plural
from imagerecords.schemas.summary import SplitSummary

ALL_SPLITS = ""
FEW_PICTURES = 2


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
class Picture:
    """A small picture of an image as a data URI, empty where no picture could be made; sizes are in pixels."""

    name: str
    split: str
    label: int
    text: str
    data_uri: str = ""
    width: int = 0
    height: int = 0
    boxes: int = 0

    @property
    def alternative(self) -> str:
        """The text in place of the picture, for screen readers."""
        boxes = f", {plural(self.boxes, 'box', 'boxes')}" if self.boxes else ""
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
class Bars:
    """A bar chart: a name and a count per bar; `ticks` are the texts below some bars, by the bar's number.

    `split` is the split that is counted, or ALL_SPLITS.
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
    """Sample pictures of a label; `images` is the number of its written images."""

    label: int
    text: str
    images: int
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One example of a problem: its pictures side by side, and a note about them."""

    note: str
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of problem: the number of its occurrences, and some of them; `key` is its anchor on the page.

    A problem without a count shows the images at one end of a scale, which every data set has.
    """

    key: str
    title: str
    explanation: str
    count: int | None = None
    unit: str = "image"
    cases: tuple[Case, ...] = ()

    @property
    def unshown(self) -> int:
        """The number of occurrences that are not on the page."""
        return max(0, (self.count or 0) - len(self.cases))


@dataclass(frozen=True, slots=True)
class Report:
    """The whole data card."""

    outcome: Outcome
    has_manifest: bool
    splits: tuple[SplitSummary, ...]
    labels: tuple[LabelRow, ...]
    label_charts: tuple[Bars, ...]
    metric_charts: tuple[Bars, ...]
    sheets: tuple[Sheet, ...]
    problems: tuple[Problem, ...]
    skipped: Mapping[str, int] = field(default_factory=dict)
    boxes: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    version: str = ""

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

    @property
    def has_boxes(self) -> bool:
        """Whether a picture has boxes."""
        return any(picture.boxes for sheet in self.sheets for picture in sheet.pictures)

    @property
    def is_compact(self) -> bool:
        """Whether labels have so few pictures that several labels fit side by side."""
        return max((len(sheet.pictures) for sheet in self.sheets), default=0) <= FEW_PICTURES

    def caps(self) -> Iterator[str]:
        """Sentences on what the contact sheet omits to limit the page's size."""
        present = sum(label.total > 0 for label in self.labels)
        if len(self.sheets) < present:
            yield f"{len(self.sheets):,} of {plural(present, 'label')} are shown, at even distances, to limit the page's size."
        missing = sum(not picture.data_uri for sheet in self.sheets for picture in sheet.pictures)
        if missing:
            what = plural(missing, "picture is", "pictures are")
            yield f"{what} missing, to limit the page's size or because the image can't be drawn."
