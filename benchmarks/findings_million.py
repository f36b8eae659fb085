"""The cost of the findings for a synthetic manifest of a million images with duplicates, clusters and blank pictures.

    python -m benchmarks.findings_million            # measures and writes results/findings.md

Two manifests that differ in their hashes only: in `even` all hashes are equally likely; in `photo-like` they come from smooth
random pictures, so that many agree in many bits, as those of photographs do. In both, a fifth of all images share one hash, a
tenth lie in clusters of near hashes, 2 % are blank, 5 % are exact duplicates, some of them across labels and splits.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.bench import RESULTS, about_here
from benchmarks.made_up_rows import digests_of, written_rows
from benchmarks.report import table
from imagerecords.schemas.output_files import MANIFEST
from imagerecords.schemas.receipt import COLUMNS
from imagerecords.tasks.findings.find import find
from imagerecords.tasks.storage.folders import open_folder

LABELS = 1000
IMAGES_PER_SHARD = 1000
VALIDATION_SHARDS = 0.05
ONE_HASH, CLUSTERED, BLANK, DUPLICATED = 0.2, 0.1, 0.02, 0.05
CLUSTER = 20  # images round one hash


def even_hashes(draw: np.random.Generator, count: int) -> np.ndarray:
    """Hashes that are all equally likely."""
    return draw.integers(1, 2**64 - 1, count, dtype=np.uint64)


def photo_like_hashes(draw: np.random.Generator, count: int) -> np.ndarray:
    """Difference hashes, 8 rows of 8 comparisons, of pictures drawn from 5×5 random shades with smooth ways between them."""
    down, across = (_weights(places) for places in (8, 9))
    hashes = []
    for start in range(0, count, 50_000):
        shades = draw.normal(size=(min(50_000, count - start), 5, 5)).astype(np.float32)
        pictures = np.einsum("yi,nij,xj->nyx", down, shades, across, optimize=True)
        rises = (pictures[:, :, 1:] > pictures[:, :, :-1]).reshape(len(shades), 64)
        hashes.append(np.packbits(rises, axis=1).view(">u8").ravel().astype(np.uint64))
    return np.concatenate(hashes)


def _weights(places: int) -> np.ndarray:
    """How much of each of five shades is in each of so many places between the first and the last."""
    position = np.linspace(0, 4, places, dtype=np.float32)[:, None]
    return np.clip(1 - np.abs(position - np.arange(5, dtype=np.float32)), 0, 1)


HASHES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "even": even_hashes,
    "photo-like": photo_like_hashes,
}


def make_manifest(directory: Path, images: int, kind: str) -> None:
    """Write a manifest of this many written images, one row group per shard."""
    draw = np.random.default_rng(1)
    dhash = HASHES[kind](draw, images)
    fate = draw.random(images)
    dhash[fate < ONE_HASH] = 0x0123_4567_89AB_CDEF
    clustered = np.flatnonzero((fate >= ONE_HASH) & (fate < ONE_HASH + CLUSTERED))
    centres = draw.integers(1, 2**64 - 1, len(clustered) // CLUSTER + 1, dtype=np.uint64)
    flips = np.uint64(1) << draw.integers(0, 64, (2, len(clustered)), dtype=np.uint64)
    dhash[clustered] = centres[np.arange(len(clustered)) // CLUSTER] ^ flips[0] ^ flips[1]
    contrast = draw.uniform(0.05, 0.3, images).astype(np.float32)
    contrast[draw.random(images) < BLANK] = 0
    content = np.arange(images)
    duplicates = np.flatnonzero(draw.random(images) < DUPLICATED)
    content[duplicates] = draw.integers(0, images, len(duplicates))
    dhash[duplicates] = dhash[content[duplicates]]
    label = draw.integers(1, LABELS + 1, images)
    shards = -(-images // IMAGES_PER_SHARD)
    training = int(shards * (1 - VALIDATION_SHARDS))
    with pq.ParquetWriter(directory / MANIFEST, COLUMNS, compression="zstd") as writer:
        for shard in range(shards):
            here = slice(shard * IMAGES_PER_SHARD, min(images, (shard + 1) * IMAGES_PER_SHARD))
            place = ("train", shard, training) if shard < training else ("validation", shard - training, shards - training)
            writer.write_table(_rows(draw, place, label[here], content[here], (contrast[here], dhash[here])))


def _rows(
    draw: np.random.Generator,
    place: tuple[str, int, int],
    label: np.ndarray,
    content: np.ndarray,
    quality: tuple[np.ndarray, np.ndarray],
) -> pa.Table:
    """The rows of one shard."""
    split, shard, shards = place
    labels = label.tolist()
    given = {
        "path": [f"n{number:08d}/n{number:08d}_{image}.JPEG" for image, number in enumerate(labels)],
        "label": label,
        "text": [f"n{number:08d}" for number in labels],
        "sha256": digests_of(content.tolist()),
        "contrast": quality[0],
        "dhash": quality[1],
    }
    return written_rows(draw, (split, f"{split}-{shard:05d}-of-{shards:05d}"), given)


def measure(directory: Path) -> dict[str, object]:
    """Seconds of `find`, what it found, and the peak memory of this process in MB, before and after."""
    before = _peak_mb()
    began, began_cpu = time.perf_counter(), time.process_time()
    findings = find(open_folder(str(directory), {}))
    seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    counts = findings.counts.model_dump_json()
    return {"seconds": seconds, "cpu_seconds": cpu, "before_mb": before, "peak_mb": _peak_mb(), "counts": json.loads(counts)}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def render(images: int, measured: dict[str, dict[str, object]]) -> str:
    """The page, as Markdown."""
    about = about_here()
    machine = about["machine"]
    heads = [
        "manifest",
        "seconds (goal 60)",
        "CPU seconds",
        "peak memory, MB (goal 1,000)",
        "of it imports",
        "exact groups",
        "near groups",
    ]
    rows = []
    for kind, figures in measured.items():
        counts: dict[str, dict[str, dict[str, int]]] = figures["counts"]  # type: ignore[assignment]
        groups = [f"{sum(part['groups'] for part in counts[name].values()):,}" for name in ("exact", "near")]
        times = [f"{figures[name]:.1f}" for name in ("seconds", "cpu_seconds")]
        rows.append([kind, *times, f"{figures['peak_mb']:.0f}", f"{figures['before_mb']:.0f}", *groups])
    parts = [
        "# Findings",
        f"- Made by `python -m benchmarks.findings_million --images {images}` on {about['date']}, commit {about['commit']}\n"
        f"- Machine: {machine['cores']} cores, {machine['cpu']}, {machine['memory_gb']:.0f} GB; not guarded against other work",
        f"## A manifest of {images:,} images",
        table(heads, rows),
        "One run each, in a process of its own; resident memory. A fifth of the images share one hash, a tenth lie in "
        "clusters, 2 % are blank, 5 % are exact duplicates. `photo-like`: hashes made from smooth random pictures, which agree "
        "in many bits.",
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Make the manifests, measure each in a process of its own, save and print; or measure one that is there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.findings_million", description="What findings cost.")
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--measure", type=Path, help="directory of a manifest to measure, as JSON")
    parser.add_argument("--results", type=Path, default=RESULTS, help="directory for findings.md")
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure)))
        return
    measured = {}
    for kind in HASHES:
        with tempfile.TemporaryDirectory() as directory:
            make_manifest(Path(directory), given.images, kind)
            command = [sys.executable, "-m", "benchmarks.findings_million", "--measure", directory]
            measured[kind] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            print(kind, measured[kind], file=sys.stderr)
    page = render(given.images, measured)
    (given.results / "findings.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
