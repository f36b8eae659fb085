"""Standard error for people: lines, and a build's progress."""

import sys
from collections.abc import Callable

from rich.console import Console

from imagerecords.flows.progress import BarProgress, LineProgress, Progress
from imagerecords.schemas.messages import printable
from imagerecords.schemas.summary import BuildSummary


def print_line(text: str) -> None:
    """Print a line for people; names of files in it can't control the terminal."""
    print(f"imagerecords: {printable(text)}", file=sys.stderr, flush=True)


def terminal_progress(report: Callable[[BuildSummary], None]) -> Progress:
    """A bar on a terminal, lines elsewhere; `report` gets the summary."""
    console = Console(stderr=True)
    return BarProgress(console, report) if console.is_terminal else LineProgress(print_line, report)
