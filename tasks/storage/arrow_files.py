"""Files for Arrow to read, through memory and handles of its own; and the row groups of Parquet files.

Arrow's threads may hold a file's last bytes until the process ends. Releasing Python's bytes or files then needs an interpreter
that has ended already, and aborts the process: of short commands under load up to 12 % ended so after the right answer (pyarrow
26), with Arrow's own memory none of 500.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from imagerecords.tasks.storage.folders import Folder


def arrow_reader(data: bytes) -> pa.BufferReader:
    """A file of these bytes, copied."""
    stream = pa.BufferOutputStream()
    stream.write(data)
    return pa.BufferReader(stream.getvalue())


@contextlib.contextmanager
def open_for_arrow(folder: Folder, name: str) -> Iterator[Any]:
    """A file open for reading in parts. Only a local one is Arrow's own: it does not know fsspec, so others are Python's."""
    with pa.OSFile(folder.join(name)) if folder.is_local else folder.open(name) as file:
        yield file


@contextlib.contextmanager
def row_groups(writer: pq.ParquetWriter, least: int) -> Iterator[Callable[[pa.Table], None]]:
    """A function that writes tables, small ones together in row groups of at least `least` rows; never a part of a table.

    A row group takes 2 KB of memory per column of each process that has the file open, and as much again while it is written.
    """
    kept: list[pa.Table] = []
    rows = 0

    def write(table: pa.Table) -> None:
        nonlocal rows
        kept.append(table)
        rows += len(table)
        if rows >= least:
            flush()

    def flush() -> None:
        nonlocal rows
        if rows:
            writer.write_table(pa.concat_tables(kept), row_group_size=rows)
        kept.clear()
        rows = 0

    yield write
    flush()
