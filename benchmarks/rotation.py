"""What a phone's portrait photos cost, in time and bytes: python -m benchmarks.rotation.

Beside process_image: checking alone (a decode at 1/8 scale), and what version 0.1.0 did: check, decode, rotate, encode at
quality 100. CPU time, the best of some rounds in which all take turns, each in a process of its own, as process_image has its
process keep memory.
"""

import argparse
import io
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import simplejpeg
from PIL import Image, ImageOps

from benchmarks.bench import RESULTS, about_here
from benchmarks.make_data import cache_directory
from benchmarks.photos import fetch_photos
from benchmarks.report import table
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.metrics import measure_colours
from imagerecords.tasks.images.process import process_image

PHOTOS, SIZE = 8, (4032, 3024)
CODINGS = {"baseline": {}, "baseline, optimised codes": {"optimize": True}, "progressive": {"progressive": True}}
SETTINGS = BuildSettings(output_directory="unused", train_directory="unused")


def check(data: bytes) -> bytes:
    """Every coefficient read."""
    simplejpeg.decode_jpeg(data, "GRAY", min_height=SIZE[1] // 8, min_width=SIZE[0] // 8, strict=True)
    return data


def as_before(data: bytes) -> bytes:
    """Checked, decoded, rotated, measured, encoded at quality 100."""
    check(data)
    file = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        upright = ImageOps.exif_transpose(image)
    measure_colours(upright)
    upright.save(file, "JPEG", quality=100, subsampling="4:2:0")
    return file.getvalue()


def ours(data: bytes) -> bytes:
    """What a build does."""
    return process_image(data, SETTINGS).encoded


BEFORE = "as 0.1.0 did"
WAYS: dict[str, Callable[[bytes], bytes]] = {"check alone": check, BEFORE: as_before, "process_image": ours}


def make_photo(photo: Path, **options: bool) -> bytes:
    """A portrait photo as a phone stores it: on its side, quality 88."""
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x112] = 6
    with Image.open(photo) as image:
        ImageOps.fit(image.convert("RGB"), SIZE).save(file, "JPEG", quality=88, exif=exif, **options)
    return file.getvalue()


def once(name: str, sources: list[bytes]) -> tuple[float, int]:
    """CPU seconds and bytes of all photos in one way."""
    began = time.process_time()
    size = sum(len(WAYS[name](data)) for data in sources)
    return time.process_time() - began, size


def measure(sources: list[bytes], rounds: int) -> dict[str, tuple[float, int]]:
    """Milliseconds a photo and bytes of all, by way."""
    best = dict.fromkeys(WAYS, (float("inf"), 0))
    fresh = multiprocessing.get_context("spawn")
    processes = {name: ProcessPoolExecutor(1, mp_context=fresh) for name in WAYS}
    for number in range(rounds + 1):
        for name, process in processes.items():
            taken = process.submit(once, name, sources).result()
            best[name] = min(best[name], taken) if number else best[name]  # the first round warms up
    for process in processes.values():
        process.shutdown()
    return {name: (seconds * 1000 / len(sources), size) for name, (seconds, size) in best.items()}


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rotation", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for rotation.md")
    given = parser.parse_args()
    photos = sorted(fetch_photos(cache_directory() / "photos").values())[:PHOTOS]
    rows = []
    for coding, options in CODINGS.items():
        sources = [make_photo(photo, **options) for photo in photos]
        before = sum(map(len, sources))
        measured = measure(sources, given.rounds)
        for name, (milliseconds, size) in measured.items():
            row = [coding, f"{before / len(sources) / 1e6:.2f}", name, f"{milliseconds:.0f}"]
            rows.append([*row, f"{measured[BEFORE][0] / milliseconds:.1f} ×", f"{size / before:.3f}"])
    about = about_here()
    page = "\n\n".join(
        [
            "# JPEGs that are not upright",
            f"- Made by `python -m benchmarks.rotation` on {about['date']}, commit {about['commit']}\n"
            f"- {len(photos)} photos of {SIZE[0]}×{SIZE[1]} pixels, quality 88, 4:2:0, EXIF orientation 6; CPU time",
            table(["coding", "MB a photo", "way", "ms a photo", "as fast as 0.1.0", "bytes ÷ source's"], rows),
        ]
    )
    (given.results / "rotation.md").write_text(page + "\n")
    print(page)


if __name__ == "__main__":
    main()
