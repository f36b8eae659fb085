"""The summary of a build or a plan; printed as a table, or as JSON with --json."""

from pydantic import BaseModel, ConfigDict

from imagerecords.schemas.boxes import BoxCounts, BoxReason, BoxTotals
from imagerecords.schemas.findings import FindingCounts
from imagerecords.schemas.html_table import html_table
from imagerecords.schemas.messages import plural
from imagerecords.schemas.shares import SplitShare

MIB = 2**20


class SplitSummary(BaseModel):
    """The counts of one split; bytes are those of its shards."""

    model_config = ConfigDict(frozen=True)

    split: str
    found: int
    written: int
    rejected: dict[str, int]
    shards: int
    bytes: int
    boxes: int | None = None


class BoxSummary(BoxTotals):
    """The counts of boxes: found = written + dropped + of no image + excluded + of rejected images.

    Clamped ones are counted among the written and those of rejected images; `reasons` has the first of those that were not
    written, or not as in their file.
    """

    found: int
    written: int
    clamped: int
    dropped: int
    of_no_image: int
    of_rejected_images: int
    images_with_boxes: int
    excluded: int = 0
    reasons: tuple[BoxReason, ...] = ()


class Timeline(BaseModel):
    """When a build began, began its first shard, had its last shard validated, and ended; Unix seconds."""

    model_config = ConfigDict(frozen=True)

    began: float
    first_shard_began: float
    last_shard_validated: float
    ended: float


class BuildSummary(BaseModel):
    """The closing summary of a build; `digest` is the same for the same data set, wherever and however it was built.

    `images_known` were not decoded, since an earlier build has done so.
    Of one that is not `complete`, over the budget of rejected images or with duplicates that the settings forbid, it is that of
    the shards. `finding_lines` are the findings in words, `first_rejected` the first three rejected images with their reasons.
    """

    model_config = ConfigDict(frozen=True)

    output_directory: str
    runner: str
    labels: int
    splits: tuple[SplitSummary, ...]
    skipped: dict[str, int]
    shards_converted: int
    shards_reused: int
    images_known: int = 0
    seconds: float
    images_per_second: float
    timeline: Timeline
    findings: FindingCounts = FindingCounts()
    digest: str
    complete: bool = True
    boxes: BoxSummary | None = None
    shares: tuple[SplitShare, ...] = ()
    finding_lines: tuple[str, ...] = ()
    first_rejected: tuple[str, ...] = ()
    data_card: str | None = None

    def known_phrase(self) -> str:
        """How many images were not decoded, since an earlier build has; empty for none."""
        if not self.images_known:
            return ""
        return f"{plural(self.images_known, 'image')} known from earlier builds and not decoded again"

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """The header and a row per split, as text."""
        with_boxes = self.boxes is not None
        header = ("split", "found", "written", "rejected", "shards", "MiB", *(["boxes"] * with_boxes))
        rows: list[tuple[str, ...]] = []
        for split in self.splits:
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in split.rejected.items())
            mebibytes = f"{split.bytes / MIB:,.1f}"
            boxes = [f"{split.boxes or 0:,}"] * with_boxes
            counts = (f"{split.found:,}", f"{split.written:,}", reasons or "0", f"{split.shards:,}", mebibytes)
            rows.append((split.split, *counts, *boxes))
        return header, rows

    def _repr_html_(self) -> str:
        findings = self.findings.phrases()
        boxes = [reason.line() for reason in self.boxes.reasons] if self.boxes else []
        known = [phrase] if (phrase := self.known_phrase()) else []
        shares = [share.line() for share in self.shares]
        limit = [phrase] if (phrase := self.findings.limit_of_near()) else []
        below = [f"{self.output_directory}, {self.seconds:,.1f} s, digest {self.digest}", *known, *findings, *limit, *boxes]
        return html_table(*self.table(), [*shares, *below])


class PlannedSplit(BaseModel):
    """The counts of one split before a build; bytes are those of the input files."""

    model_config = ConfigDict(frozen=True)

    split: str
    images: int
    bytes: int
    shards: int
    labels: dict[str, int]
    boxes: int | None = None


class PlanSummary(BaseModel):
    """The counts before a build, and the errors that would stop it; `new` is what it would add to an existing data set.

    `images_known` have the size and version of images that an earlier build has decoded.
    """

    model_config = ConfigDict(frozen=True)

    output_directory: str
    splits: tuple[PlannedSplit, ...]
    new: tuple[PlannedSplit, ...] | None = None
    skipped: dict[str, int]
    notes: tuple[str, ...]
    errors: tuple[str, ...]
    boxes: BoxCounts | None = None
    images_known: int = 0
    shares: tuple[SplitShare, ...] = ()

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """The header and a row per label, as text; then the totals: images, MiB, shards, and boxes where there are some."""
        splits = [*self.splits, *(split.model_copy(update={"split": f"new {split.split}"}) for split in self.new or ())]
        labels = sorted({label for split in self.splits for label in split.labels})
        rows = [(label, *(f"{split.labels.get(label, 0):,}" for split in splits)) for label in labels]
        rows.append(("images", *(f"{split.images:,}" for split in splits)))
        rows.append(("MiB", *(f"{split.bytes / MIB:,.1f}" for split in splits)))
        rows.append(("shards", *(f"{split.shards:,}" for split in splits)))
        if self.boxes is not None:
            rows.append(("boxes", *(f"{split.boxes or 0:,}" for split in splits)))
        return ("label", *(split.split for split in splits)), rows

    def _repr_html_(self) -> str:
        boxes = [reason.line() for reason in self.boxes.reasons] if self.boxes else []
        notes = (f"note: {note}" for note in (*boxes, *self.notes))
        shares = (share.line() for share in self.shares)
        return html_table(*self.table(), [*shares, *notes, *(f"error: {m}" for m in self.errors)])
