"""Results of the commands on finished data sets: places of images, differences, extracted and removed images."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from pydantic import BaseModel, ConfigDict, Field

from imagerecords.schemas.labels import NO_LABEL_TEXT


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
    labels: list[int] | None = None
    texts: list[str] | None = None

    def __str__(self) -> str:
        if self.record is None:
            return f"{self.split} {self.path}: {self.status}: {self.reason}: {self.message}"
        label = label_words(self.label, self.text) if self.labels is None else labels_words(self.labels, self.texts or [])
        return f"{self.split} {self.path}: {self.shard} record {self.record} at byte {self.offset}, {self.size} bytes, {label}"


def label_words(label: int | None, text: str | None) -> str:
    """A record's label as it is printed: id and text, what there is of them, or that there is none."""
    known = [str(label)] * (label is not None) + [repr(text)] * (text is not None)
    return " ".join(["label", *known]) if known else NO_LABEL_TEXT


def labels_words(labels: Sequence[int], texts: Sequence[str]) -> str:
    """All labels of a record as they are printed: ids and texts."""
    if not labels:
        return NO_LABEL_TEXT
    pairs = [f"{label} {text!r}" for label, text in zip(labels, texts, strict=True)]
    return f"{'label' if len(pairs) == 1 else 'labels'} {', '.join(pairs)}"


# The manifest's columns by which images are found; a folder without a manifest gives the same from its records.
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
    """What an extraction wrote, and what was there already with the same bytes.

    `unlabelled` counts images whose record has no label, not even of an object, `without_image` records without an image,
    `several` images with several labels, which are in the folder of their first, `of_objects` written images whose record has
    no label of the image, but one of its objects, `broken` records that can't be read, in a
    folder without a manifest. `other_images` are the keys of images beside the one that was written of their record.
    """

    written: int
    present: int
    labels: int
    unlabelled: int = 0
    without_image: int = 0
    several: int = 0
    of_objects: int = 0
    broken: int = 0
    other_images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Removal:
    """The removed images, the rewritten shards, and the data set's new digest."""

    images: tuple[str, ...]
    already: tuple[str, ...]
    shards: tuple[str, ...]
    digest: str
