"""_build/known/images.arrow: what a build knows of its images.

It is written before the shards that it was read from are removed, and removed when the data set is complete, so that a killed
build finds it again. Arrow's uncompressed format, sorted by SHA-256; each worker reads it once, 0.1 GB per million images. The
file ends with the SHA-256 of what comes before: a damaged one is not used.
"""

import hashlib
import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import ValidationError

from imagerecords.schemas.known import COLUMNS, ORIGIN_KEY, Origin
from imagerecords.schemas.output_files import KNOWN, KNOWN_IMAGES
from imagerecords.tasks.storage.arrow_files import arrow_reader
from imagerecords.tasks.storage.folders import Folder

FOLDERS_KEY = b"imagerecords.folders"  # the URLs of the data sets, in which records are; the output itself is OUTPUT
OUTPUT = ""
SEAL = 32  # bytes
DIGEST = 32
BEGINNING = 8  # bytes of a digest that are searched as a number

Digests = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class KnownFile:
    """The table of known images, their origin, and the folders with their records."""

    origin: Origin
    folders: tuple[str, ...]
    rows: pa.Table


def write_known(output: Folder, known: KnownFile) -> None:
    """Write the table, sorted; of several rows for the same bytes the first is kept."""
    rows = known.rows.combine_chunks()
    digests = digests_of(rows)
    order = np.lexsort(np.ascontiguousarray(digests).view(">u8").T[::-1])  # stable: the first row of several stays the first
    digests = digests[order]
    first = np.ones(len(order), bool)
    first[1:] = (digests[1:] != digests[:-1]).any(axis=1)
    metadata = {ORIGIN_KEY: known.origin.as_bytes(), FOLDERS_KEY: json.dumps(known.folders).encode()}
    table = rows.take(pa.array(order[first])).combine_chunks().replace_schema_metadata(metadata)
    buffer = pa.BufferOutputStream()
    with pa.ipc.new_file(buffer, table.schema) as writer:
        writer.write_table(table, max_chunksize=max(1, table.num_rows))
    data = buffer.getvalue()
    with output.write_whole(KNOWN_IMAGES) as file:
        file.write(data)
        file.write(hashlib.sha256(data).digest())


def read_known(output: Folder) -> KnownFile | None:
    """The table; None where there is none, or it is damaged."""
    try:
        data = output.read(KNOWN_IMAGES)
    except FileNotFoundError:
        return None
    content, seal = data[:-SEAL], data[-SEAL:]
    if hashlib.sha256(content).digest() != seal:
        return None
    try:
        rows = pa.ipc.open_file(arrow_reader(content)).read_all()
        metadata = rows.schema.metadata or {}
        origin = Origin.model_validate_json(metadata[ORIGIN_KEY])
        folders = tuple(json.loads(metadata[FOLDERS_KEY]))
    except (pa.ArrowException, KeyError, ValidationError, ValueError):
        return None
    return KnownFile(origin, folders, rows) if rows.schema.equals(COLUMNS) else None


def remove_known(output: Folder) -> None:
    """Remove the table and the kept records."""
    for name in output.files(KNOWN):
        output.remove(f"{KNOWN}/{name}")
    if output.is_local and output.exists(KNOWN):
        output.fs.rmdir(output.join(KNOWN))


def digests_of(rows: pa.Table) -> Digests:
    """The column sha256, a row of bytes per image; rows must be in one chunk, none of its values null."""
    if not rows.num_rows:
        return np.empty((0, DIGEST), np.uint8)
    column = rows["sha256"].chunk(0)
    return np.frombuffer(column.buffers()[1], np.uint8).reshape(-1, DIGEST)[column.offset : column.offset + len(column)]


def beginnings(digests: Digests) -> npt.NDArray[np.uint64]:
    """The first eight bytes of each digest as a number, which has their order."""
    return np.ascontiguousarray(digests[:, :BEGINNING]).view(">u8")[:, 0].astype(np.uint64)
