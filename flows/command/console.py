"""Summaries, plans and audits on a terminal."""

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from imagerecords.schemas.audit import Audit
from imagerecords.schemas.messages import plural, printable, skipped_phrase
from imagerecords.schemas.receipt import ASKED_FOR
from imagerecords.schemas.summary import BuildSummary, PlanSummary

TOTALS = 3  # rows below the labels of a plan; with boxes one more
WIDEST = 10_000  # columns of a table
NOTE = "note:", "yellow"
PROBLEMS = 200  # of an audit that are printed


def print_summary(console: Console, summary: BuildSummary) -> None:
    """Print the summary of a build."""
    header, rows = summary.table()
    table = _table(*header)
    for row in rows:
        table.add_row(*row)
    _print_whole(console, table)
    shards = f"{plural(summary.shards_converted, 'shard')} converted, {summary.shards_reused:,} reused"
    speed = f"{summary.seconds:,.1f} s, {summary.images_per_second:,.0f} images/s"
    _say(console, f"{plural(summary.labels, 'label')}, {shards}, {speed}")
    _say_skipped(console, summary.skipped)
    if known := summary.known_phrase():
        _say(console, known)
    for share in summary.shares:
        _say(console, share.line())
    if summary.boxes:
        _say(console, summary.boxes.line())
        for reason in summary.boxes.reasons:
            _say(console, reason.line())
    _print_findings(console, summary)
    if summary.data_card:
        _say(console, f" {summary.data_card}", "data card:")
    if summary.complete:
        _say(console, f"digest {summary.digest}  {summary.output_directory}")
    else:
        _say(console, f" {summary.output_directory}", "not complete:", "bold red")


def _print_findings(console: Console, summary: BuildSummary) -> None:
    """Print what was found, and the first rejected images."""
    if summary.finding_lines:
        _say(console, "", f"found, the most severe first{'; the data card shows them' if summary.data_card else ''}:")
    for line in summary.finding_lines:
        _say(console, f"  {line}")
    if limit := summary.findings.limit_of_near():
        _say(console, limit)
    rejected = sum(count for split in summary.splits for reason, count in split.rejected.items() if reason not in ASKED_FOR)
    if summary.first_rejected:
        shown = len(summary.first_rejected)
        _say(console, "", "rejected:" if shown == rejected else f"rejected, the first {shown} of {rejected:,}:")
    for line in summary.first_rejected:
        _say(console, f"  {line}")


def print_plan(console: Console, plan: PlanSummary) -> None:
    """Print a plan, with columns of new images where it adds to a data set; its errors go to standard error."""
    if plan.splits:
        header, rows = plan.table()
        table = _table(*header)
        for number, row in enumerate(rows):
            is_total = number >= len(rows) - TOTALS - (plan.boxes is not None)
            table.add_row(*(Text(printable(cell)) for cell in row), style="bold" if is_total else None)
        _print_whole(console, table)
    for share in plan.shares:
        _say(console, share.line())
    if plan.boxes:
        _say(console, plan.boxes.line())
        for reason in plan.boxes.reasons:
            _say(console, f" {reason.line()}", *NOTE)
    _say_skipped(console, plan.skipped)
    for note in plan.notes:
        _say(console, f" {note}", *NOTE)
    if plan.splits or not plan.errors:
        _say(console, f"dry run: nothing was written to {plan.output_directory}")


def print_audit(console: Console, audit: Audit) -> None:
    """Print the problems, one per line, the notes, and what was read."""
    for problem in audit.problems[:PROBLEMS]:
        _say(console, str(problem))
    if len(audit.problems) > PROBLEMS:
        _say(console, f"… and {len(audit.problems) - PROBLEMS:,} more: see --json")
    for note in audit.notes:
        _say(console, f" {note}", *NOTE)
    skipped = f" ({audit.skipped_bytes:,} skipped)" if audit.skipped_bytes else ""
    what = f"{plural(audit.files, 'file')}, {plural(audit.records, 'record')}, {plural(audit.bytes, 'byte')}{skipped}"
    _say(console, f"{what}: {plural(len(audit.problems), 'problem')}")


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(first)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _print_whole(console: Console, table: Table) -> None:
    """Print a table with whole cells, however narrow the console is: ten folds have names of one width only."""
    width = console.width
    console.width = WIDEST
    console.width = max(width, Measurement.get(console, console.options, table).maximum)
    console.print(table)
    console.width = width


def _say_skipped(console: Console, counts: dict[str, int]) -> None:
    if counts:
        _say(console, f"skipped: {skipped_phrase(counts)}")


def _say(console: Console, text: str, lead: str = "", style: str = "bold") -> None:
    """Print text from outside as it is, after a lead that a terminal shows in a style: no markup, no wrapping."""
    console.print(Text.assemble((lead, style), printable(text)), highlight=False, soft_wrap=True)
