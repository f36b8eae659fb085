"""Names of the files in a data set: written by the build, recognised by audit.

A decision that binds users' data: the classic names `train-00000-of-00008`, no extension; nothing else at the top level
matches `train-*`, `validation-*` or `test-*`, because trainers glob them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from imagerecords.schemas.splits import EVERY_SPLIT

LABELS = "labels.txt"
MANIFEST = "manifest.parquet"
DATASET_INFO = "dataset_info.json"
FEATURES = "features.json"
CLASS_LABELS = "image-class-label.labels.txt"
OBJECT_LABELS = "object_labels.txt"  # classes of objects, where they are a list of their own; and their names for TFDS
OBJECT_CLASS_LABELS = "image-object-class-label.labels.txt"
LABEL_MAP = "label_map.pbtxt"  # of records for object detection
CROISSANT = "croissant.json"
REPORT = "report.html"
FINDINGS = "findings.parquet"
README = "README.md"

INDEX = "index"
BUILD = "_build"
PLAN = f"{BUILD}/plan.parquet"
RECEIPTS = f"{BUILD}/receipts"
ABOUT = f"{BUILD}/about.json"
LOCK = f"{BUILD}/lock"
REMOVALS = f"{BUILD}/removals.json"
KNOWN = f"{BUILD}/known"  # what a build knows of its images from earlier ones; removed when it is complete
KNOWN_IMAGES = f"{KNOWN}/images.arrow"
SCRATCH = f"{BUILD}/tmp"  # noqa: S108  # below the output, not the system's

OURS_AT_THE_TOP = frozenset(
    (
        *(LABELS, MANIFEST, DATASET_INFO, FEATURES, CLASS_LABELS, LABEL_MAP, CROISSANT, REPORT, FINDINGS, README),
        *(OBJECT_LABELS, OBJECT_CLASS_LABELS),
    )
)

SHARD_NAME = re.compile(r"(?P<prefix>.+)-(?P<index>[0-9]{5})-of-(?P<count>[0-9]{5})")


@dataclass(frozen=True, slots=True)
class ShardName:
    """A shard's file name in parts; `prefix` is the split, or whatever comes before the numbers."""

    prefix: str
    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.prefix}-{self.index:05d}-of-{self.count:05d}"


def parse_shard_name(name: str) -> ShardName | None:
    """The parts of `train-00000-of-00008`, or None when `name` is no shard's."""
    match = SHARD_NAME.fullmatch(name)
    return ShardName(match["prefix"], int(match["index"]), int(match["count"])) if match else None


def is_our_shard(name: str) -> bool:
    """Whether a build could have written a file of this name."""
    parts = parse_shard_name(name)
    return parts is not None and parts.prefix in EVERY_SPLIT


def is_ours(path: str) -> bool:
    """Whether a build could have written a file of this path, relative to the output."""
    return is_our_shard(path) or path in OURS_AT_THE_TOP or path.startswith((f"{INDEX}/", f"{BUILD}/"))


def index_path(shard_name: str) -> str:
    """The path of a shard's byte index, relative to the output."""
    return f"{INDEX}/{shard_name}.idx"


def index_text(places: Iterable[tuple[int, int]]) -> str:
    """The content of an index: a line "offset size" per record, as DALI's tfrecord2idx writes it."""
    return "".join(f"{offset} {size}\n" for offset, size in places)


def receipt_path(shard_name: str) -> str:
    """The path of a shard's receipt, relative to the output."""
    return f"{RECEIPTS}/{shard_name}.parquet"
