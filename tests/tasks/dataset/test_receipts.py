"""Receipts: whatever bit of one is flipped, it is no receipt any more."""

import pyarrow as pa
import pyarrow.parquet as pq

from imagerecords.schemas.receipt import COLUMNS
from imagerecords.tasks.dataset.receipts import read_receipt, receipt_fingerprint, write_receipt
from imagerecords.tasks.storage.folders import open_folder

SHARD = "train-00000-of-00001"


def test_a_receipt_reads_back_with_its_fingerprint_and_is_plain_parquet(tmp_path):
    output, receipt = open_folder(str(tmp_path), {}), pa.Table.from_pylist([{"path": f"cat/{'-' * 64}.jpg"}], COLUMNS)
    write_receipt(output, SHARD, "f" * 64, receipt)
    read = read_receipt(output, SHARD)
    assert read.equals(receipt)
    assert receipt_fingerprint(read) == "f" * 64
    assert pq.read_table(tmp_path / f"_build/receipts/{SHARD}.parquet").equals(receipt)


def test_a_flipped_bit_anywhere_is_seen(tmp_path):
    output, receipt = open_folder(str(tmp_path), {}), pa.Table.from_pylist([{"path": "cat/1.jpg", "label": 1}], COLUMNS)
    write_receipt(output, SHARD, "f" * 64, receipt)
    path = tmp_path / f"_build/receipts/{SHARD}.parquet"
    data = path.read_bytes()
    for place in range(0, len(data), 7):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert read_receipt(output, SHARD) is None, place


def test_without_a_seal_it_is_no_receipt(tmp_path):
    path = tmp_path / f"_build/receipts/{SHARD}.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(COLUMNS.empty_table(), path)
    assert read_receipt(open_folder(str(tmp_path), {}), SHARD) is None
