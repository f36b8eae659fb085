"""A build's progress in a Jupyter notebook: one display below the cell, redrawn; no widgets have to be installed."""

import importlib
import sys
import time
from collections.abc import Callable
from html import escape
from typing import Any

from imagerecords.flows.progress import Counted
from imagerecords.schemas.messages import plural
from imagerecords.schemas.summary import BuildSummary

SECONDS_BETWEEN_UPDATES = 0.2


def in_notebook() -> bool:
    """Whether this code runs in a Jupyter kernel, which shows HTML."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


class NotebookProgress:
    """A progress bar in HTML, with the notes above it."""

    def __init__(self, report: Callable[[BuildSummary], None]) -> None:
        self.report = report
        self._display: Any = None
        self._notes: list[str] = []
        self._counted = Counted()
        self._step = ""
        self._drawn = 0.0

    def note(self, text: str) -> None:
        """Show it above the bar."""
        self._notes.append(text)
        self._draw()

    def doing(self, what: str) -> None:
        """Show the step until the next one or the next phase."""
        self._step = what
        self._draw()

    def begin(self, phase: str, shards: int, images: int) -> None:
        """Draw an empty bar for the phase."""
        self._counted, self._step = Counted(phase, shards, images), ""
        self._draw()

    def within(self, images: int) -> None:
        """Move the bar by images of unfinished shards."""
        if self._counted.within(images):
            self._draw_from_time_to_time()

    def advance(self, images: int) -> None:
        """Move the bar by a shard's images, redrawn a few times per second at most."""
        self._counted.advance(images)
        self._draw_from_time_to_time()

    def _draw_from_time_to_time(self) -> None:
        if time.monotonic() - self._drawn >= SECONDS_BETWEEN_UPDATES:
            self._draw()

    def end(self) -> None:
        """Draw the final state."""
        self._step = ""
        self._draw()

    def _draw(self) -> None:
        ipython: Any = importlib.import_module("IPython.display")  # every kernel has it

        self._drawn = time.monotonic()
        page = ipython.HTML(self._html())
        if self._display is None:
            self._display = ipython.display(page, display_id=True)
        else:
            self._display.update(page)

    def _html(self) -> str:
        notes = "".join(f"<div>{escape(note)}</div>" for note in self._notes)
        step = f"<div>{escape(self._step)} <progress></progress></div>" if self._step else ""
        if not self._counted.phase:
            return notes + step
        done, images = self._counted.images_done, self._counted.images
        counts = f"{done:,} of {plural(images, 'image')}, {self._counted.rate:,.0f} images/s"
        bar = f'<progress value="{done}" max="{max(images, 1)}"></progress>'
        return f"{notes}<div>{escape(self._counted.phase)} {bar} {counts}</div>{step}"
