"""Receipts read back from an output."""

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.layout import receipt_path
from schemas.plan import METADATA_KEY
from schemas.receipt import COLUMNS
from tasks.storage import Folder


def read_receipt(output: Folder, shard_name: str) -> pa.Table | None:
    """The receipt of a shard; None where there is none, or what lies there is not one."""
    try:
        with output.open(receipt_path(shard_name)) as file:
            receipt = pq.read_table(file)
    except (FileNotFoundError, pa.ArrowInvalid):
        return None
    return receipt if receipt.schema.equals(COLUMNS) else None


def receipt_fingerprint(receipt: pa.Table) -> str:
    """The fingerprint of the shard that a receipt speaks of; empty where it has none."""
    metadata: dict[bytes, bytes] = receipt.schema.metadata or {}
    return metadata.get(METADATA_KEY, b"").decode()
