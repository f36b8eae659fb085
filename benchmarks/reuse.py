"""Building again over a finished data set, with and without reuse: python -m benchmarks.reuse [--images N] [--rounds R].

Each round has three builds over the same output: without reuse, with it and another seed, and with it from an input of which
1 % was changed or added. Each begins with the finished data set of the one before, of which no shard stays. Ratios are those
within a round. At the end both builds with reuse are made again without it: their digests must be the same.
"""

import argparse
import io
import json
import os
import shutil
import statistics
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.contenders import build_command
from benchmarks.make_data import make_data
from benchmarks.measure import fresh_output
from benchmarks.processes import Finished, adopt_orphans, run_command

CHANGED = 0.01  # of the images: half of them changed, half added
FULL, RESHUFFLED, ONE_PERCENT = "without reuse", "reshuffled", "1 % new or changed"
TARGETS = {RESHUFFLED: 0.40, ONE_PERCENT: 0.45}
FIRST_SEED = 1000


@dataclass(frozen=True)
class Built:
    """One build: its times, how many images were known, and its digest."""

    finished: Finished
    known: int
    digest: str


def changed_copy(data: Path, to: Path) -> Path:
    """The images as links, every two-hundredth with other pixels, and as many new ones."""
    paths = sorted(path for path in data.rglob("*") if path.is_file())
    step = round(2 / CHANGED)
    for number, path in enumerate(paths):
        target = to / path.relative_to(data)
        target.parent.mkdir(parents=True, exist_ok=True)
        if number % step:
            os.link(path, target)
        else:
            target.write_bytes(_with_other_pixels(path, 1))
            target.with_stem(f"{path.stem}-new").write_bytes(_with_other_pixels(path, 2))
    return to


def _with_other_pixels(path: Path, amount: int) -> bytes:
    """The same kind of file with its picture a little brighter."""
    with Image.open(path) as image:
        pixels = np.clip(np.asarray(image.convert("RGB")).astype(int) + amount, 0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, image.format, **({"quality": 90} if image.format == "JPEG" else {}))
        return file.getvalue()


def build(data: Path, output: Path, seed: int, *options: str) -> Built:
    """A build over the output."""
    finished = run_command(build_command(data, output, "--no-prefect", "--overwrite", "--seed", str(seed), *options))
    summary = json.loads(finished.printed)
    return Built(finished, summary["images_known"], summary["digest"])


def measure(data: Path, rounds: int) -> dict[str, list[Built]]:
    """The builds of all rounds, by what they are; SystemExit where reuse gives another data set."""
    built: dict[str, list[Built]] = {FULL: [], RESHUFFLED: [], ONE_PERCENT: []}
    with fresh_output() as scratch:
        changed, output = changed_copy(data, scratch / "changed"), scratch / "out"
        build(data, output, FIRST_SEED - 1)
        for number in range(rounds):
            seed = FIRST_SEED + 2 * number
            built[FULL].append(build(data, output, seed, "--no-reuse"))
            built[RESHUFFLED].append(build(data, output, seed + 1))
            built[ONE_PERCENT].append(build(changed, output, seed + 1))
            print(json.dumps({name: builds[-1].finished.seconds for name, builds in built.items()}), flush=True)
        shutil.rmtree(output)
        for images, name in ((data, RESHUFFLED), (changed, ONE_PERCENT)):
            if build(images, output, seed + 1, "--no-reuse").digest != built[name][-1].digest:
                raise SystemExit(f"error: a build with reuse must give the same data set: {name}")
    return built


def table(built: dict[str, list[Built]]) -> str:
    """The results in Markdown."""
    lines = [
        "| build | known images | whole command, s | CPU, s | ÷ without reuse, median (least–most) | CPU ÷ | target |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, builds in built.items():
        seconds, cpu = ([each.finished.seconds for each in builds], [each.finished.cpu_seconds for each in builds])
        ratios = [ours / full.finished.seconds for ours, full in zip(seconds, built[FULL], strict=True)]
        cpus = [ours / full.finished.cpu_seconds for ours, full in zip(cpu, built[FULL], strict=True)]
        lines.append(
            f"| {name} | {builds[-1].known:,} | {statistics.median(seconds):.1f} | {statistics.median(cpu):.1f} | "
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}) | {statistics.median(cpus):.2f} | "
            f"{TARGETS.get(name, '')} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reuse", description=__doc__)
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    adopt_orphans()
    print(table(measure(make_data(given.images), given.rounds)))


if __name__ == "__main__":
    main()
