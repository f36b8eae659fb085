"""How fast audit reads, beside tf.data reading the same files: python -m benchmarks.bench_audit SCRATCH [IMAGES] [ROUNDS].

One data set of photo-like JPEGs of about 100 KB, in the page cache, read on one core. In each round every contender runs once;
what counts are CPU seconds and ratios within a round. Writes benchmarks/results/audit.md.
"""

import io
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
from PIL import Image

from imagerecords.flows.direct import build_directly
from imagerecords.flows.progress import LineProgress
from imagerecords.schemas.audit import AuditOptions
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.audit.folder import audit_folder

RESULTS = Path(__file__).parent / "results" / "audit.md"
PICTURES = 64  # that differ; more only repeat
STRUCTURE, DIGESTS, PIXELS = "audit --no-digests", "audit", "audit --pixels"
READ, PARSE, DECODE = "tf.data, reading", "tf.data, reading and parsing", "tf.data, reading, parsing and decoding"


def make_data_set(scratch: Path, images: int) -> Path:
    """A data set of two shards, newly built."""
    output = scratch / "audited"
    shutil.rmtree(output, ignore_errors=True)
    source = scratch / "pictures"
    shutil.rmtree(source, ignore_errors=True)
    pictures = [_picture(np.random.default_rng(number)) for number in range(PICTURES)]
    for number in range(images):
        folder = source / f"label{number % 10}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:06d}.jpg").write_bytes(pictures[number % PICTURES])
    settings = {"train_directory": str(source), "output_directory": str(output), "train_shards": 2, "executor": "threads"}
    build_directly(BuildSettings.model_validate(settings), LineProgress(lambda _: None, lambda _: None))
    return output


def _picture(draw: np.random.Generator) -> bytes:
    """A JPEG of 500×375 pixels and about 100 KB: large shapes with grain."""
    shapes = Image.fromarray(draw.integers(0, 256, (12, 16, 3), np.uint8)).resize((500, 375), Image.Resampling.BICUBIC)
    grained = np.asarray(shapes).astype(np.int16) + draw.normal(0, 12, (375, 500, 1)).astype(np.int16)
    file = io.BytesIO()
    Image.fromarray(grained.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=94)
    return file.getvalue()


def contenders(folder: Path) -> dict[str, Callable[[], int]]:
    """What is measured; each returns the number of records it read."""
    import tensorflow as tf

    names = sorted(map(str, folder.glob("train-*")))
    spec = {
        "image/encoded": tf.io.FixedLenFeature([], tf.string),
        "image/class/label": tf.io.FixedLenFeature([1], tf.int64),
        "image/class/text": tf.io.FixedLenFeature([], tf.string),
    }
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1

    def parse(data: object) -> object:
        return tf.io.parse_single_example(data, spec)

    def decode(data: object) -> object:
        return tf.io.decode_jpeg(tf.io.parse_single_example(data, spec)["image/encoded"], channels=3)

    def read(*steps: Callable[[object], object]) -> int:
        dataset = tf.data.TFRecordDataset(names).with_options(options)
        for step in steps:
            dataset = dataset.map(step)
        return sum(1 for _ in dataset)

    def audit(**depth: bool) -> int:
        found = audit_folder(str(folder), {}, AuditOptions(workers=1, **depth))
        if found.problems:
            raise SystemExit(f"error: the data set must be sound, got {found.problems[0]}")
        return found.records

    return {
        STRUCTURE: lambda: audit(digests=False),
        READ: read,
        PARSE: lambda: read(parse),
        DIGESTS: audit,
        PIXELS: lambda: audit(pixels=True),
        DECODE: lambda: read(decode),
    }


def measure(folder: Path, rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each contender in each round; one round before does not count."""
    seconds: dict[str, list[float]] = {}
    runs = contenders(folder)
    counts = {name: run() for name, run in runs.items()}
    if len(set(counts.values())) != 1:
        raise SystemExit(f"error: all must read the same records, got {counts}")
    for _ in range(rounds):
        for name, run in runs.items():
            began = time.process_time()
            run()
            seconds.setdefault(name, []).append(time.process_time() - began)
    return seconds


def report(seconds: dict[str, list[float]], size: int, images: int) -> str:
    """The results as Markdown."""
    rounds = len(seconds[PARSE])
    lines = [
        "# Audit beside tf.data",
        "",
        f"`python -m benchmarks.bench_audit`, {date.today()}: {images:,} records, {size / 1e6:,.0f} MB in two shards, in the",
        f"page cache, read on one core; {rounds} rounds, each contender once a round. CPU seconds, so that others on the",
        "machine count little.",
        "",
        "| | MB/s a core, median (least–most) | times tf.data reading and parsing, median (least–most) |",
        "|---|---|---|",
    ]
    for name, taken in seconds.items():
        speeds = [size / 1e6 / each for each in taken]
        ratios = [other / each for each, other in zip(taken, seconds[PARSE], strict=True)]
        lines.append(f"| {name} | {_spread(speeds, '.0f')} | {_spread(ratios, '.2f')} |")
    return "\n".join(lines) + "\n"


def _spread(values: list[float], form: str) -> str:
    return f"{statistics.median(values):{form}} ({min(values):{form}}–{max(values):{form}})"


def main() -> None:
    """Make, measure, write."""
    scratch = Path(sys.argv[1])
    images, rounds = (int(word) for word in (*sys.argv[2:], *("4000", "9")[len(sys.argv) - 2 :]))
    folder = make_data_set(scratch, images)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    seconds = measure(folder, rounds)
    text = report(seconds, sum(path.stat().st_size for path in folder.glob("train-*")), images)
    RESULTS.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
