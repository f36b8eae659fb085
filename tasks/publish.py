"""publish: the counts are checked; then come the manifest and the files beside it, and dataset_info.json last."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from imagerecords.schemas.data_card import Outcome
from imagerecords.schemas.findings import Findings, GroupExample
from imagerecords.schemas.messages import plural
from imagerecords.schemas.output_files import MANIFEST, REPORT
from imagerecords.schemas.published import Published
from imagerecords.schemas.receipt import VerifiedShard
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.shares import SplitShare, shares_of
from imagerecords.tasks.dataset.accounting import over_budget, summary_of
from imagerecords.tasks.dataset.completion import Accounts, write_dataset_info, write_files_beside, write_manifest
from imagerecords.tasks.dataset.findings_file import write_findings
from imagerecords.tasks.dataset.known_file import remove_known
from imagerecords.tasks.dataset.manifest import first_rejected
from imagerecords.tasks.findings.find import find_and_list
from imagerecords.tasks.storage.folders import Folder, open_output
from imagerecords.tasks.storage.lock import refuse_if_lock_lost

REJECTED_SHOWN = 3


def _quietly(_: str) -> None:
    """Show no step."""


def publish_dataset(
    verified: list[VerifiedShard], settings: BuildSettings, build: str = "", doing: Callable[[str], None] = _quietly
) -> Published:
    """Check that every image is accounted for, and write the manifest and the files beside it; `doing` gets what is written.

    Within the budget of rejected images dataset_info.json is written, last. Over it, or with duplicates that the settings
    forbid, the data set stays incomplete: the manifest shows why, and `problems` and `unwanted` say what is wrong.
    Raises AccountingError when an image is unaccounted for, OutputLocked when the output's lock is no longer that of `build`.
    """
    output = open_output(settings)
    refuse_if_lock_lost(output, build)
    output = replace(output, guard=partial(refuse_if_lock_lost, output, build))  # a suspended build may go on at any line
    doing("manifest")
    accounts = write_manifest(output, verified)
    header = accounts.header
    doing("findings")
    findings, listed = find_and_list(output)
    write_findings(output, listed)
    problems = tuple(
        problem for split, counts in accounts.splits.items() for problem in over_budget(split, counts, header, settings)
    )
    unwanted = tuple(_unwanted(findings, settings))
    complete = not problems and not unwanted
    if complete:
        refuse_if_lock_lost(output, build)
        write_files_beside(output, accounts)
    outcome = Outcome(complete, (*problems, *unwanted), findings, accounts.digest if complete else "")
    if settings.report:
        doing("data card")
    _write_card(output, outcome, settings)
    if complete:
        refuse_if_lock_lost(output, build)  # the data card takes its time, and a suspended build takes any
        remove_known(output)  # first: `remove` of a complete data set must leave no image behind
        write_dataset_info(output, accounts)
    rejected = any(sum(counts.reasons.values()) for counts in accounts.splits.values())
    return Published(
        splits=tuple(summary_of(split, counts, with_boxes=bool(header.boxes)) for split, counts in accounts.splits.items()),
        labels=len(header.labels),
        skipped=header.skipped,
        digest=accounts.digest,
        findings=findings,
        problems=problems,
        unwanted=unwanted,
        boxes=accounts.boxes,
        first_rejected=first_rejected(output, REJECTED_SHOWN) if rejected else (),
        shares=_shares(accounts, settings),
    )


def _shares(accounts: Accounts, settings: BuildSettings) -> tuple[SplitShare, ...]:
    """The share of each split, by the images that were written of each label."""
    name = accounts.header.label_name
    written = {
        split: {name(label): counts.written[label] for label in sorted(counts.found)}
        for split, counts in accounts.splits.items()
    }
    return shares_of(written, settings.asked_shares())


def _write_card(output: Folder, outcome: Outcome, settings: BuildSettings) -> None:
    """Write report.html, or remove that of an earlier build where none is wanted."""
    if not settings.report:
        output.remove(REPORT)
        return
    from imagerecords.tasks.data_card.gather import write_report  # slow: it imports what draws charts

    write_report(output, outcome, settings.storage_options, reuse=settings.reuse)


def _unwanted(findings: Findings, settings: BuildSettings) -> Iterable[str]:
    exact, examples = findings.counts.exact, findings.exact
    if settings.leakage == "fail" and exact.across_splits.groups:
        yield (
            f"{plural(exact.across_splits.images, 'image')} in more than one split, in "
            f"{plural(exact.across_splits.groups, 'group')} of duplicates (leakage=fail). First: "
            f"{_example(examples.across_splits[0])}. Remove them from one split, or pass --duplicates drop"
        )
    if settings.duplicates == "fail" and exact.total.groups:
        first = (*examples.across_splits, *examples.across_labels, *examples.within)[0]
        yield (
            f"{plural(exact.total.images, 'image')} in {plural(exact.total.groups, 'group')} of duplicates (duplicates=fail). "
            f"First: {_example(first)}. See sha256 in {MANIFEST}, then remove them, or pass --duplicates drop"
        )


def _example(group: GroupExample) -> str:
    return " = ".join(f"{image.path} in {image.split}" for image in group.members[:2])
