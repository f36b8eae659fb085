"""The books of a data set: images found, written and rejected, and boxes; for each split and label they must balance."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.boxes import BoxCounts
from imagerecords.schemas.errors import AccountingError
from imagerecords.schemas.output_files import MANIFEST
from imagerecords.schemas.plan import PlanHeader
from imagerecords.schemas.receipt import REJECTED, WRITTEN, Reason, VerifiedShard
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.summary import BoxSummary, SplitSummary
from imagerecords.tasks.storage.folders import Folder


@dataclass
class SplitCounts:
    """Images by label in one split."""

    found: Counter[int] = field(default_factory=Counter)
    written: Counter[int] = field(default_factory=Counter)
    rejected: Counter[int] = field(default_factory=Counter)
    removed: Counter[int] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    verified: list[VerifiedShard] = field(default_factory=list)
    boxes: Counter[str] = field(default_factory=Counter)

    def add(self, planned: pa.Table, receipt: pa.Table, verified: VerifiedShard, with_boxes: bool) -> None:
        """Enter a shard: what was planned, what became of it, and what reading it back told."""
        self.found += Counter(planned["label"].to_pylist())
        self.written += _labels_with(receipt, "status", WRITTEN)
        self.rejected += _labels_with(receipt, "status", REJECTED)
        self.removed += _labels_with(receipt, "reason", Reason.REMOVED)
        self.reasons += Counter(receipt["reason"].drop_null().to_pylist())
        self.verified.append(verified)
        self.boxes += _count_boxes(planned, receipt) if with_boxes else Counter()


def _labels_with(receipt: pa.Table, column: str, value: str) -> Counter[int]:
    return Counter(receipt.filter(pc.equal(receipt[column], value))["label"].to_pylist())


def _count_boxes(planned: pa.Table, receipt: pa.Table) -> Counter[str]:
    """A shard's boxes: those written, and those of images that were rejected."""
    of_rejected = planned.filter(pc.is_null(receipt["boxes"]))["boxes"]
    return Counter(
        written=pc.sum(receipt["boxes"]).as_py() or 0,
        of_rejected_images=pc.sum(pc.list_value_length(of_rejected)).as_py() or 0,
        images_with_boxes=pc.sum(pc.greater(receipt["boxes"], 0)).as_py() or 0,
    )


def balance_boxes(found: BoxCounts, books: Iterable[SplitCounts], output: Folder) -> BoxSummary:
    """The books of boxes; raises AccountingError when a planned one is unaccounted for."""
    counts: Counter[str] = sum((book.boxes for book in books), Counter())
    if found.planned != counts["written"] + counts["of_rejected_images"]:
        raise AccountingError(
            f"boxes planned must be written or of rejected images, got {found.planned} planned, {counts['written']} written, "
            f"{counts['of_rejected_images']} of rejected: {output.url}. Report this with _build/: it is a fault of ours"
        )
    return BoxSummary(
        found=found.found,
        written=counts["written"],
        clamped=found.clamped,
        dropped=found.dropped,
        of_no_image=found.of_no_image,
        of_rejected_images=counts["of_rejected_images"],
        images_with_boxes=counts["images_with_boxes"],
        left_out=found.left_out,
        reasons=found.reasons,
    )


def balance(split: str, book: SplitCounts, header: PlanHeader, output: Folder) -> None:
    """Raise AccountingError when an image of a split is unaccounted for."""
    for label in sorted(book.found | book.written | book.rejected):
        found, written, rejected = book.found[label], book.written[label], book.rejected[label]
        if found != written + rejected:
            raise AccountingError(
                f"images found must be written or rejected, got {found} found, {written} written, {rejected} rejected of "
                f"label {header.label_text(label)!r} in {split}: {output.url}. Report this with _build/: it is a fault of ours"
            )
    records = sum(verified.records for verified in book.verified)
    if records != book.written.total():
        raise AccountingError(
            f"records read back must equal images written, got {records} and {book.written.total()} in {split}: "
            f"{output.url}. Run the build again"
        )


def over_budget(split: str, book: SplitCounts, header: PlanHeader, settings: BuildSettings) -> Iterable[str]:
    """Where more was rejected than the settings allow, or a label was left empty; what was asked for does not count."""
    asked_for = {Reason.DUPLICATE, Reason.REMOVED}  # so neither here nor there
    left_out = sum(book.reasons[reason] for reason in asked_for)
    found, rejected = book.found.total() - left_out, book.rejected.total() - left_out
    if found and rejected / found > settings.max_rejected_fraction:
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(book.reasons.items()) if reason not in asked_for)
        yield (
            f"at most {settings.max_rejected_fraction:.1%} of the {split} images may be rejected, got {rejected} of {found} "
            f"({reasons}). See {MANIFEST}, then mend them or raise --max_rejected_fraction"
        )
    for label in sorted(book.found):
        if not book.written[label] and book.found[label] > book.removed[label]:
            yield (
                f"each label must keep an image, got all {book.found[label]} of {header.label_text(label)!r} in {split} "
                f"rejected. See {MANIFEST}"
            )


def summary_of(split: str, book: SplitCounts, *, with_boxes: bool) -> SplitSummary:
    """What the closing summary tells of a split."""
    return SplitSummary(
        split=split,
        found=book.found.total(),
        written=book.written.total(),
        rejected=dict(sorted(book.reasons.items())),
        shards=len(book.verified),
        bytes=sum(verified.bytes for verified in book.verified),
        boxes=book.boxes["written"] if with_boxes else None,
    )
