"""What builds of many small shards cost a Prefect server and the flow: python -m benchmarks.prefect_granularity [2000:shard …].

Each run has a new server on SQLite. Builds are of one tiny image per shard; in runs with `:without-work` at the end the shards'
step does nothing, so that the server's part is as large as it can get.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
from PIL import Image

from benchmarks.bench import RESULTS, about_here
from benchmarks.processes import KEPT, Memory
from benchmarks.report import table
from benchmarks.startup import prefect_server

WITHOUT_WORK = "without-work"
RUNS = (
    *("2000:shard", "2000:auto", "10000:auto"),
    *(f"2000:shard:{WITHOUT_WORK}", f"2000:auto:{WITHOUT_WORK}"),
    *(f"10000:{granularity}:{WITHOUT_WORK}" for granularity in ("shard", "auto", "step")),
)
HEADS = [
    "run",
    "shards",
    "prefect_granularity",
    "task runs",
    "seconds",
    "server's CPU, s",
    "server is up to date after, s",
    "flow's peak memory, MB",
    "“database is locked”",
]
LOCKED = "database is locked"
SAMPLE_SECONDS = 0.5
QUIET_SECONDS = 20.0  # a busy server may record nothing for a while
MB = 1e6


def make_images(folder: Path, count: int) -> None:
    """`count` different images of 16 × 16 pixels, in ten label folders."""
    for number in range(count):
        path = folder / f"label{number % 10}" / f"{number:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (number & 255, number >> 8, number % 251)).save(path)


def build(shards: int, granularity: str, folder: Path) -> list[str]:
    """The command of a build."""
    make_images(folder / "in", shards)
    command = [sys.executable, "-m", "imagerecords", "build", "--prefect", "--json", "--data_directory", str(folder / "in")]
    command += ["--output_directory", str(folder / "out"), "--train_shards", str(shards), "--workers", "2"]
    return [*command, "--prefect_granularity", granularity]


def measure(run: str) -> list[str]:
    """A row of the table: one run with a server of its own."""
    shards, granularity, *without_work = run.split(":")
    with prefect_server() as environment, tempfile.TemporaryDirectory() as folder:
        server = psutil.Process(next(iter(KEPT)))
        before = _cpu(server)
        command = [sys.executable, "-m", "benchmarks.noop_tasks", "processes", "prefect", shards, granularity]
        if not without_work:
            command = build(int(shards), granularity, Path(folder))
        memory, began = Memory(), time.monotonic()
        with open(Path(folder, "log"), "w+") as log:
            flow = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            while flow.poll() is None:
                with contextlib.suppress(psutil.NoSuchProcess):
                    memory.sample(psutil.Process(flow.pid))
                time.sleep(SAMPLE_SECONDS)
            seconds = time.monotonic() - began
            if flow.returncode:
                log.seek(0)
                raise SystemExit(f"error: exit {flow.returncode}\n{log.read()[-4000:]}")
        behind, runs = _catch_up(environment)
        locked = Path(environment["PREFECT_HOME"], "server.log").read_text().count(LOCKED)
        cpu = _cpu(server) - before
    measured = [f"{seconds:.0f}", f"{cpu:.0f}", f"{behind:.0f}", f"{memory.parent / MB:.0f}", str(locked)]
    row = ["without work" if without_work else "build", f"{int(shards):,}", granularity, f"{runs:,}", *measured]
    print(" | ".join(row), file=sys.stderr)
    return row


def _cpu(process: psutil.Process) -> float:
    times = [each.cpu_times() for each in [process, *process.children(recursive=True)]]
    return sum(each.user + each.system for each in times)


def _catch_up(environment: Mapping[str, str]) -> tuple[float, int]:
    """Seconds until the server shows no task run that is not Completed and no further ones, and how many it shows."""
    began = last = time.monotonic()
    seen = (-1, -1)
    while time.monotonic() - last < QUIET_SECONDS:
        now = _count(environment, {}), _count(environment, {"state": {"type": {"any_": ["COMPLETED"]}}})
        if now != seen:
            last, seen = time.monotonic(), now
        time.sleep(SAMPLE_SECONDS)
    return last - began, seen[0]


def _count(environment: Mapping[str, str], task_runs: dict[str, Any]) -> int:
    request = urllib.request.Request(
        environment["PREFECT_API_URL"] + "/task_runs/count",
        json.dumps({"task_runs": task_runs}).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(answer.read())


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prefect_granularity", description=__doc__)
    parser.add_argument("runs", nargs="*", default=RUNS, help="number of shards:granularity[:without-work]")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for prefect-granularity.md")
    given = parser.parse_args()
    given.results.mkdir(parents=True, exist_ok=True)
    about = about_here()
    rows = [measure(run) for run in given.runs]
    machine, command = about["machine"], f"python -m benchmarks.prefect_granularity {' '.join(given.runs)}"
    page = "\n\n".join(
        [
            "# Task runs of Prefect: per shard, per group, per step",
            f"- Made by `{command}` on {about['date']}, commit {about['commit']}\n"
            f"- Machine: {machine['cores']} cores, {machine['cpu']}, {machine['memory_gb']:.0f} GB; other work ran beside it",
            table(HEADS, rows),
            "2 workers, a new server on SQLite for each run, with its default settings; one image per shard, one run each. "
            "A build converts and verifies, each in its own task runs; runs without work have one step.",
        ]
    )
    (given.results / "prefect-granularity.md").write_text(page + "\n")
    print(page)


if __name__ == "__main__":
    main()
