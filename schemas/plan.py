"""The plan: which image goes into which shard, and the reference by which a worker finds its own.

plan.parquet holds one row group a shard, in the shards' order; what is not rows is JSON in the file's metadata.
"""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from schemas.layout import ShardName
from schemas.settings import Split

METADATA_KEY = b"imagerecords"
COLUMNS = pa.schema([("label", pa.int32()), ("path", pa.string()), ("size", pa.int64()), ("version", pa.string())])


@dataclass(frozen=True, slots=True)
class Shard:
    """A reference to one planned shard: its name, its row group in the plan, and the fingerprint of its content."""

    split: Split
    index: int
    count: int
    row_group: int
    fingerprint: str

    @property
    def name(self) -> str:
        """The file name, `train-00000-of-00008`."""
        return str(ShardName(self.split, self.index, self.count))


class PlannedShard(BaseModel):
    """A shard as the plan's header tells it; `bytes` are those of its input files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: Split
    index: int
    count: int
    images: int
    bytes: int
    fingerprint: str


class PlanHeader(BaseModel):
    """All of a plan but its rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    labels: tuple[str, ...]
    roots: dict[str, str]
    content: dict[str, Any]
    shards: tuple[PlannedShard, ...]
    passed_over: dict[str, int]
    digest: str

    def references(self) -> list[Shard]:
        """The shards as references, in their order."""
        return [
            Shard(shard.split, shard.index, shard.count, row_group, shard.fingerprint)
            for row_group, shard in enumerate(self.shards)
        ]

    def label_text(self, label: int) -> str:
        """The text of a label id, 1 to the number of labels."""
        return self.labels[label - 1]


@dataclass(frozen=True)
class Plan:
    """The header, and all rows in the shards' order."""

    header: PlanHeader
    images: pa.Table

    def tables(self) -> list[pa.Table]:
        """The rows of each shard."""
        tables, start = [], 0
        for shard in self.header.shards:
            tables.append(self.images.slice(start, shard.images))
            start += shard.images
        return tables
