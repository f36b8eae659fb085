"""The plan: which image goes into which shard, and the references by which workers find their shards.

plan.parquet has the rows of all shards, in the shards' order. The rest is JSON in the file's metadata: a header that every
worker reads, and apart from it the list of shards, which only the parent process needs.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from imagerecords.schemas.boxes import PLANNED_BOXES, PLANNED_OBJECTS, BoxCounts
from imagerecords.schemas.example import BOXES, DETECTION, OWN_OBJECTS, SEVERAL, SYNSETS
from imagerecords.schemas.labels import NO_LABEL, NO_LABEL_TEXT
from imagerecords.schemas.output_files import ShardName
from imagerecords.schemas.splits import Split

METADATA_KEY = b"imagerecords"
SHARDS_KEY = b"imagerecords.shards"
EXTRAS_KEY = b"imagerecords.extras"  # in the manifest: what its records have beyond the classic features, comma-separated
DROP = pa.field("drop", pa.string())  # why an image is not to be written; null for all others
GROUP = pa.field("group", pa.string())  # of the images that stay in one split with it; null where its path is the group
COLUMNS = pa.schema(
    [
        ("label", pa.int32()),
        ("path", pa.string()),
        ("size", pa.int64()),
        ("version", pa.string()),
        ("labels", pa.list_(pa.int32())),
        ("boxes", PLANNED_BOXES),
        ("objects", PLANNED_OBJECTS),
        DROP,
        GROUP,
    ]
)
ADDED = ("labels", "objects")  # columns that plans of version 0.1.0 lack


@dataclass(frozen=True, slots=True)
class Shard:
    """A reference to one planned shard: its name, its rows in the plan, and the fingerprint of its content.

    `build` is the id of its build, as in the output's lock; without one no lock is checked. `killers` are the paths of images
    at which worker processes died, and which are rejected.
    """

    split: Split
    index: int
    count: int
    rows: range
    fingerprint: str
    build: str = ""
    killers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The file name, `train-00000-of-00008`."""
        return str(ShardName(self.split, self.index, self.count))


class PlannedShard(BaseModel):
    """A shard as the plan lists it; `bytes` are those of its input files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: Split
    index: int
    count: int
    images: int
    bytes: int
    fingerprint: str

    @property
    def name(self) -> str:
        """The file name, `train-00000-of-00008`."""
        return str(ShardName(self.split, self.index, self.count))


class PlanHeader(BaseModel):
    """A plan without its shards and rows.

    `content` and `layout` are the settings that decided the bytes and the places of records; `encoder` is the ENCODER_VERSION
    of its shards, `extends` the digest of the plan that it adds images to, empty for a first build. `texts` are the human words
    for labels that are synsets; `boxes` the counts of boxes, None in a data set without any; `object_labels` the classes of
    objects by id, None where they are the labels. `boxes_in_display_orientation` says that boxes were drawn on the upright
    image, not on the image as stored. Plans of version 0.1.0 have two other names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    labels: tuple[str, ...]
    roots: dict[str, str]
    content: dict[str, Any]
    layout: dict[str, Any] = {}
    skipped: dict[str, int] = Field(validation_alias=AliasChoices("skipped", "passed_over"))  # the latter: 0.1.0
    encoder: str
    digest: str
    extends: str = ""
    texts: tuple[str, ...] | None = None
    boxes: BoxCounts | None = None
    object_labels: tuple[str, ...] | None = None
    boxes_in_display_orientation: bool = Field(
        False, validation_alias=AliasChoices("boxes_in_display_orientation", "boxes_as_shown")
    )

    @property
    def extras(self) -> tuple[str, ...]:
        """What records have beyond the classic features."""
        return extras(self, self.content)

    @property
    def for_detection(self) -> bool:
        """Whether records have the features of object detection too."""
        return DETECTION in self.extras

    def label_text(self, label: int) -> str:
        """The text of a label id, 1 to the number of labels; with synsets their human words, which need not differ."""
        return NO_LABEL_TEXT if label == NO_LABEL else (self.texts or self.labels)[label - 1]

    def label_name(self, label: int) -> str:
        """A label by its id as labels.txt has it, in counts."""
        return NO_LABEL_TEXT if label == NO_LABEL else self.labels[label - 1]

    def object_text(self, label: int) -> str:
        """The text of an object's class, by its id."""
        return self.label_text(label) if self.object_labels is None else self.object_labels[label - 1]

    def synset(self, label: int) -> str | None:
        """The synset of a label id; None where labels are no synsets."""
        return self.labels[label - 1] if self.texts else None


@dataclass(frozen=True)
class Plan:
    """The header, the shards in their order, and all rows in that order too."""

    header: PlanHeader
    shards: tuple[PlannedShard, ...]
    images: pa.Table

    def shards_of(self, split: Split) -> list[PlannedShard]:
        """The shards of a split, in their order; none where the plan has no such split."""
        return [shard for shard in self.shards if shard.split == split]

    def images_of(self, split: Split) -> pa.Table:
        """The rows of a split, in their order."""
        start = sum(shard.images for shard in itertools.takewhile(lambda shard: shard.split != split, self.shards))
        return self.images.slice(start, sum(shard.images for shard in self.shards_of(split)))

    def references(self, build: str = "") -> list[Shard]:
        """References to all shards, in their order, for a build."""
        return references(self.shards, build)

    def tables(self) -> list[pa.Table]:
        """The rows of each shard."""
        tables, start = [], 0
        for shard in self.shards:
            tables.append(self.images.slice(start, shard.images))
            start += shard.images
        return tables


@dataclass(frozen=True)
class Appended:
    """The plan of a data set with its new images, and the notes on it."""

    plan: Plan
    notes: tuple[str, ...]


class _Described(Protocol):
    """The part of a plan's header or a listing that extras depend on."""

    @property
    def texts(self) -> tuple[str, ...] | None: ...

    @property
    def boxes(self) -> BoxCounts | None: ...

    @property
    def object_labels(self) -> tuple[str, ...] | None: ...


def extras(described: _Described, content: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the extras of a data set, by the settings that decided its content."""
    detection = described.boxes is not None and content.get("features") == "detection"
    names = {
        BOXES: described.boxes is not None,
        SYNSETS: described.texts is not None,
        SEVERAL: content.get("labels") == "many",
        DETECTION: detection,
        OWN_OBJECTS: described.object_labels is not None,
    }
    return tuple(name for name, has in names.items() if has)


def references(shards: Sequence[PlannedShard], build: str = "") -> list[Shard]:
    """References to the shards of a plan, which must be all and in their order."""
    ends = itertools.accumulate(shard.images for shard in shards)
    return [
        Shard(shard.split, shard.index, shard.count, range(end - shard.images, end), shard.fingerprint, build)
        for shard, end in zip(shards, ends, strict=True)
    ]
