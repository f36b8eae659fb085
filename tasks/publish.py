"""publish: the books must balance; then manifest and sidecars, and dataset_info.json last."""

from collections.abc import Iterable

from imagerecords.schemas.data_card import Outcome
from imagerecords.schemas.findings import Findings, GroupExample
from imagerecords.schemas.output_files import MANIFEST, REPORT
from imagerecords.schemas.published import Published
from imagerecords.schemas.receipt import VerifiedShard
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.dataset.accounting import over_budget, summary_of
from imagerecords.tasks.dataset.completion import write_dataset_info, write_files_beside, write_manifest
from imagerecords.tasks.findings.find import find
from imagerecords.tasks.storage.folders import Folder, open_output


def publish_dataset(verified: list[VerifiedShard], settings: BuildSettings) -> Published:
    """Close the books and write manifest and sidecars.

    Within the budget of rejected images dataset_info.json is written, last; over it, or with copies that the settings do not
    want, the manifest is there to tell why, the data set stays incomplete, and `problems` and `unwanted` say what is wrong.
    Raises AccountingError when an image is unaccounted for.
    """
    output = open_output(settings)
    accounts = write_manifest(output, verified)
    header, findings = accounts.header, find(output)
    problems = tuple(
        problem for split, books in accounts.splits.items() for problem in over_budget(split, books, header, settings)
    )
    unwanted = tuple(_unwanted(findings, settings))
    complete = not problems and not unwanted
    if complete:
        write_files_beside(output, accounts)
    outcome = Outcome(complete, (*problems, *unwanted), findings, accounts.digest if complete else "")
    _write_card(output, outcome, settings)
    if complete:
        write_dataset_info(output, accounts)
    return Published(
        splits=tuple(summary_of(split, books, with_boxes=bool(header.boxes)) for split, books in accounts.splits.items()),
        labels=len(header.labels),
        skipped=header.skipped,
        digest=accounts.digest,
        findings=findings,
        problems=problems,
        unwanted=unwanted,
        boxes=accounts.boxes,
    )


def _write_card(output: Folder, outcome: Outcome, settings: BuildSettings) -> None:
    """Write report.html, or remove another build's where none is wanted."""
    if not settings.report:
        output.remove(REPORT)
        return
    from imagerecords.tasks.data_card.gather import write_report  # with all that it draws by; plan and audit get along without

    write_report(output, outcome, settings.storage_options)


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
