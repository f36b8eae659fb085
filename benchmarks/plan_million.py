"""What planning costs: a made-up listing of a million images, split, shuffled, cut and written as plan.parquet."""

import argparse
import json
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from imagerecords.schemas.listing import COLUMNS, Listing
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.dataset.plan_file import write_plan
from imagerecords.tasks.partition import partition_images
from imagerecords.tasks.storage.folders import open_folder

LABELS = 1000
GIVEN = 5  # columns of a listing that every image has; the others may be null
FIRST_TIME = 1_700_000_000_000_000_000  # ns; modification times as a disk gives them


def make_listing(images: int, root: str) -> Listing:
    """A listing with ImageNet's manner of names, ordered as discover orders it."""
    labels = tuple(f"n{1_440_764 + 13_577 * number:08d}" for number in range(LABELS))
    batches = []
    for number, label in enumerate(labels, start=1):
        count = images * number // LABELS - images * (number - 1) // LABELS
        batches.append(pa.RecordBatch.from_arrays(list(_columns(number, label, count)), schema=COLUMNS))
    return Listing(labels=labels, roots={"data": root}, images=pa.Table.from_batches(batches, COLUMNS))


def _columns(number: int, label: str, count: int) -> Iterator[pa.Array]:
    """The columns of one label's images."""
    draw = random.Random(number)
    yield pa.array(["data"] * count, pa.string())
    yield pa.array([number] * count, pa.int32())
    yield pa.array(sorted(f"{label}/{label}_{image}.JPEG" for image in draw.sample(range(100_000), count)), pa.string())
    yield pa.array([draw.randint(20_000, 220_000) for _ in range(count)], pa.int64())
    yield pa.array([str(FIRST_TIME + draw.randrange(10**15)) for _ in range(count)], pa.string())
    yield from (pa.nulls(count, field.type) for field in list(COLUMNS)[GIVEN:])


def measure(images: int) -> dict[str, float]:
    """Seconds of partition and of write_plan, and the peak memory of this process in MB, before and after."""
    with tempfile.TemporaryDirectory() as directory:
        listing = make_listing(images, "/data/images")
        settings = BuildSettings(
            output_directory=directory, data_directory="/data/images", validation_fraction=0.05, test_fraction=0.05
        )
        peak_listing = _peak_mb()
        began = time.perf_counter()
        plan = partition_images(listing, settings)
        partitioned = time.perf_counter()
        write_plan(open_folder(directory, {}), plan)
        written = time.perf_counter()
        size = sum(path.stat().st_size for path in Path(directory).rglob("*") if path.is_file())
    return {
        "images": images,
        "shards": len(plan.shards),
        "partition_seconds": partitioned - began,
        "write_seconds": written - partitioned,
        "seconds": written - began,
        "peak_mb": _peak_mb(),
        "peak_mb_with_listing_alone": peak_listing,
        "plan_mb": size / 1e6,
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def main() -> None:
    """Measure and print as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plan_million", description=__doc__)
    parser.add_argument("--images", type=int, default=1_000_000)
    print(json.dumps(measure(parser.parse_args().images), indent=2))


if __name__ == "__main__":
    main()
