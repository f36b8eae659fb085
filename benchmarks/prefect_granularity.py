"""What builds of many small shards cost a Prefect server and the flow: python -m benchmarks.prefect_granularity [2000:shard …].

Each run has a new server on SQLite. Images and shards are tiny, so that the server's part is as large as it can get.
"""

import argparse
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

RUNS = ("2000:shard", "2000:auto", "10000:auto", "10000:step")
HEADS = [
    "shards",
    "prefect_granularity",
    "task runs",
    "build, s",
    "server's CPU, s",
    "server is up to date after, s",
    "flow's peak memory, MB",
    "“database is locked”",
]
LOCKED = "database is locked"
SAMPLE_SECONDS = 0.5
MB = 1e6


def make_images(folder: Path, count: int) -> None:
    """`count` different images of 16 × 16 pixels, in ten label folders."""
    for number in range(count):
        path = folder / f"label{number % 10}" / f"{number:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (number & 255, number >> 8, number % 251)).save(path)


def measure(data: Path, shards: int, granularity: str) -> list[str]:
    """A row of the table: one build with a server of its own."""
    with prefect_server() as environment, tempfile.TemporaryDirectory() as folder:
        server = psutil.Process(next(iter(KEPT)))
        before = _cpu(server)
        command = [sys.executable, "-m", "imagerecords", "build", "--prefect", "--json", "--data_directory", str(data)]
        command += ["--output_directory", str(Path(folder, "out")), "--train_shards", str(shards), "--workers", "2"]
        command += ["--prefect_granularity", granularity]
        memory, began = Memory(), time.monotonic()
        with open(Path(folder, "log"), "w+") as log:
            build = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            while build.poll() is None:
                memory.sample(psutil.Process(build.pid))
                time.sleep(SAMPLE_SECONDS)
            seconds = time.monotonic() - began
            if build.returncode:
                log.seek(0)
                raise SystemExit(f"error: exit {build.returncode}\n{log.read()[-4000:]}")
        behind, runs = _catch_up(environment)
        locked = Path(environment["PREFECT_HOME"], "server.log").read_text().count(LOCKED)
        cpu = _cpu(server) - before
    measured = [f"{seconds:.0f}", f"{cpu:.0f}", f"{behind:.0f}", f"{memory.parent / MB:.0f}", str(locked)]
    row = [f"{shards:,}", granularity, f"{runs:,}", *measured]
    print(" | ".join(row), file=sys.stderr)
    return row


def _cpu(process: psutil.Process) -> float:
    times = [each.cpu_times() for each in [process, *process.children(recursive=True)]]
    return sum(each.user + each.system for each in times)


def _catch_up(environment: Mapping[str, str]) -> tuple[float, int]:
    """Seconds until the server shows no task run that is not Completed and no further ones, and how many it shows."""
    began = last = time.monotonic()
    seen = (-1, -1)
    while time.monotonic() - last < 10 * SAMPLE_SECONDS:
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
    parser.add_argument("runs", nargs="*", default=RUNS, help="number of shards:granularity")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for prefect-granularity.md")
    given = parser.parse_args()
    rows, about = [], about_here()
    with tempfile.TemporaryDirectory() as folder:
        for run in given.runs:
            shards, _, granularity = run.partition(":")
            data = Path(folder, shards)
            if not data.exists():
                make_images(data, int(shards))
            rows.append(measure(data, int(shards), granularity))
    machine, command = about["machine"], f"python -m benchmarks.prefect_granularity {' '.join(given.runs)}"
    page = "\n\n".join(
        [
            "# Task runs of Prefect: per shard, per group, per step",
            f"- Made by `{command}` on {about['date']}, commit {about['commit']}\n"
            f"- Machine: {machine['cores']} cores, {machine['cpu']}, {machine['memory_gb']:.0f} GB; other work ran beside it",
            table(HEADS, rows),
            "One image per shard, 2 workers, a new server on SQLite for each run, with its default settings. One run each.",
        ]
    )
    (given.results / "prefect-granularity.md").write_text(page + "\n")
    print(page)


if __name__ == "__main__":
    main()
