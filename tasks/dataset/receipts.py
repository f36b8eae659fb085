"""Receipts in an output: sealed with a digest of the whole file, so that any damage is detected when they are read.

Parquet's own page checksums do not cover headers and footer. The digest is in the file's metadata; it is computed over the file
with UNSEALED in its place.
"""

import hashlib

import pyarrow as pa
import pyarrow.parquet as pq

from imagerecords.schemas.known import RECEIPT_KEYS
from imagerecords.schemas.output_files import receipt_path
from imagerecords.schemas.plan import METADATA_KEY
from imagerecords.schemas.receipt import COLUMNS, COLUMNS_OF_0_1_0, with_all_columns
from imagerecords.tasks.storage.arrow_files import arrow_reader
from imagerecords.tasks.storage.folders import Folder

SEAL_KEY = b"imagerecords.seal"
UNSEALED = b"-" * 64


def read_receipt(output: Folder, shard_name: str) -> pa.Table | None:
    """The receipt of a shard; None where there is none, or the file is damaged."""
    try:
        data = output.read(receipt_path(shard_name))
    except FileNotFoundError:
        return None
    try:
        file = pq.ParquetFile(arrow_reader(data))
        seal = (file.metadata.metadata or {}).get(SEAL_KEY)
        if not seal or seal != _seal(_replace_last(data, seal, UNSEALED)):
            return None
        receipt = file.read()
    except (pa.ArrowException, OSError, ValueError):  # Arrow raises any of these for damage
        return None
    if receipt.schema.equals(COLUMNS_OF_0_1_0):
        return with_all_columns(receipt)
    return receipt if receipt.schema.equals(COLUMNS) else None


def receipt_fingerprint(receipt: pa.Table) -> str:
    """The fingerprint of a receipt's shard; empty where it has none."""
    metadata: dict[bytes, bytes] = receipt.schema.metadata or {}
    return metadata.get(METADATA_KEY, b"").decode()


def write_receipt(output: Folder, shard_name: str, fingerprint: str, receipt: pa.Table) -> None:
    """Write the receipt of a shard, whole; the origin of its outcomes goes with it."""
    kept = {key: value for key, value in (receipt.schema.metadata or {}).items() if key in RECEIPT_KEYS}
    table = receipt.replace_schema_metadata({METADATA_KEY: fingerprint.encode(), **kept})
    buffer = pa.BufferOutputStream()
    with pq.ParquetWriter(buffer, table.schema, compression="zstd") as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({SEAL_KEY: UNSEALED})
    data: bytes = buffer.getvalue().to_pybytes()
    output.write(receipt_path(shard_name), _replace_last(data, UNSEALED, _seal(data)))


def _replace_last(data: bytes, old: bytes, new: bytes) -> bytes:
    """`data` with the last `old` replaced: the metadata are at the end, and page data could contain the same bytes."""
    before, _, after = data.rpartition(old)
    return before + new + after


def _seal(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()
