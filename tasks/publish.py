"""publish: the books must balance; then manifest and sidecars, and dataset_info.json last."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.boxes import BoxCounts
from schemas.errors import BooksDoNotBalance, OverBudget, UnwantedCopies
from schemas.findings import Findings, GroupExample
from schemas.layout import CLASS_LABELS, CROISSANT, DATASET_INFO, FEATURES, LABELS, MANIFEST, REPORT
from schemas.plan import EXTRAS_KEY, METADATA_KEY, PlanHeader
from schemas.receipt import COLUMNS, REJECTED, WRITTEN, Reason, Verdict
from schemas.report import Outcome
from schemas.settings import BuildSettings
from schemas.summary import BoxSummary, SplitSummary
from tasks.croissant import croissant_json
from tasks.findings import find
from tasks.prepare import read_plan_header, read_whole_plan
from tasks.receipts import read_receipt
from tasks.sidecars import class_labels_text, dataset_info_json, features_json, labels_text
from tasks.storage import Folder, open_folder, open_output


@dataclass(frozen=True)
class Published:
    """What a published data set says of itself: its books, and a digest over the names and SHA-256 of its shards."""

    splits: tuple[SplitSummary, ...]
    labels: int
    passed_over: dict[str, int]
    digest: str
    findings: Findings
    problems: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    boxes: BoxSummary | None = None

    def refuse_incomplete(self) -> None:
        """Raise when the data set was not made complete: OverBudget for what was rejected, else UnwantedCopies."""
        if self.problems:
            raise OverBudget("\n".join((*self.problems, *self.unwanted)))
        if self.unwanted:
            raise UnwantedCopies("\n".join(self.unwanted))


@dataclass
class _Books:
    """Images by label in one split."""

    found: Counter[int] = field(default_factory=Counter)
    written: Counter[int] = field(default_factory=Counter)
    rejected: Counter[int] = field(default_factory=Counter)
    removed: Counter[int] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    verdicts: list[Verdict] = field(default_factory=list)
    boxes: Counter[str] = field(default_factory=Counter)


def publish_dataset(verdicts: list[Verdict], settings: BuildSettings) -> Published:
    """Close the books and write manifest and sidecars.

    Within the budget of rejected images dataset_info.json is written, last; over it, or with copies that the settings do not
    want, the manifest is there to tell why, the data set stays incomplete, and `problems` and `unwanted` say what is wrong.
    Raises BooksDoNotBalance when an image is unaccounted for.
    """
    return publish(open_output(settings), verdicts, settings)


def publish(output: Folder, verdicts: list[Verdict], settings: BuildSettings | None) -> Published:
    """The same for an output whose plan and receipts are there; without settings there is no budget, and nothing unwanted."""
    header = read_plan_header(output)
    by_name = {verdict.shard: verdict for verdict in verdicts}
    books = _write_manifest(output, header, by_name)
    for split, book in books.items():
        _balance(split, book, header, output)
    boxes = _balance_boxes(header.boxes, books.values(), output) if header.boxes else None
    splits = {split: book.verdicts for split, book in books.items()}
    digest = hashlib.sha256("".join(f"{v.sha256}  {v.shard}\n" for each in splits.values() for v in each).encode())
    problems: list[str] = []
    findings, unwanted = find(output), []
    if settings:
        problems = [problem for split, book in books.items() for problem in _over_budget(split, book, header, settings)]
        unwanted = list(_unwanted(findings, settings))
    complete = not problems and not unwanted
    if complete:
        output.write(LABELS, labels_text(header.labels))
        output.write(CLASS_LABELS, class_labels_text(header.labels))
        output.write(FEATURES, features_json(header.labels, header.extras))
        output.write(CROISSANT, croissant_json(header.labels, splits, _manifest_sha256(output)))
    outcome = Outcome(complete, (*problems, *unwanted), findings, digest.hexdigest() if complete else "")
    _write_card(output, settings, outcome)
    if complete:
        output.write(DATASET_INFO, dataset_info_json(splits))
    summaries = tuple(_summary(split, book) for split, book in books.items())
    return Published(
        splits=summaries,
        labels=len(header.labels),
        passed_over=header.passed_over,
        digest=digest.hexdigest(),
        findings=findings,
        problems=tuple(problems),
        unwanted=tuple(unwanted),
        boxes=boxes,
    )


def _write_card(output: Folder, settings: BuildSettings | None, outcome: Outcome) -> None:
    """Write report.html, or remove another build's where none is wanted."""
    if settings is None or settings.report:
        from tasks.report import write_report  # with all that it draws by; plan and audit get along without

        write_report(output, outcome, settings.storage_options if settings else {})
    else:
        output.remove(REPORT)


def _write_manifest(output: Folder, header: PlanHeader, verdicts: dict[str, Verdict]) -> dict[str, _Books]:
    """Write manifest.parquet, a row group a shard, and count; one receipt is in memory at a time."""
    books: dict[str, _Books] = {}
    extras = ",".join(header.extras)
    schema = COLUMNS.with_metadata({METADATA_KEY: header.digest.encode(), EXTRAS_KEY: extras.encode()})
    with output.write_whole(MANIFEST) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for shard, planned in read_whole_plan(output):
            receipt = read_receipt(output, shard.name)
            if receipt is None:
                raise BooksDoNotBalance(f"each shard must have a receipt, got none: {output.join(shard.name)}. Build again")
            writer.write_table(receipt.replace_schema_metadata(schema.metadata), row_group_size=max(1, receipt.num_rows))
            book = books.setdefault(shard.split, _Books())
            book.found += Counter(planned["label"].to_pylist())
            book.written += _labels_with(receipt, "status", WRITTEN)
            book.rejected += _labels_with(receipt, "status", REJECTED)
            book.removed += _labels_with(receipt, "reason", Reason.REMOVED)
            book.reasons += Counter(receipt["reason"].drop_null().to_pylist())
            book.verdicts.append(verdicts[shard.name])
            book.boxes += _count_boxes(planned, receipt) if header.boxes else Counter()
    return books


def _manifest_sha256(output: Folder) -> str:
    digest = hashlib.sha256()
    with output.open(MANIFEST) as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


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


def _balance_boxes(found: BoxCounts, books: Iterable[_Books], output: Folder) -> BoxSummary:
    """The books of boxes; raises BooksDoNotBalance when a planned one is unaccounted for."""
    counts: Counter[str] = sum((book.boxes for book in books), Counter())
    if found.planned != counts["written"] + counts["of_rejected_images"]:
        raise BooksDoNotBalance(
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
    )


def _balance(split: str, book: _Books, header: PlanHeader, output: Folder) -> None:
    for label in sorted(book.found | book.written | book.rejected):
        found, written, rejected = book.found[label], book.written[label], book.rejected[label]
        if found != written + rejected:
            raise BooksDoNotBalance(
                f"images found must be written or rejected, got {found} found, {written} written, {rejected} rejected of "
                f"label {header.label_text(label)!r} in {split}: {output.url}. Report this with _build/: it is a fault of ours"
            )
    records = sum(verdict.records for verdict in book.verdicts)
    if records != book.written.total():
        raise BooksDoNotBalance(
            f"records read back must equal images written, got {records} and {book.written.total()} in {split}: "
            f"{output.url}. Run the build again"
        )


def _over_budget(split: str, book: _Books, header: PlanHeader, settings: BuildSettings) -> Iterable[str]:
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


def _unwanted(findings: Findings, settings: BuildSettings) -> Iterable[str]:
    exact, examples = findings.counts.exact, findings.exact
    if settings.leakage == "fail" and exact.across_splits.groups:
        yield (
            f"no image may be in two splits with leakage=fail, got {exact.across_splits.images} images of "
            f"{exact.across_splits.groups} contents: {_named(examples.across_splits[0])}. Remove them from one split, or pass "
            "--duplicates drop"
        )
    if settings.duplicates == "fail" and exact.total.groups:
        first = (*examples.across_splits, *examples.across_labels, *examples.within)[0]
        yield (
            f"each image must be there once with duplicates=fail, got {exact.total.images} images of {exact.total.groups} "
            f"contents: {_named(first)}. See sha256 in {MANIFEST}, then remove them, or pass --duplicates drop"
        )


def _named(group: GroupExample) -> str:
    return " = ".join(f"{image.path} in {image.split}" for image in group.members[:2])


def _summary(split: str, book: _Books) -> SplitSummary:
    return SplitSummary(
        split=split,
        found=book.found.total(),
        written=book.written.total(),
        rejected=dict(sorted(book.reasons.items())),
        shards=len(book.verdicts),
        bytes=sum(verdict.bytes for verdict in book.verdicts),
    )


def rejected_images(output_directory: str, storage_options: Mapping[str, Any], most: int) -> list[dict[str, Any]]:
    """The first `most` rejected images of a data set's manifest: split, path, reason and message."""
    output = open_folder(output_directory, storage_options)
    columns = ["split", "path", "reason", "message"]
    with output.open(MANIFEST) as file:
        rows = pq.read_table(file, columns=columns, filters=[("status", "=", REJECTED)])
    rejected: list[dict[str, Any]] = rows.slice(0, most).to_pylist()
    return rejected
