"""The overhead per shard of each executor, and the speed-up by a second worker: python -m benchmarks.executors."""

import argparse
import json
import os
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.bench import RESULTS, about_here
from benchmarks.contenders import Contender, build_command, read_summary
from benchmarks.make_data import make_data
from benchmarks.measure import Run, run_undisturbed, wait_for_quiet, warm_cache
from benchmarks.processes import adopt_orphans, run_command
from benchmarks.report import table
from benchmarks.startup import prefect_server

SHARDS = (128, 1152, 10_000)
DIRECT = {"pool of 2 processes, direct": "processes", "Dask on this machine, 2 workers, direct": "dask"}
PREFECT_SHARDS = 1152
IMAGES = 6000
MB = 1e6


def overheads(max_wait: float) -> list[list[str]]:
    """The rows of the table of shards without work."""
    rows = []
    for name, executor in DIRECT.items():
        for shards in SHARDS:
            rows.append([name, f"{shards:,}", *_noop_tasks(executor, "direct", shards, os.environ, max_wait)])
    with prefect_server() as environment:
        measured = _noop_tasks("processes", "prefect", PREFECT_SHARDS, environment, max_wait)
    return [*rows, ["pool of 2 processes, Prefect (server running)", f"{PREFECT_SHARDS:,}", *measured]]


def _noop_tasks(executor: str, runner: str, shards: int, environment: Mapping[str, str], max_wait: float) -> list[str]:
    wait_for_quiet(max_wait)
    command = [sys.executable, "-m", "benchmarks.noop_tasks", executor, runner, str(shards)]
    measured: dict[str, float] = json.loads(run_command(command, environment).printed.splitlines()[-1])
    print(f"{executor}, {runner}, {shards}: {measured}", file=sys.stderr)
    return [f"{measured['seconds']:.2f}", f"{measured['seconds'] / shards * 1000:.2f}", f"{measured['peak_bytes'] / MB:.0f}"]


def speeds(rounds: int, max_wait: float) -> list[list[str]]:
    """The rows of the table of real images with one worker and with two."""
    data = make_data(IMAGES)
    warm_cache(data)
    runs: dict[tuple[str, int], list[Run]] = {}
    for _ in range(rounds):
        for executor in DIRECT.values():
            for workers in (1, 2):
                tries = run_undisturbed(_build(executor, workers), data, IMAGES, max_wait)
                runs.setdefault((executor, workers), []).append(tries[0])
                print(f"{executor}, {workers} workers: {tries}", file=sys.stderr)
    rows = []
    for name, executor in zip(("pool of processes", "Dask on this machine"), DIRECT.values(), strict=True):
        one, two = (statistics.median(run.work_seconds for run in runs[executor, workers]) for workers in (1, 2))
        disturbed = sum(run.disturbed for workers in (1, 2) for run in runs[executor, workers])
        rows.append([name, f"{one:.2f}", f"{two:.2f}", f"{one / two:.2f}", f"{disturbed} of {2 * rounds}"])
    return rows


def _build(executor: str, workers: int) -> Contender:
    def command(data: Path, output: Path) -> list[str]:
        words = build_command(data, output, "--no-prefect", "--executor", executor)
        words[words.index("--workers") + 1] = str(workers)
        return words

    return Contender(f"{executor}, {workers}", "", command, read_summary)


def render(about: dict[str, Any], noop: list[list[str]], real: list[list[str]], rounds: int) -> str:
    """The page, as Markdown."""
    machine = about["machine"]
    heads = ["executor", "shards", "seconds", "ms per shard", "parent's peak memory, MB"]
    workers = ["executor", "1 worker, s", "2 workers, s", "times as fast", "disturbed runs"]
    parts = [
        "# Executors",
        f"- Made by `python -m benchmarks.executors` on {about['date']}, commit {about['commit']}\n"
        f"- Machine: {machine['cores']} cores, {machine['cpu']}, {machine['memory_gb']:.0f} GB",
        "## Shards without work",
        table(heads, noop),
        "One run each, on running workers. Dask's parent process also runs the scheduler of its local cluster.",
        f"## {IMAGES:,} images, from the first shard's start to the end of the last one's validation",
        table(workers, real),
        f"Median of {rounds}; parent, scheduler and workers share the machine. "
        "Disturbed: others used over 5 % of it, in the best of three.",
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.executors", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--max-wait", type=float, default=30, help="seconds to wait for a quiet machine before each run")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for executors.md")
    given = parser.parse_args()
    adopt_orphans()
    page = render(about_here(), overheads(given.max_wait), speeds(given.rounds, given.max_wait), given.rounds)
    (given.results / "executors.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
