"""One run of one contender, into a fresh output that is deleted afterwards."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.contenders import Contender
from benchmarks.make_data import cache_directory
from benchmarks.processes import Memory, run_command

BUSY = ("user", "nice", "system", "irq", "softirq", "steal")
QUIET_PERCENT, QUIET_SECONDS = 15.0, 1.0
DISTURBED = 0.05  # of the machine's CPU time, used by others during a run
TRIES = 3


@dataclass(frozen=True)
class Run:
    """What one run took: the work alone, the whole command, CPU of all its processes, and CPU that others used meanwhile."""

    images: int
    work_seconds: float
    command_seconds: float
    cpu_seconds: float
    others_cpu_seconds: float
    bytes: int

    @property
    def disturbed(self) -> bool:
        """Whether others used so much of the machine that the times say little."""
        return self.others_cpu_seconds > DISTURBED * self.command_seconds * (psutil.cpu_count() or 1)


@contextmanager
def fresh_output() -> Iterator[Path]:
    """An empty directory on the disk of the data, deleted afterwards."""
    root = cache_directory() / "outputs"
    root.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(dir=root))
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


def run_undisturbed(contender: Contender, data: Path, images: int, max_wait: float) -> list[Run]:
    """Runs until one is not disturbed, three at most; the least disturbed one first."""
    runs: list[Run] = []
    while len(runs) < TRIES and (not runs or runs[-1].disturbed):
        wait_for_quiet(max_wait)
        runs.append(run_contender(contender, data, images))
    return sorted(runs, key=lambda run: run.others_cpu_seconds / run.command_seconds)


def run_contender(contender: Contender, data: Path, images: int) -> Run:
    """A timed run. SystemExit when it wrote another number of images."""
    with fresh_output() as output:
        busy = _busy_seconds()
        finished = run_command(contender.command(data, output))
        busy = _busy_seconds() - busy
        written, seconds = contender.read(finished.printed)
        if written != images:
            raise SystemExit(f"error: {contender.name} must write {images} images, got {written}")
        others = max(0.0, busy - finished.cpu_seconds)
        return Run(written, seconds, finished.seconds, finished.cpu_seconds, others, _tree_bytes(output))


def measure_memory(contender: Contender, data: Path) -> dict[str, Any]:
    """Peak memory of a run that is not timed, since looking at it costs CPU."""
    memory = Memory()
    with fresh_output() as output:
        run_command(contender.command(data, output), memory=memory)
    return asdict(memory) | {"children": sorted(memory.children.values(), reverse=True)}


def wait_for_quiet(max_wait: float) -> None:
    """Wait until the rest of the machine is nearly idle, but no longer than `max_wait` seconds."""
    deadline = time.monotonic() + max_wait
    while time.monotonic() < deadline and psutil.cpu_percent(QUIET_SECONDS) > QUIET_PERCENT:
        pass


def warm_cache(data: Path) -> None:
    """Read all data once, so that every run finds them in the page cache."""
    for path in data.rglob("*"):
        if path.is_file():
            path.read_bytes()


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(sum(getattr(times, name) for name in BUSY))


def _tree_bytes(directory: Path) -> int:
    return sum(entry.stat().st_size for entry in map(Path, _files(directory)))


def _files(directory: Path) -> Iterator[str]:
    for folder, _, names in os.walk(directory):
        yield from (os.path.join(folder, name) for name in names)
