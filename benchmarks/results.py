"""Everything that a benchmark measured, and the goals to compare it with."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.contenders import CLASSIC, LOWER_BOUND, OURS_ALL, OURS_NONE, WEBDATASET_TWO
from benchmarks.measure import Run
from benchmarks.startup import Startup


@dataclass(frozen=True)
class Results:
    """The runs of each contender in the order of the rounds, and the other measurements; `about` says where and when.

    `left_out` are runs that were repeated because others used the machine meanwhile.
    """

    about: dict[str, Any]
    runs: dict[str, list[Run]]
    left_out: dict[str, list[Run]]
    memory: dict[str, dict[str, Any]]
    startup: dict[str, list[Startup]]
    planning: dict[str, float]


@dataclass(frozen=True)
class Spread:
    """A median with the least and the greatest."""

    median: float
    least: float
    greatest: float


@dataclass(frozen=True)
class Goal:
    """A goal, what was measured, and whether the goal is met."""

    name: str
    reached: float
    least: float | None = None
    below: float | None = None

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        return (self.least is None or self.reached >= self.least) and (self.below is None or self.reached < self.below)


def from_json(saved: dict[str, Any]) -> Results:
    """Results as they were saved."""
    runs, left_out = (
        {name: [Run(**run) for run in each] for name, each in saved.get(key, {}).items()} for key in ("runs", "left_out")
    )
    startup = {name: [Startup(**run) for run in each] for name, each in saved["startup"].items()}
    return Results(saved["about"], runs, left_out, saved["memory"], startup, saved["planning"])


def spread(values: Sequence[float]) -> Spread:
    """The median, least and greatest of some values."""
    return Spread(statistics.median(values), min(values), max(values))


def counting(results: Results, name: str) -> list[Run]:
    """The contender's runs that were not disturbed; all, where each was."""
    runs = results.runs[name]
    return [run for run in runs if not run.disturbed] or runs


def seconds_of(results: Results, name: str, time: Callable[[Run], float]) -> Spread:
    """A contender's time over the rounds that count."""
    return spread([time(run) for run in counting(results, name)])


def speed_against(results: Results, name: str, other: str, time: Callable[[Run], float]) -> Spread:
    """How many times as fast as the other a contender is, by the rounds in which neither was disturbed; by all without one."""
    pairs = list(zip(results.runs[name], results.runs[other], strict=True))
    quiet = [(ours, theirs) for ours, theirs in pairs if not ours.disturbed and not theirs.disturbed]
    return spread([time(theirs) / time(ours) for ours, theirs in quiet or pairs])


def work(run: Run) -> float:
    """The time of the work alone."""
    return run.work_seconds


def command(run: Run) -> float:
    """The time from the command's start to its exit."""
    return run.command_seconds


def goals(results: Results) -> list[Goal]:
    """The goals of this project with what was measured."""
    direct, prefect, empty = (
        spread([startup.seconds for startup in results.startup[name]]) for name in ("direct", "prefect", "empty flow")
    )
    largest = max(peak for name in (OURS_ALL, OURS_NONE) for peak in results.memory[name]["children"])
    checked, unchecked = (speed_against(results, name, CLASSIC, work).median for name in (OURS_ALL, OURS_NONE))
    return [
        Goal("check all, times as fast as the classic loop", checked, least=1.7),
        Goal("check none, times as fast as the classic loop", unchecked, least=4.5),
        Goal(
            "check all, share of the lower bound's speed",
            speed_against(results, OURS_ALL, LOWER_BOUND, work).median,
            least=1.0,
        ),
        Goal(
            "check none, times as fast as webdataset with two processes",
            speed_against(results, OURS_NONE, WEBDATASET_TWO, work).median,
            least=1.0,
        ),
        Goal("start-up and tail without Prefect, seconds", direct.median, below=1.5),
        Goal("start-up and tail with Prefect over a flow that does nothing, seconds", prefect.median - empty.median, below=1.0),
        Goal("largest worker process, MB", largest / 1e6, below=200),
        Goal("planning a million images, seconds", results.planning["seconds"], below=60),
        Goal("planning a million images, MB", results.planning["peak_mb"], below=1000),
    ]
