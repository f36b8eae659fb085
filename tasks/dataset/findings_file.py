"""findings.parquet: one row per finding and image, beside the manifest; its only reader and its only writer.

An image is there once for each of its findings: for each group of duplicates that it is in, and for each doubt about its
quality. `group` is the group's number among those of its kind, and null for a finding of a single image; `value` is the metric
that a single image was found by.
"""

import pyarrow as pa
import pyarrow.parquet as pq

from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.output_files import FINDINGS
from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.storage.arrow_files import arrow_reader
from imagerecords.tasks.storage.folders import Folder

COLUMNS = pa.schema(
    [
        ("kind", pa.string()),
        ("group", pa.int64()),
        ("across_splits", pa.bool_()),
        ("across_labels", pa.bool_()),
        ("value", pa.float32()),
        ("split", pa.string()),
        ("path", pa.string()),
        ("label", pa.int32()),
        ("text", pa.string()),
        ("shard", pa.string()),
        ("record", pa.int32()),
        ("sha256", pa.string()),
    ]
)


def write_findings(output: Folder, findings: pa.Table) -> None:
    """Write the findings, in the columns of COLUMNS."""
    with output.write_whole(FINDINGS) as file, pq.ParquetWriter(file, COLUMNS, compression="zstd") as writer:
        writer.write_table(findings.cast(COLUMNS))


def read_findings(folder: Folder) -> pa.Table:
    """The findings. Raises FileNotFoundError where there is no such file, CorruptRecord where it can't be read."""
    data = folder.read(FINDINGS)
    try:
        return pq.ParquetFile(arrow_reader(data)).read().cast(COLUMNS)
    except (pa.ArrowException, ValueError, OSError) as error:
        got = plain_words(error)
        raise CorruptRecord(f"{FINDINGS} must be readable, got {got}: {folder.join(FINDINGS)}. Build again") from error
