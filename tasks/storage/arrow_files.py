"""Files for Arrow to read, through memory and handles of its own.

Arrow's threads may hold a file's last bytes until the process ends. Releasing Python's bytes or files then needs an interpreter
that has ended already, and aborts the process: of short commands under load up to 12 % ended so after the right answer (pyarrow
26), with Arrow's own memory none of 500.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

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
