"""The cost of process_image, compared with the least possible for a checked JPEG: python -m benchmarks.image_cost.

The least is reading, a decode at 1/8 scale in grey, and SHA-256. Both are timed alternately on each image, as CPU time of one
thread.
"""

import argparse
import hashlib
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import simplejpeg

from benchmarks.bench import RESULTS, about_here
from benchmarks.make_data import make_data
from benchmarks.report import table
from imagerecords.schemas.receipt import Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.process import process_image

IMAGES = 400
GOAL = 1.15
SETTINGS = BuildSettings(output_directory="unused", train_directory="unused")


def least(path: Path) -> None:
    """Read, decode at 1/8 scale in grey, hash."""
    data = path.read_bytes()
    simplejpeg.decode_jpeg(data, "GRAY", min_height=1, min_width=1)
    hashlib.sha256(data).hexdigest()


def ours(path: Path) -> None:
    """Read, judge and measure, hash."""
    data = path.read_bytes()
    process_image(data, SETTINGS)
    hashlib.sha256(data).hexdigest()


def passes_through(path: Path) -> bool:
    """Whether an image is a JPEG that is written as it is."""
    data = path.read_bytes()
    try:
        return process_image(data, SETTINGS).encoded is data
    except Rejected:
        return False


def measure(paths: list[Path], rounds: int) -> list[tuple[float, float]]:
    """The least and ours for each image, in microseconds: the best of all rounds, in which they alternate."""
    best = [[float("inf"), float("inf")] for _ in paths]
    for number in range(rounds):
        for path, times in zip(paths, best, strict=True):
            for side in (0, 1) if number % 2 else (1, 0):
                times[side] = min(times[side], _microseconds((least, ours)[side], path))
    return [(first, second) for first, second in best]


def _microseconds(work: Callable[[Path], None], path: Path) -> float:
    began = time.thread_time_ns()
    work(path)
    return (time.thread_time_ns() - began) / 1000


def render(times: list[tuple[float, float]], rounds: int) -> str:
    """The page, as Markdown."""
    about = about_here()
    machine = about["machine"]
    least, cost = (sum(side) for side in zip(*times, strict=True))
    ratios = sorted(second / first for first, second in times)
    rows = [
        ["read + 1/8 decode + SHA-256, µs per image", f"{least / len(times):.0f}"],
        ["read + process_image + SHA-256, µs per image", f"{cost / len(times):.0f}"],
        [f"times as long (wanted: at most {GOAL})", f"{cost / least:.3f}"],
        ["the same of one image: median", f"{statistics.median(ratios):.3f}"],
        ["nine images in ten are below", f"{ratios[len(ratios) * 9 // 10]:.3f}"],
    ]
    parts = [
        "# What checking and measuring a JPEG costs",
        f"- Made by `python -m benchmarks.image_cost` on {about['date']}, commit {about['commit']}\n"
        f"- Machine: {machine['cores']} cores, {machine['cpu']}, {machine['memory_gb']:.0f} GB\n"
        f"- {len(times)} JPEGs that pass through; CPU time, the best of {rounds} rounds in which both alternate",
        table(["what", "measured"], rows),
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.image_cost", description=__doc__)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for image-cost.md")
    given = parser.parse_args()
    paths = [path for path in sorted(make_data(given.images).rglob("*.*")) if passes_through(path)]
    page = render(measure(paths, given.rounds), given.rounds)
    (given.results / "image-cost.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
