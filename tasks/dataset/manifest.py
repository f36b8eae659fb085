"""manifest.parquet: one row per input image, in the shards' order; its only reader and its only writer.

A row group holds one shard, or several small ones. (Up to version 0.1.0 each had its own.)

An unreadable manifest raises CorruptRecord, whatever Arrow raised; a missing one raises FileNotFoundError. Callers decide what
follows.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.example import EXTRAS, SEVERAL
from imagerecords.schemas.messages import plural
from imagerecords.schemas.output_files import MANIFEST
from imagerecords.schemas.plain_words import plain_words
from imagerecords.schemas.plan import EXTRAS_KEY, METADATA_KEY, PlanHeader
from imagerecords.schemas.receipt import ASKED_FOR, COLUMNS, REJECTED, SINCE_0_1_0, WRITTEN, with_all_columns
from imagerecords.tasks.storage.arrow_files import arrow_reader, open_for_arrow
from imagerecords.tasks.storage.folders import Folder
from imagerecords.tasks.storage.hashing_file import HashingFile

ALWAYS = frozenset(["split", "shard", "path", "label", "status"])
# Of a row group, which takes 25 KB of memory in each process that has the file open, and twice that in the writer. The data
# card reads single rows, each with its group.
LEAST_ROWS = 1024
MOST_TABLES = 64  # kept until there are LEAST_ROWS; a table of one row takes 28 KB
OF_WRITTEN = frozenset(["record", "offset", "size", "crc32c"])


@contextlib.contextmanager
def manifest_writer(output: Folder, header: PlanHeader) -> Iterator[Callable[[pa.Table], None]]:
    """A function that takes the receipts, in the plan's order; the manifest appears whole when the block succeeds."""
    extras = ",".join(header.extras)
    schema = COLUMNS.with_metadata({METADATA_KEY: header.digest.encode(), EXTRAS_KEY: extras.encode()})

    kept: list[pa.Table] = []
    rows = 0

    def write(receipt: pa.Table) -> None:
        nonlocal rows
        kept.append(receipt)
        rows += receipt.num_rows
        if len(kept) == MOST_TABLES:
            kept[:] = [pa.concat_tables(kept).combine_chunks()]
        if rows >= LEAST_ROWS:
            flush()

    def flush() -> None:
        nonlocal rows
        if rows:
            writer.write_table(pa.concat_tables(kept), row_group_size=rows)
        kept.clear()
        rows = 0

    with output.write_whole(MANIFEST) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        yield write
        flush()


def read_manifest(folder: Folder, columns: Sequence[str]) -> pa.Table:
    """These columns of a manifest. Raises CorruptRecord when it can't be read, or lacks one of them."""
    data = folder.read(MANIFEST)
    with _refuse_damage(folder):
        parquet = pq.ParquetFile(arrow_reader(data))
        present = parquet.schema_arrow.names
        if lacking := sorted(set(columns) - set(present) - set(SINCE_0_1_0)):
            raise pa.ArrowInvalid(f"no column {', '.join(lacking)}")
        _refuse_other_types(parquet)
        table = with_all_columns(parquet.read([name for name in columns if name in present])).select(columns).combine_chunks()
        table.validate(full=True)
        _refuse_gaps(table)
        return table


def _refuse_other_types(parquet: pq.ParquetFile) -> None:
    """Raise ArrowInvalid for a column of another type than a build writes."""
    for field in parquet.schema_arrow:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if field.name in COLUMNS.names and kind != COLUMNS.field(field.name).type:
            raise pa.ArrowInvalid(f"column {field.name} of type {kind}, not {COLUMNS.field(field.name).type}")


def _refuse_gaps(table: pa.Table) -> None:
    """Raise ArrowInvalid where a row lacks a value that every image has, or that every written image has."""
    several = SEVERAL in extras_of(table)  # its lists of labels may be empty
    for name in ALWAYS.intersection(table.column_names):
        if table[name].null_count and not (several and name == "label"):
            raise pa.ArrowInvalid(f"{plural(table[name].null_count, 'row')} without {name}")
    written = pc.equal(table["status"], WRITTEN) if "status" in table.column_names else None
    for name in OF_WRITTEN.intersection(table.column_names) if written is not None else ():
        if lacking := pc.sum(pc.and_(written, pc.is_null(table[name]))).as_py():
            raise pa.ArrowInvalid(f"{plural(lacking, 'written image')} without {name}")


@contextlib.contextmanager
def open_manifest(folder: Folder, repeating: Sequence[str] = ()) -> Iterator[pq.ParquetFile]:
    """A manifest opened for reading in parts, with the `repeating` columns as dictionaries; raises as read_manifest does."""
    with open_for_arrow(folder, MANIFEST) as file, _refuse_damage(folder):
        parquet = pq.ParquetFile(file, read_dictionary=list(repeating), pre_buffer=True)
        _refuse_other_types(parquet)
        yield parquet


def read_numbered(parquet: pq.ParquetFile, numbers: npt.NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
    """The rows with these numbers, in this order; only row groups with such a row are read, one at a time."""
    sizes = [parquet.metadata.row_group(group).num_rows for group in range(parquet.num_row_groups)]
    ends = np.cumsum(sizes)
    group_of = np.searchsorted(ends, numbers, side="right")
    tables = []
    for group in np.unique(group_of).tolist():
        here = numbers[group_of == group]
        tables.append(parquet.read_row_group(group, list(columns)).select(columns).take(here - (ends[group] - sizes[group])))
    if not tables:
        return COLUMNS.empty_table().select(columns)
    by_group = np.argsort(group_of, kind="stable")
    return pa.concat_tables(tables).unify_dictionaries().take(np.argsort(by_group, kind="stable"))


def rejected_images(output: Folder, most: int) -> list[dict[str, Any]]:
    """The first `most` rejected images of a data set's manifest: split, path, reason and message."""
    rows = read_manifest(output, ["split", "path", "reason", "message", "status"])
    rejected = rows.filter(pc.equal(rows["status"], REJECTED)).drop_columns("status").slice(0, most)
    return list(rejected.to_pylist())


def first_rejected(output: Folder, most: int) -> tuple[str, ...]:
    """A line for each of the first rejected images, without what settings or a removal left out."""
    lines: list[str] = []
    with open_manifest(output) as parquet:
        for group in range(parquet.num_row_groups):
            rows = parquet.read_row_group(group, ["split", "path", "reason", "message"])
            rows = rows.filter(pc.and_(pc.is_valid(rows["reason"]), pc.invert(pc.is_in(rows["reason"], pa.array(ASKED_FOR)))))
            for row in rows.slice(0, most - len(lines)).to_pylist():
                lines.append(f"{row['split']}/{row['path']}: {row['reason']} ({row['message']})")
            if len(lines) == most:
                break
    return tuple(lines)


def extras_of(manifest: pa.Table) -> tuple[str, ...]:
    """The optional features that the records of a manifest's data set have."""
    extras = (manifest.schema.metadata or {}).get(EXTRAS_KEY, b"").decode("utf-8", "replace")
    return tuple(extra for extra in extras.split(",") if extra in EXTRAS)


def manifest_sha256(folder: Folder) -> str:
    """The SHA-256 of the manifest's file."""
    with folder.open(MANIFEST) as raw:
        file = HashingFile(raw)
        while file.read(1 << 20):
            pass
        return file.sha256.hexdigest()


@contextlib.contextmanager
def _refuse_damage(folder: Folder) -> Iterator[None]:
    """Raise CorruptRecord where Arrow finds damage, which it raises as any of these; an error of the disk has an errno."""
    try:
        yield
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise CorruptRecord(
            f"{MANIFEST} must be readable, got {plain_words(error)}: {folder.join(MANIFEST)}. Build again, or "
            "move it away: then the records are read instead"
        ) from error
