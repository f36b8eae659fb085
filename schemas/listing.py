"""The listing: every input image with its label, size and version, in the order that the split and shuffle start from."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

import pyarrow as pa

from imagerecords.schemas.boxes import PLANNED_BOXES, PLANNED_OBJECTS, BoxCounts

# `version` identifies a state of a file: an ETag on object stores, the modification time in ns on disks.
# `group` is null where the list has none: then group_pattern or the path decides. `labels` has all
# ids of an image with labels=many, its `label` first (NO_LABEL where it has none), and is null otherwise; `boxes` and `objects`
# are as in schemas/boxes.py.
COLUMNS = pa.schema(
    [
        ("source", pa.string()),
        ("label", pa.int32()),
        ("path", pa.string()),
        ("size", pa.int64()),
        ("version", pa.string()),
        ("group", pa.string()),
        ("labels", pa.list_(pa.int32())),
        ("boxes", PLANNED_BOXES),
        ("objects", PLANNED_OBJECTS),
    ]
)


@dataclass(frozen=True)
class Listing:
    """What discover found.

    `images` has the columns above, ordered by source, label id (those without one last) and path (code points); `path` is
    relative to `roots[source]`, or absolute there, and a source is a split or `data`; with duplicates=drop there is
    the plan's column `drop` too. `errors` stop the build; `notes` are only reported. `texts`,
    `boxes` and `object_labels` are as in the plan's header.
    """

    labels: tuple[str, ...]
    roots: dict[str, str]
    images: pa.Table
    skipped: dict[str, int] = field(default_factory=dict)
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    texts: tuple[str, ...] | None = None
    boxes: BoxCounts | None = None
    object_labels: tuple[str, ...] | None = None
    boxes_in_display_orientation: bool = False

    @classmethod
    def of_errors(cls, errors: Iterable[str]) -> Self:
        """An empty listing with errors."""
        return cls((), {}, COLUMNS.empty_table(), errors=tuple(errors))
