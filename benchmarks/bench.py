"""Run all contenders one after the other and save the results: python -m benchmarks.bench [--images 6000] [--rounds 5]."""

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from benchmarks.contenders import CONTENDERS
from benchmarks.make_data import IMAGES, describe, make_data
from benchmarks.measure import Run, measure_memory, run_undisturbed, wait_for_quiet, warm_cache
from benchmarks.processes import ROOT, adopt_orphans, run_command
from benchmarks.report import render
from benchmarks.results import Results, from_json
from benchmarks.startup import measure_direct, measure_prefect

RESULTS = Path(__file__).parent / "results"
SMALL = 200  # images; enough to have something in each of the shards
STARTUPS = 5
PACKAGES = ("imagerecords", "prefect", "tensorflow", "tensorflow-datasets", "webdataset", "pillow", "simplejpeg", "pyarrow")


def run_rounds(data: Path, images: int, rounds: int, max_wait: float) -> dict[str, list[list[Run]]]:
    """Each contender once a round, the order rotated from round to round, so that none always follows the same one."""
    runs: dict[str, list[list[Run]]] = {contender.name: [] for contender in CONTENDERS}
    for number in range(rounds):
        first = number % len(CONTENDERS)
        for contender in CONTENDERS[first:] + CONTENDERS[:first]:
            tries = run_undisturbed(contender, data, images, max_wait)
            runs[contender.name].append(tries)
            measured = ", ".join(f"{run.work_seconds:.2f} s (others' CPU {run.others_cpu_seconds:.1f} s)" for run in tries)
            _say(f"round {number + 1}: {contender.name}: {measured}")
    return runs


def measure(images: int, rounds: int, max_wait: float) -> Results:
    """All measures, one after the other."""
    data, small = make_data(images), make_data(SMALL)
    warm_cache(data)
    warm_cache(small)
    runs = run_rounds(data, images, rounds, max_wait)
    memory = {}
    for contender in CONTENDERS:
        _say(f"memory: {contender.name}")
        memory[contender.name] = measure_memory(contender, data)
    _say("start-up")
    wait_for_quiet(max_wait)
    startup = {
        "direct": measure_direct(small, STARTUPS),
        "no card": measure_direct(small, STARTUPS, "--no-report"),
    }
    startup["prefect"], startup["empty flow"] = measure_prefect(small, STARTUPS)
    _say("planning")
    wait_for_quiet(max_wait)
    planning = json.loads(run_command([sys.executable, "-m", "benchmarks.plan_million"]).printed)
    kept = {name: [tries[0] for tries in each] for name, each in runs.items()}
    left_out = {name: [run for tries in each for run in tries[1:]] for name, each in runs.items()}
    return Results(_about(images, rounds, data), kept, left_out, memory, startup, planning)


def _about(images: int, rounds: int, data: Path) -> dict[str, Any]:
    """Where, when and of what."""
    versions = {"Python": platform.python_version()} | {name: importlib.metadata.version(name) for name in PACKAGES}
    return about_here() | {
        "command": f"python -m benchmarks.bench --images {images} --rounds {rounds}",
        "versions": versions,
        "data": describe(data),
    }


def about_here() -> dict[str, Any]:
    """Where and when; no host's name and no path."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": _commit(),
        "machine": {"cores": os.cpu_count(), "cpu": _cpu(), "memory_gb": psutil.virtual_memory().total / 1e9},
    }


def _commit() -> str:
    """The commit that was measured, marked when the code differed from it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--", "flows", "schemas", "tasks")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + (" with changes" if changed else "")


def _cpu() -> str:
    """The processor's name, as Linux reports it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def save(results: Results, directory: Path) -> str:
    """Write latest.json and latest.md; returns the page."""
    directory.mkdir(parents=True, exist_ok=True)
    page = render(results)
    (directory / "latest.json").write_text(json.dumps(asdict(results), indent=1) + "\n")
    (directory / "latest.md").write_text(page)
    return page


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--max-wait", type=float, default=30, help="seconds to wait for a quiet machine before each run")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for latest.json and latest.md")
    parser.add_argument("--saved", action="store_true", help="measure nothing: write the page again from latest.json")
    given = parser.parse_args()
    if given.saved:
        results = from_json(json.loads((given.results / "latest.json").read_text()))
    else:
        adopt_orphans()
        results = measure(given.images, given.rounds, given.max_wait)
    print(save(results, given.results))


if __name__ == "__main__":
    main()
