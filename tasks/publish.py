"""publish: the books must balance; then manifest and sidecars, and dataset_info.json last."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from imagerecords.schemas.data_card import Outcome
from imagerecords.schemas.errors import BooksDoNotBalance, OverBudget, UnwantedCopies
from imagerecords.schemas.findings import Findings, GroupExample
from imagerecords.schemas.output_files import CLASS_LABELS, CROISSANT, DATASET_INFO, FEATURES, LABELS, MANIFEST, REPORT
from imagerecords.schemas.plan import PlanHeader
from imagerecords.schemas.receipt import REJECTED, Verdict
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.summary import BoxSummary, SplitSummary
from imagerecords.tasks.dataset.accounting import Books, balance, balance_boxes, over_budget, summary_of
from imagerecords.tasks.dataset.croissant import croissant_json
from imagerecords.tasks.dataset.digest import dataset_digest
from imagerecords.tasks.dataset.labels_file import labels_text
from imagerecords.tasks.dataset.manifest import manifest_sha256, manifest_writer, read_manifest
from imagerecords.tasks.dataset.plan_file import read_plan_header, read_whole_plan
from imagerecords.tasks.dataset.receipts import read_receipt
from imagerecords.tasks.dataset.tfds import class_labels_text, dataset_info_json, features_json
from imagerecords.tasks.findings.find import find
from imagerecords.tasks.storage.folders import Folder, open_folder, open_output


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


def publish_dataset(verdicts: list[Verdict], settings: BuildSettings) -> Published:
    """Close the books and write manifest and sidecars.

    Within the budget of rejected images dataset_info.json is written, last; over it, or with copies that the settings do not
    want, the manifest is there to tell why, the data set stays incomplete, and `problems` and `unwanted` say what is wrong.
    Raises BooksDoNotBalance when an image is unaccounted for.
    """
    return publish(open_output(settings), verdicts, settings.storage_options if settings.report else None, settings)


def publish(
    output: Folder, verdicts: list[Verdict], card: Mapping[str, Any] | None, settings: BuildSettings | None = None
) -> Published:
    """The same for an output whose plan and receipts are there; without settings there is no budget, and nothing unwanted.

    `card` are the storage options by which the data card finds rejected images; None where no card is wanted.
    """
    header = read_plan_header(output)
    by_name = {verdict.shard: verdict for verdict in verdicts}
    books = _write_manifest(output, header, by_name)
    for split, book in books.items():
        balance(split, book, header, output)
    boxes = balance_boxes(header.boxes, books.values(), output) if header.boxes else None
    splits = {split: book.verdicts for split, book in books.items()}
    digest = dataset_digest((shard.shard, shard.sha256) for shards in splits.values() for shard in shards)
    problems: list[str] = []
    findings, unwanted = find(output), []
    if settings:
        problems = [problem for split, book in books.items() for problem in over_budget(split, book, header, settings)]
        unwanted = list(_unwanted(findings, settings))
    complete = not problems and not unwanted
    if complete:
        output.write(LABELS, labels_text(header.labels))
        output.write(CLASS_LABELS, class_labels_text(header.labels))
        output.write(FEATURES, features_json(header.labels, header.extras))
        output.write(CROISSANT, croissant_json(header.labels, splits, manifest_sha256(output)))
    outcome = Outcome(complete, (*problems, *unwanted), findings, digest if complete else "")
    _write_card(output, card, outcome)
    if complete:
        output.write(DATASET_INFO, dataset_info_json(splits))
    summaries = tuple(summary_of(split, book) for split, book in books.items())
    return Published(
        splits=summaries,
        labels=len(header.labels),
        passed_over=header.passed_over,
        digest=digest,
        findings=findings,
        problems=tuple(problems),
        unwanted=tuple(unwanted),
        boxes=boxes,
    )


def _write_card(output: Folder, card: Mapping[str, Any] | None, outcome: Outcome) -> None:
    """Write report.html, or remove another build's where none is wanted."""
    if card is None:
        output.remove(REPORT)
        return
    from imagerecords.tasks.data_card.gather import write_report  # with all that it draws by; plan and audit get along without

    write_report(output, outcome, card)


def _write_manifest(output: Folder, header: PlanHeader, verdicts: dict[str, Verdict]) -> dict[str, Books]:
    """Write manifest.parquet and count; one receipt is in memory at a time."""
    books: dict[str, Books] = {}
    with manifest_writer(output, header) as write:
        for shard, planned in read_whole_plan(output):
            receipt = read_receipt(output, shard.name)
            if receipt is None:
                raise BooksDoNotBalance(f"each shard must have a receipt, got none: {output.join(shard.name)}. Build again")
            write(receipt)
            book = books.setdefault(shard.split, Books())
            book.add(planned, receipt, verdicts[shard.name], with_boxes=bool(header.boxes))
    return books


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


def rejected_images(output_directory: str, storage_options: Mapping[str, Any], most: int) -> list[dict[str, Any]]:
    """The first `most` rejected images of a data set's manifest: split, path, reason and message."""
    output = open_folder(output_directory, storage_options)
    rows = read_manifest(output, ["split", "path", "reason", "message", "status"])
    rejected = rows.filter(pc.equal(rows["status"], REJECTED)).drop_columns("status").slice(0, most)
    return list(rejected.to_pylist())
