"""The contenders: the command of each, and how to read the time of its work from its output."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.listing import SHARDS

WORKERS = 2
OURS_ALL, OURS_NONE, CLASSIC, LOWER_BOUND = "imagerecords, check all", "imagerecords, check none", "classic loop", "lower bound"
WEBDATASET_TWO = "webdataset, two processes"


@dataclass(frozen=True)
class Contender:
    """A command over (data, output), run in a new process each time; `read` gets images and work seconds from its output."""

    name: str
    about: str
    command: Callable[[Path, Path], list[str]]
    read: Callable[[str], tuple[int, float]]


def build_command(data: Path | str, output: Path | str, *options: str) -> list[str]:
    """`imagerecords build` as installed beside this Python."""
    program = Path(sys.executable).with_name("imagerecords")
    if not program.exists():
        raise SystemExit(f"error: imagerecords must be installed beside {sys.executable}. Run: pip install -e '.[dev]'")
    fixed = ["--json", "--workers", str(WORKERS), "--train_shards", str(SHARDS)]
    where = ["--train_directory", str(data), "--output_directory", str(output)]
    return [str(program), "build", *fixed, *where, *options]


def read_summary(printed: str) -> tuple[int, float]:
    """Images written, and the seconds from the first shard's begin to the end of the last one's validation."""
    summary = json.loads(printed)
    timeline = summary["timeline"]
    written = sum(split["written"] for split in summary["splits"])
    return written, timeline["last_shard_validated"] - timeline["first_shard_began"]


def read_result(printed: str) -> tuple[int, float]:
    """What `listing.print_result` printed last."""
    measured: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return measured["images"], measured["work_seconds"]


def _ours(name: str, check: str, about: str) -> Contender:
    options = ("--no-prefect", "--check_pixels", check)
    return Contender(name, about, lambda data, output: build_command(data, output, *options), read_summary)


def _module(name: str, module: str, about: str, *options: str) -> Contender:
    def command(data: Path, output: Path) -> list[str]:
        return [sys.executable, "-m", f"benchmarks.{module}", str(data), str(output), *options]

    return Contender(name, about, command, read_result)


CONTENDERS = (
    _ours(OURS_ALL, "all", "every image's coefficients decoded, shards synced, read back and verified; 2 processes"),
    _ours(OURS_NONE, "none", "the same without decoding; 2 processes"),
    _module(CLASSIC, "classic", "full decode in a TensorFlow session, Example, TFRecordWriter; 2 threads"),
    _module(LOWER_BOUND, "lower_bound", "read, decode coefficients, SHA-256, write bytes, nothing else; 2 processes"),
    _module("TFDS builder", "peer_tfds", "bytes as they are to TFRecord, nothing decoded; 1 process"),
    _module("webdataset ShardWriter", "peer_webdataset", "bytes as they are to tar, nothing decoded; 1 process"),
    _module(WEBDATASET_TWO, "peer_webdataset", "the same by two ShardWriters of half of the images each; 2 processes", "2"),
)
