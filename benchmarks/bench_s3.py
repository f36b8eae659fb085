"""The whole build from S3 beside loops that only read, and beside download-then-convert: python -m benchmarks.bench_s3.

Against SeaweedFS on this machine: the server shares the processors, so client CPU per image is measured too.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench import RESULTS, about_here
from benchmarks.contenders import build_command, read_result, read_summary
from benchmarks.make_data import make_data
from benchmarks.measure import fresh_output, wait_for_quiet, warm_cache
from benchmarks.processes import adopt_orphans, run_command
from benchmarks.report import table
from tests.acceptance.seaweed import Bucket, Seaweed

TO_DISK, TO_S3, LOCAL = "imagerecords, S3 to disk", "imagerecords, S3 to S3", "imagerecords, disk to disk"
KNOWN = "imagerecords, S3 to disk, all known"
S3FS, OBSTORE, WRITING, CLASSIC = (
    "s3fs cat, 32 threads, only reads",
    "obstore get, 16 threads, only reads",
    "obstore get, 16 threads, and writes one file",
    "download, then classic loop",
)
LOOPS = {
    S3FS: "s3fs-threads",
    "s3fs cat, batches of 64, only reads": "s3fs-batches",
    "obstore's fsspec, batches of 64, only reads": "obstore-fsspec",
    OBSTORE: "obstore-get",
    WRITING: "obstore-get-write",
    CLASSIC: "download-classic",
}
BUILDS = (TO_DISK, KNOWN, TO_S3, LOCAL)
GOALS = (
    ("the whole build in no more time than s3fs needs only to read", TO_DISK, (S3FS,), 1.0),
    ("within 1.15 × of reading by obstore plus the local build", TO_DISK, (OBSTORE, LOCAL), 1.15),
    ("a build of known images within 1.1 × of reading by obstore and writing", KNOWN, (WRITING,), 1.1),
)


@dataclass(frozen=True)
class Run:
    """One run: its images, the seconds of its work and of the whole command, the client's CPU seconds."""

    images: int
    work_seconds: float
    command_seconds: float
    cpu_seconds: float


def run(name: str, data: Path, bucket: Bucket, number: int, known: Path) -> Run:
    """One contender, once, into a place of its own; `known` is a finished data set of the same images."""
    environment: Mapping[str, str] = os.environ | bucket.environment
    source = bucket.url("in")
    with fresh_output() as output:
        if name in LOOPS:
            command = [sys.executable, "-m", "benchmarks.s3_reading", LOOPS[name], source, str(output)]
        else:
            target = bucket.url(f"out-{number}") if name == TO_S3 else output
            options = ["--reuse_from", str(known), "--seed", "2"] if name == KNOWN else []
            command = build_command(data if name == LOCAL else source, target, "--no-prefect", *options)
        finished = run_command(command, environment)
    images, seconds = (read_result if name in LOOPS else read_summary)(finished.printed)
    return Run(images, seconds, finished.seconds, finished.cpu_seconds)


def measure(images: int, rounds: int, max_wait: float) -> dict[str, list[Run]]:
    """All contenders, once a round, the order rotating."""
    data = make_data(images)
    warm_cache(data)
    runs: dict[str, list[Run]] = {}
    with tempfile.TemporaryDirectory() as folder:
        server = Seaweed(Path(folder) / "server")
        try:
            bucket = server.bucket("bench")
            bucket.put(data, "in")
            known = Path(folder) / "known"
            run_command(build_command(bucket.url("in"), known, "--no-prefect"), os.environ | bucket.environment)
            names = [*LOOPS, *BUILDS]
            for number in range(rounds):
                for name in names[number % len(names) :] + names[: number % len(names)]:
                    wait_for_quiet(max_wait)
                    runs.setdefault(name, []).append(run(name, data, bucket, number, known))
                    print(f"{name}: {runs[name][-1]}", file=sys.stderr)
                bucket.fs.rm(f"{bucket.name}/out-{number}", recursive=True)
        finally:
            server.kill()
    return runs


def render(about: dict[str, Any], runs: dict[str, list[Run]]) -> str:
    """The page, as Markdown."""
    machine, rounds = about["machine"], len(runs[S3FS])
    heads = ["contender", "work, s", "images/s", "× s3fs reading", "whole command, s", "client CPU, ms per image"]
    rows = [
        [
            name,
            f"{_median(each, 'work_seconds'):.2f}",
            f"{each[0].images / _median(each, 'work_seconds'):,.0f}",
            f"{_ratio(runs, (S3FS,), name):.2f}",
            f"{_median(each, 'command_seconds'):.2f}",
            f"{1000 * _median(each, 'cpu_seconds') / each[0].images:.2f}",
        ]
        for name, each in runs.items()
    ]
    goals = []
    for what, ours, peers, most in GOALS:
        times = 1 / _ratio(runs, peers, ours)
        goals.append([what, f"≤ {most:g}", f"{times:.2f}", "yes" if times <= most else "**no**"])
    parts = [
        "# S3",
        f"- Made by `python -m benchmarks.bench_s3` on {about['date']}, commit {about['commit']}\n"
        f"- Machine: {machine['cores']} cores, {machine['cpu']}, {machine['memory_gb']:.0f} GB; SeaweedFS on the same machine\n"
        f"- Data: {runs[S3FS][0].images:,} images of about 110 KB, most of them JPEGs, one object each",
        table(heads, rows),
        f"Medians of {rounds} rounds; in each every contender ran once, and the order rotated. Work: a loop's without imports "
        "and listing; a build's from its first shard's start to the end of its last one's validation. CPU: of the whole "
        "command, imports included, without the server's.",
        table(["goal", "wanted", "measured", "met"], goals),
    ]
    return "\n\n".join(parts) + "\n"


def _median(runs: list[Run], what: str) -> float:
    return statistics.median(getattr(run, what) for run in runs)


def _ratio(runs: dict[str, list[Run]], peers: tuple[str, ...], ours: str) -> float:
    """How many times as fast as its peers together a contender works, by the median of the rounds."""
    rounds = zip(runs[ours], *(runs[peer] for peer in peers), strict=True)
    return statistics.median(sum(peer.work_seconds for peer in others) / mine.work_seconds for mine, *others in rounds)


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_s3", description=__doc__)
    parser.add_argument("--images", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--max-wait", type=float, default=30, help="seconds to wait for a quiet machine before each run")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for s3.md")
    given = parser.parse_args()
    adopt_orphans()
    page = render(about_here(), measure(given.images, given.rounds, given.max_wait))
    given.results.mkdir(parents=True, exist_ok=True)
    (given.results / "s3.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
