"""The receipt of a shard: one row per input image with its outcome; all receipts together are the manifest."""

from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa


class Reason(StrEnum):
    """Why an image was rejected; a closed list, so that counts can be compared over time."""

    EMPTY_FILE = "empty_file"
    NOT_AN_IMAGE = "not_an_image"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MUCH_MEMORY = "too_much_memory"
    TOO_COMPLEX = "too_complex"
    TOO_MANY_BYTES = "too_many_bytes"
    TOO_SMALL = "too_small"
    TOO_ELONGATED = "too_elongated"
    ORIENTED = "oriented"
    ANIMATED = "animated"
    UNSUPPORTED = "unsupported"
    UNREADABLE = "unreadable"
    KILLED_WORKER = "killed_worker"
    CHANGED_DURING_BUILD = "changed_during_build"
    DUPLICATE = "duplicate"
    REMOVED = "removed"  # removed from the finished data set; it does not count against the budget of rejected images


ASKED_FOR = (Reason.DUPLICATE.value, Reason.REMOVED.value)  # not written because a setting or a command says so
MESSAGE_LENGTH = 300  # characters of a decoder's message kept in the manifest


class Rejected(Exception):
    """One image is rejected; `reason` is from the closed list, `message` for people."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message[:MESSAGE_LENGTH]


WRITTEN = "written"
REJECTED = "rejected"

# record, offset and size are the record's place in its shard; null for a rejected image. sha256 is the input file's,
# encoded_sha256 that of image/encoded (the same where the image is stored unchanged), crc32c the masked CRC of the record.
# The metrics from brightness to dhash are of the written picture's grey; null for a rejected image, and with check_pixels=none.
# boxes is the number of boxes written; null where the data set has none. odd_header says that libjpeg warns of the source's
# header or padding, on which no pixel depends; has_gps and has_thumbnail that the written JPEG has a position or a thumbnail
# in its metadata. Null for a rejected image. labels and texts are all of an image with labels=many, label and text the first;
# null in other data sets. Of an image without a label both lists are empty, and label and text null.
COLUMNS = pa.schema(
    [
        ("split", pa.string()),
        ("shard", pa.string()),
        ("path", pa.string()),
        ("label", pa.int32()),
        ("text", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("message", pa.string()),
        ("record", pa.int32()),
        ("offset", pa.int64()),
        ("size", pa.int64()),
        ("crc32c", pa.uint32()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("source_format", pa.string()),
        ("source_size", pa.int64()),
        ("sha256", pa.string()),
        ("encoded_sha256", pa.string()),
        ("brightness", pa.float32()),
        ("contrast", pa.float32()),
        ("sharpness", pa.float32()),
        ("dhash", pa.uint64()),
        ("boxes", pa.int32()),
        ("odd_header", pa.bool_()),
        ("has_gps", pa.bool_()),
        ("has_thumbnail", pa.bool_()),
        ("labels", pa.list_(pa.field("element", pa.int32()))),  # Parquet's name, so that what is read has the same bytes again
        ("texts", pa.list_(pa.field("element", pa.string()))),
    ]
)
# Receipts and manifests of version 0.1.0 lack these.
NOTES = ("odd_header", "has_gps", "has_thumbnail")
SINCE_0_1_0 = (*NOTES, "labels", "texts")
COLUMNS_OF_0_1_0 = pa.schema([column for column in COLUMNS if column.name not in SINCE_0_1_0])


def with_all_columns(rows: pa.Table) -> pa.Table:
    """A receipt of version 0.1.0 with the columns that it lacks, without values."""
    for name in SINCE_0_1_0:
        if name not in rows.schema.names:
            rows = rows.append_column(COLUMNS.field(name), pa.nulls(rows.num_rows, COLUMNS.field(name).type))
    return rows


@dataclass(frozen=True, slots=True)
class VerifiedShard:
    """A shard that was read back: its records, its size in bytes, and the SHA-256 of the file."""

    shard: str
    records: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ShardOutcome:
    """A receipt in short, and the time at which its conversion began (Unix seconds).

    `verified` is set when a finished shard was verified and reused. `known` counts images that an earlier build has decoded.
    """

    shard: str
    images: int
    written: int
    bytes: int
    began: float
    rejected: dict[str, int] = field(default_factory=dict)
    verified: VerifiedShard | None = None
    known: int = 0
