"""Standard error for people: lines, and a build's progress."""

import os
import select
import sys
from collections.abc import Callable

from rich.console import Console

from imagerecords.flows.progress import BarProgress, LineProgress, Progress
from imagerecords.schemas.messages import printable
from imagerecords.schemas.summary import BuildSummary


def print_line(text: str) -> None:
    """Print a line for people; names of files in it can't control the terminal."""
    print(f"imagerecords: {printable(text)}", file=sys.stderr, flush=True)


def drop_closed_output() -> bool:
    """Whether nobody reads standard output any more (`… | head`); what is still printed is then dropped without an error."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), select.POLLOUT)
    closed = any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    if closed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return closed


def terminal_progress(report: Callable[[BuildSummary], None]) -> Progress:
    """A bar on a terminal, lines elsewhere; `report` gets the summary."""
    console = Console(stderr=True)
    return BarProgress(console, report) if console.is_terminal else LineProgress(print_line, report)
