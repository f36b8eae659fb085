"""A build's progress: a bar with rate and time left on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from imagerecords.schemas.messages import plural
from imagerecords.schemas.progress import ProgressUpdate
from imagerecords.schemas.summary import BuildSummary

SECONDS_BETWEEN_LINES = 10.0
BAR = 24  # columns: a line with millions of images has 80


class Progress(Protocol):
    """What the pipeline reports while it runs."""

    def note(self, text: str) -> None:
        """Report something that is no error."""

    def doing(self, what: str) -> None:
        """A step begins whose work is not counted."""

    def begin(self, phase: str, shards: int, images: int) -> None:
        """A phase begins: the number of its shards and images."""

    def within(self, images: int) -> None:
        """The number of images that are done of the shards that are not."""

    def advance(self, images: int) -> None:
        """A shard is done: the number of its images."""

    def end(self) -> None:
        """The build has ended."""

    def report(self, summary: BuildSummary) -> None:
        """Report the summary of a build that has ended."""


class Counted:
    """The shards and images of a phase that are done; images never become fewer, also where a shard is tried again."""

    def __init__(self, phase: str = "", shards: int = 0, images: int = 0) -> None:
        self.phase, self.shards, self.images = phase, shards, images
        self.shards_done = self.images_done = self._finished = 0
        self.began = time.monotonic()
        self._ended: float | None = None

    def within(self, images: int) -> bool:
        """Count the images that are done of unfinished shards; whether that is more than before."""
        before = self.images_done
        self.images_done = max(before, min(self._finished + images, self.images))
        return self.images_done > before

    def advance(self, images: int) -> None:
        """Count a shard and its images."""
        self.shards_done += 1
        self._finished += images
        self.images_done = max(self.images_done, self._finished)
        if self.shards_done == self.shards:
            self._ended = time.monotonic()

    @property
    def rate(self) -> float:
        """Images per second, of the time until the last shard was done."""
        return self.images_done / max((self._ended or time.monotonic()) - self.began, 1e-9)


class LineProgress:
    """Plain lines, at most one in ten seconds and one at each phase's begin and end."""

    def __init__(self, log: Callable[[str], None], report: Callable[[BuildSummary], None]) -> None:
        self.note = log
        self.report = report
        self._log = log
        self._counted = Counted()
        self._recorded = 0.0

    @property
    def is_done(self) -> bool:
        """Whether all shards of the phase are done."""
        return self._counted.shards_done == self._counted.shards

    @property
    def percent(self) -> float:
        """The percentage of the phase's images that are done."""
        return 100 * self._counted.images_done / max(self._counted.images, 1)

    def doing(self, what: str) -> None:
        """Nothing: a line for each step would say little."""

    def begin(self, phase: str, shards: int, images: int) -> None:
        """Report the phase's shards and images."""
        self._counted = Counted(phase, shards, images)
        self._recorded = self._counted.began
        self._log(f"{phase}: {plural(images, 'image')} in {plural(shards, 'shard')}")

    def within(self, images: int) -> None:
        """Count images of unfinished shards, and report them from time to time."""
        self._counted.within(images)
        self._line()

    def advance(self, images: int) -> None:
        """Count images, and report them from time to time."""
        self._counted.advance(images)
        self._line()

    def _line(self) -> None:
        now, counted = time.monotonic(), self._counted
        if self.is_done or now - self._recorded >= SECONDS_BETWEEN_LINES:
            self._recorded = now
            seconds = (counted.images - counted.images_done) / max(counted.rate, 1e-9)
            left = f", {seconds:,.0f} s left" if counted.images_done else ""
            all_shards, all_images = plural(counted.shards, "shard"), plural(counted.images, "image")
            self._log(
                f"{counted.phase}: {counted.shards_done:,} of {all_shards}, {counted.images_done:,} of {all_images}, "
                f"{counted.rate:,.0f} images/s{left}"
            )

    def end(self) -> None:
        """Nothing: each line is final."""


class BarProgress:
    """A bar on a terminal: one per phase, which stays, and a moving one for a step that is not counted, which does not."""

    def __init__(self, console: Console, report: Callable[[BuildSummary], None]) -> None:
        self.report = report
        self._console = console
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._step: TaskID | None = None
        self._counted = Counted()

    def note(self, text: str) -> None:
        """Print it above the bar."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)  # paths stay whole

    def doing(self, what: str) -> None:
        """Show the step until the next one or the next phase."""
        bar = self._begin()
        self._step = bar.add_task(what, total=None, counts="")

    def begin(self, phase: str, shards: int, images: int) -> None:
        """Draw a bar for the phase."""
        bar = self._begin()
        self._counted = Counted(phase, shards, images)
        self._task = bar.add_task(phase, total=images, counts="")
        self._move()

    def _begin(self) -> Bar:
        """The display, started, without the step before."""
        if self._bar is None:
            counts, left = TextColumn("{task.fields[counts]}"), TimeRemainingColumn(elapsed_when_finished=True)
            self._bar = Bar(TextColumn("{task.description:9}"), BarColumn(BAR), counts, left, console=self._console)
            self._bar.start()
        if self._step is not None:
            self._bar.remove_task(self._step)
            self._step = None
        return self._bar

    def within(self, images: int) -> None:
        """Move the bar by images of unfinished shards."""
        if self._counted.within(images):
            self._move()

    def advance(self, images: int) -> None:
        """Move the bar by a shard's images."""
        self._counted.advance(images)
        self._move()

    def _move(self) -> None:
        if self._bar is not None and self._task is not None:
            done, rate = self._counted.images_done, self._counted.rate
            counts = f"{done:,}/{plural(self._counted.images, 'image')}, {rate:,.0f}/s"
            self._bar.update(self._task, completed=done, counts=counts)

    def end(self) -> None:
        """Stop redrawing; the bars of phases stay on the screen."""
        if self._bar is not None:
            self._begin().stop()
            self._bar = None


class CallbackProgress:
    """Each step of progress as a ProgressUpdate, for a program that shows it itself."""

    def __init__(self, callback: Callable[[ProgressUpdate], object], report: Callable[[BuildSummary], None]) -> None:
        self.report = report
        self._callback = callback
        self._counted = Counted()
        self._state = ProgressUpdate()

    def note(self, text: str) -> None:
        """Pass the note on with the numbers so far."""
        self._callback(replace(self._state, note=text))

    def doing(self, what: str) -> None:
        """Nothing: a step without counts is no phase."""

    def begin(self, phase: str, shards: int, images: int) -> None:
        """Start from 0."""
        self._counted = Counted(phase, shards, images)
        self._update()

    def within(self, images: int) -> None:
        """Pass the number of images on where it has grown."""
        if self._counted.within(images):
            self._update()

    def advance(self, images: int) -> None:
        """Add one shard and its images."""
        self._counted.advance(images)
        self._update()

    def _update(self) -> None:
        counted = self._counted
        self._state = ProgressUpdate(counted.phase, counted.shards_done, counted.shards, counted.images_done, counted.images)
        self._callback(self._state)

    def end(self) -> None:
        """Nothing: the last update had the final numbers."""
