"""Accounting, by split and label: each image found must be written or rejected, and each of its boxes too."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.boxes import BoxCounts
from imagerecords.schemas.errors import AccountingError
from imagerecords.schemas.labels import NO_LABEL
from imagerecords.schemas.messages import plural
from imagerecords.schemas.output_files import MANIFEST, REPORT
from imagerecords.schemas.plan import PlanHeader
from imagerecords.schemas.receipt import REJECTED, WRITTEN, Reason, VerifiedShard
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.summary import BoxSummary, SplitSummary
from imagerecords.tasks.dataset.label_columns import label_counts
from imagerecords.tasks.storage.folders import Folder


@dataclass
class SplitCounts:
    """Images by label in one split, and the number of `images` that were found, written and rejected.

    They are fewer than those by label where images have several labels.
    """

    images: Counter[str] = field(default_factory=Counter)
    found: Counter[int] = field(default_factory=Counter)
    written: Counter[int] = field(default_factory=Counter)
    rejected: Counter[int] = field(default_factory=Counter)
    removed: Counter[int] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    verified: list[VerifiedShard] = field(default_factory=list)
    boxes: Counter[str] = field(default_factory=Counter)

    def add(self, planned: pa.Table, receipt: pa.Table, verified: VerifiedShard, with_boxes: bool) -> None:
        """Add a shard: its planned rows, its receipt, and the result of verifying it."""
        written = int(pc.sum(pc.equal(receipt["status"], WRITTEN)).as_py() or 0)
        self.images.update(found=planned.num_rows, written=written, rejected=receipt.num_rows - written)
        self.found.update(label_counts(planned))  # += would go through all labels for each shard
        self.written.update(_labels_with(receipt, "status", WRITTEN))
        self.rejected.update(_labels_with(receipt, "status", REJECTED))
        self.removed.update(_labels_with(receipt, "reason", Reason.REMOVED))
        self.reasons.update(receipt["reason"].drop_null().to_pylist())
        self.verified.append(verified)
        self.boxes += _count_boxes(planned, receipt) if with_boxes else Counter()


def _labels_with(receipt: pa.Table, column: str, value: str) -> Counter[int]:
    return label_counts(receipt.filter(pc.equal(receipt[column], value)))


def _count_boxes(planned: pa.Table, receipt: pa.Table) -> Counter[str]:
    """A shard's boxes: those written, and those of images that were rejected."""
    of_rejected = planned.filter(pc.is_null(receipt["boxes"]))["boxes"]
    return Counter(
        written=pc.sum(receipt["boxes"]).as_py() or 0,
        of_rejected_images=pc.sum(pc.list_value_length(of_rejected)).as_py() or 0,
        images_with_boxes=pc.sum(pc.greater(receipt["boxes"], 0)).as_py() or 0,
    )


def box_summary(found: BoxCounts, splits: Iterable[SplitCounts], output: Folder) -> BoxSummary:
    """The counts of boxes; raises AccountingError when a planned one is unaccounted for."""
    counts: Counter[str] = sum((split.boxes for split in splits), Counter())
    if found.planned != counts["written"] + counts["of_rejected_images"]:
        raise AccountingError(
            f"boxes are unaccounted for: {found.planned:,} planned, {counts['written']:,} written, "
            f"{counts['of_rejected_images']:,} of rejected images: {output.url}. This is a bug: please report it with _build/"
        )
    return BoxSummary(
        found=found.found,
        written=counts["written"],
        clamped=found.clamped,
        dropped=found.dropped,
        of_no_image=found.of_no_image,
        of_rejected_images=counts["of_rejected_images"],
        images_with_boxes=counts["images_with_boxes"],
        excluded=found.excluded,
        reasons=found.reasons,
    )


def refuse_unaccounted(split: str, counts: SplitCounts, header: PlanHeader, output: Folder) -> None:
    """Raise AccountingError when an image of a split is unaccounted for."""
    for label in sorted(counts.found | counts.written | counts.rejected):
        found, written, rejected = counts.found[label], counts.written[label], counts.rejected[label]
        if found != written + rejected:
            raise AccountingError(
                f"images are unaccounted for: {found:,} found, {written:,} written, {rejected:,} rejected of label "
                f"{header.label_text(label)!r} in {split}: {output.url}. This is a bug: please report it with _build/"
            )
    records = sum(verified.records for verified in counts.verified)
    if records != (written := counts.images["written"]):
        raise AccountingError(
            f"{plural(records, 'record')} read back, {plural(counts.images['written'], 'image')} written in {split}: "
            f"{output.url}. Run the build again"
        )


def over_budget(split: str, counts: SplitCounts, header: PlanHeader, settings: BuildSettings) -> Iterable[str]:
    """Where more was rejected than the settings allow, or a label was left empty; what was asked for does not count."""
    asked_for = {Reason.DUPLICATE, Reason.REMOVED}  # counted neither as found nor as rejected
    excluded = sum(counts.reasons[reason] for reason in asked_for)
    found, rejected = counts.images["found"] - excluded, counts.images["rejected"] - excluded
    if found and rejected / found > settings.max_rejected_fraction:
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(counts.reasons.items()) if reason not in asked_for)
        yield (
            f"at most {settings.max_rejected_fraction:.1%} of the {split} images may be rejected, got {rejected:,} of "
            f"{found:,} ({reasons}). See {REPORT} and {MANIFEST}, then correct, delete or --exclude them, or raise "
            "--max_rejected_fraction"
        )
    for label in sorted(counts.found.keys() - {NO_LABEL}):
        if not counts.written[label] and counts.found[label] > counts.removed[label]:
            yield (
                f"every image of label {header.label_text(label)!r} in {split} was rejected "
                f"({plural(counts.found[label], 'image')}). See {REPORT} and {MANIFEST}"
            )


def summary_of(split: str, counts: SplitCounts, *, with_boxes: bool) -> SplitSummary:
    """The closing summary of a split."""
    return SplitSummary(
        split=split,
        found=counts.images["found"],
        written=counts.images["written"],
        rejected=dict(sorted(counts.reasons.items())),
        shards=len(counts.verified),
        bytes=sum(verified.bytes for verified in counts.verified),
        boxes=counts.boxes["written"] if with_boxes else None,
    )
