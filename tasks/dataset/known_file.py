"""_build/known/images.arrow: what a build knows of its images, and the lookup of one by the SHA-256 of its bytes.

It is written before the shards that it was read from are removed, and removed when the data set is complete, so that a killed
build finds it again. Arrow's uncompressed format, sorted by SHA-256; each worker reads it once, 0.1 GB per million images. The
file ends with the SHA-256 of what comes before: a damaged one is not used.
"""

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import ValidationError

from imagerecords.schemas.errors import CorruptRecord, Incomplete
from imagerecords.schemas.known import COLUMNS, ORIGIN_KEY, Origin
from imagerecords.schemas.output_files import KNOWN, KNOWN_IMAGES
from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.decoders import origin_now
from imagerecords.tasks.images.metrics import Figures
from imagerecords.tasks.images.process import RgbJpeg
from imagerecords.tasks.records.example import parse_example
from imagerecords.tasks.records.image import ENCODED
from imagerecords.tasks.records.random_access import Place, RandomReader
from imagerecords.tasks.storage.arrow_files import arrow_reader
from imagerecords.tasks.storage.folders import Folder, open_output

FOLDERS_KEY = b"imagerecords.folders"  # the URLs of the data sets, in which records are; the output itself is OUTPUT
OUTPUT = ""
SEAL = 32  # bytes
DIGEST = 32
BEGINNING = 8  # bytes of a digest that are searched as a number

Digests = npt.NDArray[np.uint8]
Outcome = RgbJpeg | Rejected


@dataclass(frozen=True)
class KnownFile:
    """The table of known images, their origin, and the folders with their records."""

    origin: Origin
    folders: tuple[str, ...]
    rows: pa.Table


def write_known(output: Folder, known: KnownFile) -> None:
    """Write the table, sorted; of several rows for the same bytes the first is kept, or one that says the same."""
    rows = known.rows.combine_chunks()
    digests = _digests(rows)
    order = np.argsort(_beginnings(digests), kind="stable")
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


def _digests(rows: pa.Table) -> Digests:
    """The column sha256, a row of bytes per image; rows must be in one chunk, none of its values null."""
    if not rows.num_rows:
        return np.empty((0, DIGEST), np.uint8)
    column = rows["sha256"].chunk(0)
    return np.frombuffer(column.buffers()[1], np.uint8).reshape(-1, DIGEST)[column.offset : column.offset + len(column)]


def _beginnings(digests: Digests) -> npt.NDArray[np.uint64]:
    """The first eight bytes of each digest as a number, which has their order."""
    return np.ascontiguousarray(digests[:, :BEGINNING]).view(">u8")[:, 0].astype(np.uint64)


class KnownImages:
    """Outcomes by the SHA-256 of the source's bytes."""

    def __init__(self, known: KnownFile, readers: Sequence[RandomReader]) -> None:
        rows = known.rows.combine_chunks()
        self._digests = _digests(rows)
        self._beginnings = _beginnings(self._digests)
        self._columns = {name: rows[name].chunk(0) for name in rows.column_names if rows.num_rows}
        self._readers = readers

    @property
    def has_remote_records(self) -> bool:
        """Whether a record may have to be read over the network."""
        return not all(reader.is_local for reader in self._readers)

    def find(self, data: bytes, digest: bytes) -> Outcome | None:
        """What becomes of an image with these bytes; None where it is not known, or its record can't be read any more."""
        number = self._number(digest)
        if number is None:
            return None
        row = {name: column[number].as_py() for name, column in self._columns.items()}
        if row["reason"] is not None:
            return Rejected(Reason(row["reason"]), row["message"])
        encoded = data if row["encoded_sha256"] is None else self._encoded(row)
        return None if encoded is None else _jpeg(encoded, row)

    def _number(self, digest: bytes) -> int | None:
        beginning = np.uint64(int.from_bytes(digest[:BEGINNING], "big"))
        number = int(np.searchsorted(self._beginnings, beginning))
        while number < len(self._beginnings) and self._beginnings[number] == beginning:
            if self._digests[number].tobytes() == digest:
                return number
            number += 1
        return None

    def _encoded(self, row: dict[str, Any]) -> bytes | None:
        """The JPEG of a record, whose checksums and SHA-256 are right; None for any other."""
        place = Place(0, row["offset"], row["size"], row["crc32c"])
        try:
            (record,) = self._readers[row["folder"]].read(row["file"], [place])
            encoded: bytes = parse_example(record)[ENCODED][0]
        except (CorruptRecord, Incomplete, OSError, ValueError, LookupError):
            return None
        return encoded if hashlib.sha256(encoded).digest() == row["encoded_sha256"] else None


def known_images(settings: BuildSettings, build: str) -> KnownImages | None:
    """What the build with this id knows, read once per process; None where it is nothing, or of another origin.

    Another origin: a worker on another machine may have other decoders.
    """
    if not settings.reuse:
        return None
    with _LOADING:
        if not build or _loaded.build != build:
            _loaded.build, _loaded.images = build, _load(settings)
        return _loaded.images


@dataclass
class _Loaded:
    """What this process read last, and for which build."""

    build: str = ""
    images: KnownImages | None = None


_loaded = _Loaded()
_LOADING = threading.Lock()


def _load(settings: BuildSettings) -> KnownImages | None:
    known = read_known(open_output(settings))
    if known is None or known.origin != origin_now(settings):
        return None
    urls = (url or settings.output_directory for url in known.folders)
    return KnownImages(known, [RandomReader(url, settings.storage_options) for url in urls])


def _jpeg(encoded: bytes, row: dict[str, Any]) -> RgbJpeg:
    figures = None
    if row["dhash"] is not None:
        figures = Figures(row["brightness"], row["contrast"], row["sharpness"], row["dhash"])
    return RgbJpeg(
        encoded,
        row["height"],
        row["width"],
        row["source_format"],
        row["orientation"],
        figures,
        is_odd=row["odd_header"],
        has_gps=row["has_gps"],
        has_thumbnail=row["has_thumbnail"],
    )
