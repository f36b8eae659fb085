"""What people see: summaries and plans as tables, on a rich console."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from imagerecords.schemas.audit import Audit
from imagerecords.schemas.boxes import BoxCounts
from imagerecords.schemas.messages import plural
from imagerecords.schemas.summary import BoxSummary, BuildSummary, PlanSummary

TOTALS = 3  # rows below the labels of a plan; with boxes one more
FAULTS = 200  # of an audit that are printed


def print_summary(console: Console, summary: BuildSummary) -> None:
    """The closing table of a build."""
    header, rows = summary.table()
    table = _table(*header)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    shards = f"{summary.shards_converted:,} shards converted, {summary.shards_reused:,} kept"
    speed = f"{summary.seconds:,.1f} s, {summary.images_per_second:,.0f} images/s"
    _say(console, f"{summary.labels:,} labels, {shards}, {speed}{_passed_over(summary.skipped)}")
    if summary.boxes:
        _say(console, boxes_text(summary.boxes))
        for reason in summary.boxes.reasons:
            _say(console, reason.line())
    if findings := "; ".join(summary.findings.phrases()):
        _say(console, f"found: {findings}")
    _say(console, f"digest {summary.digest}  {summary.output_directory}")


def print_plan(console: Console, plan: PlanSummary) -> None:
    """What a build would do, with columns of what is new where it adds to a data set; its errors go to standard error."""
    if plan.splits:
        header, rows = plan.table()
        table = _table(*header)
        for number, row in enumerate(rows):
            if number == len(rows) - TOTALS - (plan.boxes is not None):
                table.add_section()
            table.add_row(*map(Text, row))
        console.print(table)
    if plan.boxes:
        _say(console, boxes_text(plan.boxes))
        for reason in plan.boxes.reasons:
            _say(console, f"note: {reason.line()}")
    for note in plan.notes:
        _say(console, f"note: {note}")
    _say(console, f"nothing written to {plan.output_directory}{_passed_over(plan.skipped)}")


def print_audit(console: Console, audit: Audit) -> None:
    """The problems, a line each, what is unusual, and what was read."""
    for fault in audit.problems[:FAULTS]:
        _say(console, str(fault))
    if len(audit.problems) > FAULTS:
        _say(console, f"… and {len(audit.problems) - FAULTS:,} more problems: see --json")
    for note in audit.notes:
        _say(console, f"note: {note}")
    skipped = f" ({audit.skipped_bytes:,} skipped)" if audit.skipped_bytes else ""
    what = f"{audit.files:,} files, {audit.records:,} records, {audit.bytes:,} bytes{skipped}"
    _say(console, f"{what}: {len(audit.problems):,} problems")


def boxes_text(boxes: BoxSummary | BoxCounts) -> str:
    """The counts of boxes in a line, without those that are 0."""
    counts = {name.replace("_", " "): count for name, count in boxes if isinstance(count, int) and count}
    return f"{plural(counts.pop('found', 0), 'box', 'boxes')} found" + "".join(
        f", {count:,} {name}" for name, count in counts.items()
    )


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _passed_over(counts: dict[str, int]) -> str:
    return "; passed over: " + ", ".join(f"{count:,} {what}" for what, count in counts.items()) if counts else ""


def _say(console: Console, text: str) -> None:
    """Print text from outside as it is: no markup, no wrapping."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)
