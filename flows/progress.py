"""A build's progress: a bar with rate and time left on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from imagerecords.schemas.messages import plural
from imagerecords.schemas.progress import ProgressUpdate
from imagerecords.schemas.summary import BuildSummary

SECONDS_BETWEEN_LINES = 10.0


class Progress(Protocol):
    """What the pipeline reports while it runs."""

    def note(self, text: str) -> None:
        """Report something that is no error."""

    def begin(self, phase: str, shards: int, images: int) -> None:
        """A phase begins: the number of its shards and images."""

    def advance(self, images: int) -> None:
        """A shard is done: the number of its images."""

    def end(self) -> None:
        """The build has ended."""

    def report(self, summary: BuildSummary) -> None:
        """Report the summary of a build that has ended."""


class LineProgress:
    """Plain lines, at most one in ten seconds and one at each phase's begin and end."""

    def __init__(self, log: Callable[[str], None], report: Callable[[BuildSummary], None]) -> None:
        self.note = log
        self.report = report
        self._log = log
        self._phase = ""
        self._shards = self._done = self._images = self._total = 0
        self._started = self._recorded = 0.0

    @property
    def is_done(self) -> bool:
        """Whether all shards of the phase are done."""
        return self._done == self._shards

    @property
    def percent(self) -> float:
        """The percentage of the phase's images that are done."""
        return 100 * self._images / max(self._total, 1)

    def begin(self, phase: str, shards: int, images: int) -> None:
        """Report the phase's shards and images."""
        self._phase, self._shards, self._total = phase, shards, images
        self._done = self._images = 0
        self._started = self._recorded = time.monotonic()
        self._log(f"{phase}: {plural(images, 'image')} in {plural(shards, 'shard')}")

    def advance(self, images: int) -> None:
        """Count images, and report them from time to time."""
        self._done += 1
        self._images += images
        now = time.monotonic()
        if self.is_done or now - self._recorded >= SECONDS_BETWEEN_LINES:
            self._recorded = now
            rate = self._images / max(now - self._started, 1e-9)
            left = (self._total - self._images) / max(rate, 1e-9)
            all_shards, all_images = plural(self._shards, "shard"), plural(self._total, "image")
            self._log(
                f"{self._phase}: {self._done:,} of {all_shards}, {self._images:,} of {all_images}, "
                f"{rate:,.0f} images/s, {left:,.0f} s left"
            )

    def end(self) -> None:
        """Nothing: each line is final."""


class BarProgress:
    """A bar on a terminal."""

    def __init__(self, console: Console, report: Callable[[BuildSummary], None]) -> None:
        self.report = report
        self._console = console
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def note(self, text: str) -> None:
        """Print it above the bar."""
        self._console.print(text, markup=False, highlight=False)

    def begin(self, phase: str, shards: int, images: int) -> None:
        """Draw a bar for the phase."""
        if self._bar is None:
            rate = TextColumn("{task.fields[rate]}")
            self._bar = Bar(
                TextColumn("{task.description:8}"),
                BarColumn(),
                MofNCompleteColumn(),
                rate,
                TimeRemainingColumn(),
                console=self._console,
            )
            self._bar.start()
        self._task = self._bar.add_task(phase, total=images, rate="")

    def advance(self, images: int) -> None:
        """Move the bar by a shard's images."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, images)
            task = self._bar.tasks[self._task]
            self._bar.update(self._task, rate=f"{task.completed / max(task.elapsed or 0, 1e-9):,.0f} images/s")

    def end(self) -> None:
        """Stop redrawing; the bar stays on the screen."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class CallbackProgress:
    """Each step of progress as a ProgressUpdate, for a program that shows it itself."""

    def __init__(self, callback: Callable[[ProgressUpdate], object], report: Callable[[BuildSummary], None]) -> None:
        self.report = report
        self._callback = callback
        self._state = ProgressUpdate()

    def note(self, text: str) -> None:
        """Pass the note on with the numbers so far."""
        self._callback(replace(self._state, note=text))

    def begin(self, phase: str, shards: int, images: int) -> None:
        """Start from 0."""
        self._state = ProgressUpdate(phase, shards=shards, images=images)
        self._callback(self._state)

    def advance(self, images: int) -> None:
        """Add one shard and its images."""
        done = self._state.images_done + images
        self._state = replace(self._state, shards_done=self._state.shards_done + 1, images_done=done)
        self._callback(self._state)

    def end(self) -> None:
        """Nothing: the last update had the final numbers."""
