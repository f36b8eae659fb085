"""Results of the commands on finished data sets: places of images, differences, extracted and removed images."""

from dataclasses import dataclass, fields

from pydantic import BaseModel, ConfigDict, Field


class Selection(BaseModel):
    """The images that a command is about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: tuple[str, ...] = Field((), description="Text or id of a label; repeat for more. Without it: all.")
    split: str | None = Field(None, description="Only this split.")


@dataclass(frozen=True, slots=True)
class Located:
    """The place of an image; or, without a record, why it was rejected."""

    split: str
    shard: str
    path: str
    label: int | None
    text: str | None
    status: str
    reason: str | None
    message: str | None
    record: int | None
    offset: int | None
    size: int | None
    sha256: str | None
    encoded_sha256: str | None

    def __str__(self) -> str:
        if self.record is None:
            return f"{self.split} {self.path}: {self.status}: {self.reason}: {self.message}"
        label = f"label {self.label} {self.text!r}" if self.text is not None else f"label {self.label}"
        return f"{self.split} {self.path}: {self.shard} record {self.record} at byte {self.offset}, {self.size} bytes, {label}"


# The columns of the manifest by which images are found; without a manifest they come from the records.
CATALOGUE = [field.name for field in fields(Located)]


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of an image between two data sets; `kind` is added, removed, moved, relabelled, replaced or re-encoded."""

    kind: str
    split: str
    path: str
    was: str | None
    now: str | None

    def __str__(self) -> str:
        change = " → ".join(side for side in (self.was, self.now) if side is not None)
        return f"{self.kind} {self.split} {self.path}: {change}"


@dataclass(frozen=True, slots=True)
class Extracted:
    """The numbers of images that were written, and of those that were there already with the same bytes."""

    written: int
    present: int
    labels: int


@dataclass(frozen=True, slots=True)
class Removal:
    """The removed images, the rewritten shards, and the data set's new digest."""

    images: tuple[str, ...]
    already: tuple[str, ...]
    shards: tuple[str, ...]
    digest: str
