"""Receipts in an output: written with page checksums, so that damage is seen when they are read back."""

import io

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.layout import receipt_path
from schemas.plan import METADATA_KEY
from schemas.receipt import COLUMNS
from tasks.storage import Folder


def read_receipt(output: Folder, shard_name: str) -> pa.Table | None:
    """The receipt of a shard; None where there is none, or what lies there is not one."""
    try:
        data = output.read(receipt_path(shard_name))
    except FileNotFoundError:
        return None
    try:
        receipt = pq.read_table(io.BytesIO(data), page_checksum_verification=True)
    except (pa.ArrowException, OSError):  # Arrow tells damage as either
        return None
    return receipt if receipt.schema.equals(COLUMNS) else None


def receipt_fingerprint(receipt: pa.Table) -> str:
    """The fingerprint of the shard that a receipt speaks of; empty where it has none."""
    metadata: dict[bytes, bytes] = receipt.schema.metadata or {}
    return metadata.get(METADATA_KEY, b"").decode()


def write_receipt(output: Folder, shard_name: str, fingerprint: str, receipt: pa.Table) -> None:
    """Write the receipt of a shard, whole."""
    table = receipt.replace_schema_metadata({METADATA_KEY: fingerprint.encode()})
    with output.write_whole(receipt_path(shard_name)) as file:
        pq.write_table(table, file, compression="zstd", write_page_checksum=True)
