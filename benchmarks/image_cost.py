"""The cost of process_image, compared with libjpeg's part of it: python -m benchmarks.image_cost.

That part is reading, a decode at 1/8 scale in grey, and SHA-256. It and process_image, with the C extension and without it, are
timed alternately on each image, as CPU time of one thread; process_image also by itself, without reading and SHA-256.
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
from imagerecords.tasks.images import jpeg_scan
from imagerecords.tasks.images.process import process_image

IMAGES = 400
GOAL = 1.15
FASTER = 1.5
SETTINGS = BuildSettings(output_directory="unused", train_directory="unused")


Work = Callable[[Path, bytes], object]


def least(path: Path, _: bytes) -> None:
    """Read, decode at 1/8 scale in grey, hash."""
    data = path.read_bytes()
    simplejpeg.decode_jpeg(data, "GRAY", min_height=1, min_width=1)
    hashlib.sha256(data).hexdigest()


def whole(path: Path, _: bytes) -> None:
    """Read, check and measure, hash."""
    data = path.read_bytes()
    process_image(data, SETTINGS)
    hashlib.sha256(data).hexdigest()


def check(_: Path, data: bytes) -> None:
    """Check and measure."""
    process_image(data, SETTINGS)


EXTENSION = jpeg_scan.extension
# By name: the work, and whether the extension takes part.
SIDES: dict[str, tuple[Work, bool]] = {
    "read + 1/8 decode + SHA-256": (least, False),
    "read + process_image + SHA-256": (whole, True),
    "the same without the extension": (whole, False),
    "process_image": (check, True),
    "process_image without the extension": (check, False),
}
LEAST, WHOLE, WHOLE_WITHOUT, CHECK, CHECK_WITHOUT = SIDES


def passes_through(path: Path) -> bool:
    """Whether an image is a JPEG that is written as it is."""
    data = path.read_bytes()
    try:
        return process_image(data, SETTINGS).encoded is data
    except Rejected:
        return False


def measure(paths: list[Path], rounds: int) -> dict[str, list[float]]:
    """The microseconds of each side for each image: the best of all rounds, in which the sides alternate."""
    best = {name: [float("inf")] * len(paths) for name in SIDES}
    names = list(SIDES)
    for number in range(rounds):
        for at, path in enumerate(paths):
            data = path.read_bytes()
            for name in names[number % len(names) :] + names[: number % len(names)]:
                work, extended = SIDES[name]
                jpeg_scan.extension = EXTENSION if extended else None  # type: ignore[assignment]
                best[name][at] = min(best[name][at], _microseconds(work, path, data))
    jpeg_scan.extension = EXTENSION
    return best


def _microseconds(work: Work, path: Path, data: bytes) -> float:
    began = time.thread_time_ns()
    work(path, data)
    return (time.thread_time_ns() - began) / 1000


def render(times: dict[str, list[float]], rounds: int) -> str:
    """The page, as Markdown."""
    about = about_here()
    machine = about["machine"]
    mean = {name: statistics.fmean(each) for name, each in times.items()}
    ratios = sorted(ours / base for base, ours in zip(times[LEAST], times[WHOLE], strict=True))
    rows = [[f"{name}, µs per image", f"{microseconds:.0f}"] for name, microseconds in mean.items()]
    rows += [
        [f"times as long as libjpeg's part (wanted: at most {GOAL})", f"{mean[WHOLE] / mean[LEAST]:.3f}"],
        ["the same of one image: median", f"{statistics.median(ratios):.3f}"],
        ["nine images in ten are below", f"{ratios[len(ratios) * 9 // 10]:.3f}"],
        [f"process_image: times as fast with the extension (wanted: {FASTER})", f"{mean[CHECK_WITHOUT] / mean[CHECK]:.2f}"],
        ["with reading and SHA-256: times as fast with the extension", f"{mean[WHOLE_WITHOUT] / mean[WHOLE]:.2f}"],
    ]
    parts = [
        "# What checking and measuring a JPEG costs",
        f"- Made by `python -m benchmarks.image_cost` on {about['date']}, commit {about['commit']}\n"
        f"- Machine: {machine['cores']} cores, {machine['cpu']}, {machine['memory_gb']:.0f} GB\n"
        f"- {len(times[LEAST])} JPEGs that pass through; CPU time, the best of {rounds} rounds in which all alternate",
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
    if EXTENSION is None:
        raise SystemExit("error: the C extension is not built. Run make setup where a C compiler is")
    paths = [path for path in sorted(make_data(given.images).rglob("*.*")) if passes_through(path)]
    page = render(measure(paths, given.rounds), given.rounds)
    (given.results / "image-cost.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
