"""Standard error for people: lines, and a build's progress."""

import io
import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from imagerecords.flows.progress import BAR, BarProgress, LineProgress, Progress
from imagerecords.schemas.messages import plural, printable
from imagerecords.schemas.summary import BuildSummary

ERROR = "error:"
RED, PLAIN = "\033[1;31m", "\033[0m"  # bold red, on terminals with colours


def print_line(text: str) -> None:
    """Print a line for people; names of files in it can't control the terminal."""
    text = printable(text)
    if text.startswith(ERROR) and _has_colours(Console(stderr=True)):
        text = f"{RED}{ERROR}{PLAIN}{text.removeprefix(ERROR)}"
    print(f"imagerecords: {text}", file=sys.stderr, flush=True)


def _has_colours(console: Console) -> bool:
    return console.color_system not in (None, "windows") and not console.no_color


def escape_unknown_characters() -> None:
    """Have characters that the terminal's encoding lacks (cron's, LC_ALL=C) printed escaped, instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def drop_closed_output() -> bool:
    """Whether nobody reads standard output any more (`… | head`); what is still printed is then dropped without an error."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), select.POLLOUT)
    closed = any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    if closed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return closed


@contextmanager
def shown(what: str, unit: str = "") -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal that something is done in the block; the function moves its bar to a number of `unit`s, of how many.

    Nothing is printed elsewhere, and nothing stays.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done, _total: None
        return
    counts, time = TextColumn("{task.fields[counts]}"), TimeElapsedColumn()
    with Bar(TextColumn("{task.description}"), BarColumn(BAR), counts, time, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None, counts="")

        def move(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total if total > 1 else None, counts=f"{done:,}/{plural(total, unit)}")

        yield move


def terminal_progress(report: Callable[[BuildSummary], None]) -> Progress:
    """A bar on a terminal, lines elsewhere; `report` gets the summary."""
    console = Console(stderr=True)
    return BarProgress(console, report) if console.is_terminal else LineProgress(print_line, report)
