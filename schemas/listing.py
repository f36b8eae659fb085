"""The listing: every input image with its label, size and version, in the order that the split and shuffle start from."""

from dataclasses import dataclass, field

import pyarrow as pa

# `version` tells one state of a file from another: an ETag on object stores, the modification time in ns on disks.
COLUMNS = pa.schema(
    [("source", pa.string()), ("label", pa.int32()), ("path", pa.string()), ("size", pa.int64()), ("version", pa.string())]
)


@dataclass(frozen=True)
class Listing:
    """What discover found.

    `images` has the columns above, ordered by source, label id and path (code points); `path` is relative to
    `roots[source]`, and a source is a split or `data`; where duplicates were looked for there is the plan's column `drop`
    too. `mistakes` must be mended before a build; `notes` are told only.
    """

    labels: tuple[str, ...]
    roots: dict[str, str]
    images: pa.Table
    passed_over: dict[str, int] = field(default_factory=dict)
    mistakes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
