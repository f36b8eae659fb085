"""A build's progress in a Jupyter notebook: one display below the cell, redrawn; no widgets have to be installed."""

import importlib
import sys
import time
from collections.abc import Callable
from html import escape
from typing import Any

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
        self._phase = ""
        self._done = self._images = 0
        self._began = self._drawn = 0.0

    def note(self, text: str) -> None:
        """Show it above the bar."""
        self._notes.append(text)
        self._draw()

    def begin(self, phase: str, shards: int, images: int) -> None:
        """Draw an empty bar for the phase."""
        self._phase, self._images, self._done = phase, images, 0
        self._began = time.monotonic()
        self._draw()

    def advance(self, images: int) -> None:
        """Move the bar by a shard's images, redrawn a few times per second at most."""
        self._done += images
        if time.monotonic() - self._drawn >= SECONDS_BETWEEN_UPDATES:
            self._draw()

    def end(self) -> None:
        """Draw the final state."""
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
        if not self._phase:
            return notes
        rate = self._done / max(time.monotonic() - self._began, 1e-9)
        counts = f"{self._done:,} of {plural(self._images, 'image')}, {rate:,.0f} images/s"
        bar = f'<progress value="{self._done}" max="{max(self._images, 1)}"></progress>'
        return f"{notes}<div>{escape(self._phase)} {bar} {counts}</div>"
