"""How the cost of each step grows with the number of images and of shards.

    python -m benchmarks.scale                       # measures and writes results/scale.md
    python -m benchmarks.scale --real 1000x10 --made-up 1000x10,10000x100

Two kinds of data. `real` are small JPEGs that differ, built, reported, audited and appended to by the direct runner with two
workers. `made up` are listings and receipts without images, for sizes that no disk here holds: everything but convert, validate
and audit, which read images, is run on them. Each step runs in a process of its own, all in memory (/dev/shm), so that no disk
is measured. Time is CPU time: of the measured process, and of convert's and validate's workers the time that passes.
"""

import argparse
import io
import itertools
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from benchmarks.bench import RESULTS, about_here
from benchmarks.made_up_rows import digests_of, written_rows
from benchmarks.plan_million import make_listing
from benchmarks.report import table
from imagerecords.flows.direct import build_directly
from imagerecords.flows.executors.no_pandas import keep_pandas_out
from imagerecords.schemas.audit import AuditOptions
from imagerecords.schemas.data_card import Outcome
from imagerecords.schemas.listing import Listing
from imagerecords.schemas.output_files import REPORT
from imagerecords.schemas.receipt import VerifiedShard
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.summary import BuildSummary
from imagerecords.tasks.append import append_images, base_plan
from imagerecords.tasks.audit.folder import audit_folder
from imagerecords.tasks.data_card.gather import make_report, write_report
from imagerecords.tasks.dataset.plan_file import read_whole_plan
from imagerecords.tasks.dataset.receipts import write_receipt
from imagerecords.tasks.findings.find import find
from imagerecords.tasks.partition import partition_images
from imagerecords.tasks.prepare import prepare_output
from imagerecords.tasks.publish import publish_dataset
from imagerecords.tasks.storage.folders import open_folder, open_output

REAL = "1000x1,1000x10,10000x1,10000x100,10000x1000"
MADE_UP = "1000x10,10000x100,100000x1000,1000000x10000"
APPENDED = 0.01  # of the images
LABELS = 10
SIZE = 48, 32
Measured = dict[str, float]


class StepTimes:
    """A build's progress that keeps the time at which each phase began."""

    def __init__(self) -> None:
        self.began: dict[str, float] = {"plan": time.perf_counter()}

    def note(self, text: str) -> None:
        """Nothing is printed."""

    def begin(self, phase: str, shards: int, images: int) -> None:
        """Keep the time."""
        self.began[phase] = time.perf_counter()

    def advance(self, images: int) -> None:
        """Nothing is printed."""

    def end(self) -> None:
        """Nothing is printed."""

    def report(self, summary: BuildSummary) -> None:
        """Keep the times of the build's own clock."""
        ended = time.perf_counter()
        self.began |= {"publish": ended - summary.timeline.ended + summary.timeline.last_shard_validated, "end": ended}

    def seconds(self) -> Measured:
        """The seconds of each phase."""
        names = ["plan", "convert", "validate", "publish", "end"]
        return {name: self.began[after] - self.began[name] for name, after in itertools.pairwise(names)}


def make_images(root: Path, first: int, images: int) -> None:
    """Small JPEGs that differ, in folders of labels."""
    for label in range(LABELS):
        (root / f"label{label}").mkdir(parents=True, exist_ok=True)
    for number in range(first, first + images):
        draw = np.random.default_rng(number)
        picture = Image.fromarray(draw.integers(0, 255, (SIZE[1] // 8, SIZE[0] // 8, 3), np.uint8)).resize(SIZE)
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=80, comment=str(number).encode())
        (root / f"label{number % LABELS}" / f"{number:07}.jpg").write_bytes(file.getvalue())


def _settings(root: Path, shards: int, **more: object) -> BuildSettings:
    where = {"train_directory": str(root / "images"), "output_directory": str(root / "out")}
    return BuildSettings.model_validate({**where, "train_shards": shards, "workers": 2, **more})


def build(root: Path, images: int, shards: int) -> Measured:
    """A build of real images."""
    make_images(root / "images", 0, images)
    progress = StepTimes()
    build_directly(_settings(root, shards), progress)
    return progress.seconds()


def append(root: Path, images: int, shards: int) -> Measured:
    """The same data set with new images: the whole build, which verifies all of its shards."""
    make_images(root / "images", images, max(1, int(images * APPENDED)))
    began = time.perf_counter()
    build_directly(_settings(root, 1, append=True), StepTimes())
    return {"append": time.perf_counter() - began}


def report(root: Path, images: int, shards: int) -> Measured:
    """The data card of real images."""
    began = time.process_time()
    make_report(str(root / "out"), {})
    return {"report": time.process_time() - began}


def audit(root: Path, images: int, shards: int) -> Measured:
    """An audit of real images."""
    began = time.perf_counter()
    result = audit_folder(str(root / "out"), {}, AuditOptions())
    if result.problems:
        raise SystemExit(f"error: audit must find nothing, got {result.problems[0]}")
    return {"audit": time.perf_counter() - began}


def plan_made_up(root: Path, images: int, shards: int) -> Measured:
    """The plan of a made-up listing."""
    settings = _settings(root, shards, report=False)
    listing = _made_up(root, images)
    began = time.process_time()
    prepare_output(partition_images(listing, settings), settings)
    return {"plan": time.process_time() - began}


def publish_made_up(root: Path, images: int, shards: int) -> Measured:
    """The manifest, the findings and the files beside the shards of a made-up data set, without its data card."""
    settings = _settings(root, shards, report=False)
    verified = _write_receipts(settings)
    began = time.process_time()
    publish_dataset(verified, settings)
    return {"publish": time.process_time() - began}


def report_made_up(root: Path, images: int, shards: int) -> Measured:
    """The data card of a made-up data set, without pictures: it has no records."""
    output = open_folder(str(root / "out"), {})
    findings = find(output)
    began = time.process_time()
    write_report(output, Outcome(True, findings=findings), {})
    output.remove(REPORT)
    return {"report": time.process_time() - began}


def append_made_up(root: Path, images: int, shards: int) -> Measured:
    """The plan of a made-up data set with new images."""
    settings = _settings(root, 1, append=True)
    listing = _made_up(root, images + max(1, int(images * APPENDED)))
    began = time.process_time()
    base = base_plan(settings)
    if base is None:
        raise SystemExit("error: there must be a plan to append to")
    prepare_output(append_images(base, listing, settings).plan, settings)
    return {"append": time.process_time() - began}


def _made_up(root: Path, images: int) -> Listing:
    (root / "images").mkdir(exist_ok=True)
    listing = make_listing(images, "")
    source = pa.array(["train"] * listing.images.num_rows, pa.string())
    return Listing(listing.labels, {"train": (root / "images").as_uri()}, listing.images.set_column(0, "source", source))


def _write_receipts(settings: BuildSettings) -> list[VerifiedShard]:
    """A receipt for each planned shard, and what validate would say of it."""
    output, draw, verified = open_output(settings), np.random.default_rng(1), []
    for shard, rows in read_whole_plan(output):
        paths = rows["path"].to_pylist()
        planned = {"path": rows["path"], "label": rows["label"], "source_size": rows["size"]}
        given = {**planned, "text": [path.partition("/")[0] for path in paths], "sha256": digests_of(paths)}
        receipt = written_rows(draw, (shard.split, shard.name), given)
        write_receipt(output, shard.name, shard.fingerprint, receipt)
        (digest,) = digests_of([shard.name])
        verified.append(VerifiedShard(shard.name, len(paths), pc.sum(receipt["size"]).as_py(), digest))
    return verified


STEPS: dict[str, tuple[Callable[[Path, int, int], Measured], ...]] = {
    "real": (build, report, audit, append),
    "made up": (plan_made_up, publish_made_up, report_made_up, append_made_up),
}
COLUMNS_SHOWN = ("plan", "convert", "validate", "publish", "report", "audit", "append")


def measure(kind: str, images: int, shards: int) -> tuple[Measured, Measured]:
    """The seconds of each step, and the largest memory of the process that ran it, in MB."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="imagerecords-scale-") as root:
        measured: Measured = {}
        peaks = {}
        for step in STEPS[kind]:
            command = [sys.executable, "-m", "benchmarks.scale", "--step", step.__name__, root, str(images), str(shards)]
            ran = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            found = json.loads(ran.stdout)
            peaks[step.__name__.partition("_")[0]] = found.pop("peak")
            measured |= found
    return measured, peaks


def _run_step(name: str, root: str, images: str, shards: str) -> None:
    keep_pandas_out()  # as the command does
    step = next(step for steps in STEPS.values() for step in steps if step.__name__ == name)
    measured = step(Path(root), int(images), int(shards))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps(measured | {"peak": peak}))


def _lines(kind: str, sizes: list[tuple[int, int]]) -> list[str]:
    """A table of all sizes, and of the exponents from the smallest to the largest with as many images per shard."""
    rows, by_size = [], {}
    for images, shards in sizes:
        found, peaks = measure(kind, images, shards)
        by_size[images, shards] = found
        shown = [f"{found[name]:.2f}" if name in found else "" for name in COLUMNS_SHOWN]
        rows.append([f"{images:,}", f"{shards:,}", *shown, ", ".join(f"{step} {peak:.0f}" for step, peak in peaks.items())])
        print(kind, *rows[-1], file=sys.stderr, flush=True)
    alike = sorted(size for size in by_size if size[0] == size[1] * 100)
    for less, more in itertools.pairwise(alike):
        growth = [_exponent(by_size[less].get(name), by_size[more].get(name), more[0] / less[0]) for name in COLUMNS_SHOWN]
        rows.append([f"{less[0]:,} → {more[0]:,}", "exponent", *growth, ""])
    return [f"## {kind.capitalize()} images", table(["images", "shards", *COLUMNS_SHOWN, "peak MB"], rows)]


def _exponent(less: float | None, more: float | None, factor: float) -> str:
    return f"{math.log(more / less) / math.log(factor):.2f}" if less and more else ""


def _sizes(text: str) -> list[tuple[int, int]]:
    return [(int(images), int(shards)) for images, _, shards in (size.partition("x") for size in text.split(",") if size)]


def main() -> None:
    """Measure and write the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--real", default=REAL, help="IMAGESxSHARDS, separated by commas")
    parser.add_argument("--made-up", default=MADE_UP, help="the same, of made-up images")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--step", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        _run_step(*given.step)
        return
    about = about_here()
    machine = about["machine"]
    parts = [
        "# How cost grows",
        f"- Made by `python -m benchmarks.scale` on {about['date']}, commit {about['commit']}\n"
        f"- Machine: {machine['cores']} cores, {machine['cpu']}, {machine['memory_gb']:.0f} GB; not guarded against other work",
        "Seconds: CPU time of plan, publish, report and append of made-up images; else the time that passed, with two workers. "
        "The exponent is that of time by images, with a hundred images per shard: 1 is linear. Peak MB: the process that ran "
        "the step, without its workers.",
    ]
    for kind, sizes in (("real", _sizes(given.real)), ("made up", _sizes(given.made_up))):
        parts += _lines(kind, sizes) if sizes else []
    given.results.mkdir(parents=True, exist_ok=True)
    (given.results / "scale.md").write_text("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
