"""plan.parquet, the plan of a data set: the header and the shards are in the file's metadata.

A row group holds one shard, or several small ones. (Up to version 0.1.0 each had its own; both are read.)
"""

import bisect
import functools
import itertools
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from imagerecords.schemas.errors import OutputConflict
from imagerecords.schemas.json_text import parse_json
from imagerecords.schemas.output_files import PLAN
from imagerecords.schemas.plain_words import plain_words
from imagerecords.schemas.plan import (
    ADDED,
    COLUMNS,
    GROUP,
    METADATA_KEY,
    SHARDS_KEY,
    Plan,
    PlanHeader,
    PlannedShard,
    Shard,
    references,
)
from imagerecords.tasks.storage.arrow_files import arrow_reader, open_for_arrow
from imagerecords.tasks.storage.folders import Folder

# Of a row group, which takes 2 KB of memory per column in each process that has the file open, and twice that in the writer. A
# worker reads one for each of its shards, in milliseconds.
LEAST_ROWS = 4096
Metadata = tuple[PlanHeader, pq.FileMetaData, list[int]]
SHARDS = TypeAdapter(tuple[PlannedShard, ...])
# What reading a missing or damaged plan raises: Arrow reports damage in many ways.
UNREADABLE = (ValueError, KeyError, TypeError, OSError, pa.ArrowException)


def write_plan(output: Folder, plan: Plan) -> None:
    """Write plan.parquet."""
    shards = SHARDS.dump_json(plan.shards)
    metadata = {METADATA_KEY: plan.header.model_dump_json().encode(), SHARDS_KEY: shards}
    with (
        output.write_whole(PLAN) as file,
        pq.ParquetWriter(file, COLUMNS.with_metadata(metadata), compression="zstd") as writer,
    ):
        for rows in _row_groups(plan):
            writer.write_table(plan.images.slice(rows.start, len(rows)), row_group_size=len(rows))


def _row_groups(plan: Plan) -> Iterator[range]:
    """The rows of each row group: one shard's, or those of shards that follow each other, until there are LEAST_ROWS."""
    first = last = 0
    for shard in plan.references():
        last = shard.rows.stop
        if last - first >= LEAST_ROWS:
            yield range(first, last)
            first = last
    if first < last:
        yield range(first, last)


def read_plan_header(output: Folder) -> PlanHeader:
    """The header of the plan in an output; FileNotFoundError where there is none."""
    with open_for_arrow(output, PLAN) as file:
        return _header(pq.ParquetFile(file))


def read_planned_shards(output: Folder) -> tuple[PlanHeader, tuple[PlannedShard, ...]]:
    """The same, and the shards of the plan."""
    with open_for_arrow(output, PLAN) as file:
        parquet = pq.ParquetFile(file)
        return _header(parquet), _shards(parquet)


def read_plan(output: Folder) -> Plan | None:
    """The plan in an output; None where there is none. Raises OutputConflict when it can't be read."""
    try:
        data = output.read(PLAN)
    except FileNotFoundError:
        return None
    try:
        parquet = pq.ParquetFile(arrow_reader(data))
        images = with_group(_with_all_columns(parquet.read())).select(COLUMNS.names).replace_schema_metadata(None)
        return Plan(_header(parquet), _shards(parquet), images)
    except UNREADABLE as error:
        raise OutputConflict(
            f"the plan of a data set must be readable, got {plain_words(error)}: {output.join(PLAN)}. Build into another "
            "output, or with --overwrite"
        ) from error


def read_shard_plan(output: Folder, shard: Shard) -> tuple[PlanHeader, pa.Table]:
    """The plan's header and the rows of one shard."""
    header, metadata, ends = _metadata(output, shard)
    if not shard.rows:
        return header, COLUMNS.empty_table()
    group = bisect.bisect_right(ends, shard.rows.start)
    rows = _kept_group(output, shard.build, group) if shard.build else _read_group(output, metadata, group)
    return header, _rows_of(shard, rows, ends[group])


def read_header_of(output: Folder, shard: Shard) -> PlanHeader:
    """The header of a shard's plan."""
    return _metadata(output, shard)[0]


def _metadata(output: Folder, shard: Shard) -> Metadata:
    """The plan's header, the file's metadata, and the row groups' ends, which a process keeps for a build.

    A build writes its plan before its first shard begins, and then no more.
    """
    return _kept_metadata(output, shard.build) if shard.build else _read_metadata(output)


def _read_metadata(output: Folder) -> Metadata:
    with open_for_arrow(output, PLAN) as file:
        parquet = pq.ParquetFile(file)
        return _header(parquet), parquet.metadata, _ends(parquet)


@functools.lru_cache(1)
def _kept_metadata(output: Folder, build: str) -> Metadata:
    return _read_metadata(output)


def _read_group(output: Folder, metadata: pq.FileMetaData, group: int) -> pa.Table:
    with open_for_arrow(output, PLAN) as file:
        return _with_all_columns(pq.ParquetFile(file, metadata=metadata).read_row_group(group))


@functools.lru_cache(1)
def _kept_group(output: Folder, build: str, group: int) -> pa.Table:
    """A row group of a build's plan, which a process keeps until it reads another."""
    return _read_group(output, _kept_metadata(output, build)[1], group)


def read_whole_plan(output: Folder) -> Iterator[tuple[Shard, pa.Table]]:
    """Each shard of the plan with its rows, one at a time."""
    with open_for_arrow(output, PLAN) as file:
        parquet = pq.ParquetFile(file)
        rows, end, groups = COLUMNS.empty_table(), 0, itertools.count()
        for shard in references(_shards(parquet)):
            while end < shard.rows.stop:
                rows = _with_all_columns(parquet.read_row_group(next(groups)))
                end += rows.num_rows
            yield shard, _rows_of(shard, rows, end)


def _ends(parquet: pq.ParquetFile) -> list[int]:
    """For each row group, the number of the first row after it."""
    metadata = parquet.metadata
    return list(itertools.accumulate(metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)))


def _rows_of(shard: Shard, rows: pa.Table, end: int) -> pa.Table:
    """The rows of a shard in its row group, which ends before the row `end` of the plan."""
    return rows.slice(max(0, shard.rows.start - end + rows.num_rows), len(shard.rows))


def _with_all_columns(rows: pa.Table) -> pa.Table:
    """The rows of a plan, with the columns that a plan of version 0.1.0 lacks, without values."""
    for name in ADDED:
        if name not in rows.schema.names:
            rows = rows.append_column(COLUMNS.field(name), pa.nulls(rows.num_rows, COLUMNS.field(name).type))
    return rows


def with_group(images: pa.Table) -> pa.Table:
    """The rows of a plan with the column `group`, which those of version 0.1.0 lack."""
    if GROUP.name in images.column_names:
        return images
    return images.append_column(GROUP, pa.nulls(images.num_rows, GROUP.type))


def _header(parquet: pq.ParquetFile) -> PlanHeader:
    return PlanHeader.model_validate(parse_json(parquet.schema_arrow.metadata[METADATA_KEY]))


def _shards(parquet: pq.ParquetFile) -> tuple[PlannedShard, ...]:
    return SHARDS.validate_json(parquet.schema_arrow.metadata[SHARDS_KEY])
