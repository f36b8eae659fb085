"""manifest.parquet has one reader, and a damaged one is one error, naming the file."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.errors import CorruptRecord
from imagerecords.tasks.dataset.manifest import open_manifest, read_manifest, read_numbered
from imagerecords.tasks.storage.folders import open_folder


def write(root, sizes):
    """A file of row groups of these sizes, its rows numbered; `split` repeats, with another value in each group."""
    schema = pa.schema([("path", pa.string()), ("split", pa.string())])
    first = 0
    with pq.ParquetWriter(root / "manifest.parquet", schema) as writer:
        for group, size in enumerate(sizes):
            rows = {"path": [str(first + row) for row in range(size)], "split": [f"split {group}"] * size}
            writer.write_table(pa.table(rows, schema))
            first += size
    return open_folder(str(root), {})


@pytest.mark.parametrize("content", [b"", b"garbage", b"PAR1 and no more", b"PAR1" + b"\0" * 100 + b"PAR1"])
def test_a_damaged_manifest_is_one_error_however_it_is_read(tmp_path, content):
    (tmp_path / "manifest.parquet").write_bytes(content)
    folder = open_folder(str(tmp_path), {})
    with pytest.raises(CorruptRecord, match=r"manifest\.parquet"):
        read_manifest(folder, ["path"])
    with pytest.raises(CorruptRecord, match=r"manifest\.parquet"), open_manifest(folder) as parquet:
        parquet.read(["path"])


def test_a_column_that_is_not_there_is_the_same_error(tmp_path):
    with pytest.raises(CorruptRecord, match="dhash"):
        read_manifest(write(tmp_path, [2]), ["path", "dhash"])


def test_a_missing_manifest_is_no_damage(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_manifest(open_folder(str(tmp_path), {}), ["path"])


@pytest.mark.parametrize("numbers", [[], [0], [9], [0, 9], [9, 0, 4, 4, 3], [5, 4, 3, 2], list(range(10))])
@pytest.mark.parametrize("sizes", [[10], [3, 0, 2, 5]])  # a shard without images is an empty row group
def test_rows_by_number_come_in_the_order_asked_for(tmp_path, sizes, numbers):
    with open_manifest(write(tmp_path, sizes), ["split"]) as parquet:
        rows = read_numbered(parquet, np.array(numbers, np.int64), ["path", "split"])
        splits = parquet.read()["split"].to_pylist()
    assert rows["path"].to_pylist() == [str(number) for number in numbers]
    assert rows["split"].to_pylist() == [splits[number] for number in numbers]
