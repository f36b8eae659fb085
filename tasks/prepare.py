"""The plan's file, and an output directory made ready for it.

Another plan's leftovers are refused, or removed on demand; shards of a plan that is extended get their new names.
"""

import io
import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from imagerecords.schemas.errors import OutputConflict
from imagerecords.schemas.output_files import (
    CLASS_LABELS,
    CROISSANT,
    DATASET_INFO,
    FEATURES,
    INDEX,
    MANIFEST,
    PLAN,
    RECEIPTS,
    REPORT,
    is_our_shard,
)
from imagerecords.schemas.plan import COLUMNS, METADATA_KEY, SHARDS_KEY, Plan, PlanHeader, PlannedShard, Shard, references
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.dataset.renumber import present_shards, renamed_shards, renumber_shards
from imagerecords.tasks.storage.folders import Folder, open_output, sweep_unfinished

SHARDS = TypeAdapter(tuple[PlannedShard, ...])
# What reading a plan raises where there is none, or a damaged one: Arrow tells damage in many ways.
UNREADABLE = (ValueError, KeyError, TypeError, OSError, pa.ArrowException)


def refuse_conflict(plan: Plan, settings: BuildSettings) -> None:
    """Raise OutputConflict where shards of another plan are in the output, unless `overwrite` is on; writes nothing."""
    output = open_output(settings)
    foreign = _foreign_shards(output, _lying_shards(output, plan))
    if foreign and not settings.overwrite:
        raise OutputConflict(
            f"output_directory must be empty or hold this plan's shards, got {len(foreign)} of another plan: "
            f"{settings.output_directory}: {foreign[0]}. Other input or settings made them: choose another output, pass "
            "--append to add new images to them, or --overwrite to remove them"
        )


def prepare_output(plan: Plan, settings: BuildSettings) -> None:
    """Lay the plan into the output. Only under the output's lock.

    Leftovers of a killed build of the same plan stay, for convert to keep what is finished; shards of the plan that this one
    extends get their new names; those of another plan are refused as by refuse_conflict, or removed. dataset_info.json goes
    first: from here on the data set is not complete.
    """
    refuse_conflict(plan, settings)
    output = open_output(settings)
    expected = {shard.name for shard in plan.references()}
    lying = _lying_shards(output, plan)
    foreign = _foreign_shards(output, lying)
    output.remove(DATASET_INFO)
    sweep_unfinished(output)
    renumber_shards(output, plan.shards, lying)
    for name in foreign:
        if name not in expected:
            output.remove(name)
    if foreign:
        _remove_records_of(output, expected)
    write_plan(output, plan)


def _lying_shards(output: Folder, plan: Plan) -> tuple[PlannedShard, ...]:
    """The shards of the plan in an output, where it is this one or the one that it extends; else none."""
    try:
        header, shards = read_planned_shards(output)
    except UNREADABLE:
        return ()
    return shards if header.digest in (plan.header.digest, plan.header.extends) else ()


def _foreign_shards(output: Folder, lying: tuple[PlannedShard, ...]) -> list[str]:
    """The shards in an output that are not those of the plan in it; all of them where that plan is another."""
    present = present_shards(output)
    return sorted(present.files - renamed_shards(output, lying, present).keys())


def _remove_records_of(output: Folder, expected: set[str]) -> None:
    """Remove what another plan's shards left: sidecars that would speak of them, their receipts and indexes.

    labels.txt stays, since it may be this build's labels_file; publish writes it anew.
    """
    for name in (MANIFEST, REPORT, FEATURES, CLASS_LABELS, CROISSANT):
        output.remove(name)
    for directory in (RECEIPTS, INDEX):
        for name in output.files(directory):
            shard = name.rpartition(".")[0]
            if is_our_shard(shard) and shard not in expected:
                output.remove(f"{directory}/{name}")


def write_plan(output: Folder, plan: Plan) -> None:
    """Write plan.parquet: a row group a shard."""
    shards = SHARDS.dump_json(plan.shards)
    metadata = {METADATA_KEY: plan.header.model_dump_json().encode(), SHARDS_KEY: shards}
    with (
        output.write_whole(PLAN) as file,
        pq.ParquetWriter(file, COLUMNS.with_metadata(metadata), compression="zstd") as writer,
    ):
        for table in plan.tables():
            writer.write_table(table.replace_schema_metadata(metadata), row_group_size=max(1, table.num_rows))


def read_plan_header(output: Folder) -> PlanHeader:
    """The header of the plan in an output; FileNotFoundError where there is none."""
    with output.open(PLAN) as file:
        return _header(pq.ParquetFile(file))


def read_planned_shards(output: Folder) -> tuple[PlanHeader, tuple[PlannedShard, ...]]:
    """The same, and the shards of the plan."""
    with output.open(PLAN) as file:
        parquet = pq.ParquetFile(file)
        return _header(parquet), _shards(parquet)


def read_plan(output: Folder) -> Plan | None:
    """The plan in an output; None where there is none. Raises OutputConflict when it can't be read."""
    try:
        data = output.read(PLAN)
    except FileNotFoundError:
        return None
    try:
        parquet = pq.ParquetFile(io.BytesIO(data))
        images = parquet.read().select(COLUMNS.names).replace_schema_metadata(None)
        return Plan(_header(parquet), _shards(parquet), images)
    except UNREADABLE as error:
        raise OutputConflict(
            f"the plan of a data set must be one that can be read, got {type(error).__name__}: {output.join(PLAN)}. Build "
            "anew: into another output, or with --overwrite"
        ) from error


def read_shard_plan(output: Folder, shard: Shard) -> tuple[PlanHeader, pa.Table]:
    """The plan's header and the rows of one shard."""
    with output.open(PLAN) as file:
        parquet = pq.ParquetFile(file)
        return _header(parquet), parquet.read_row_group(shard.row_group)


def read_whole_plan(output: Folder) -> Iterator[tuple[Shard, pa.Table]]:
    """Each shard of the plan with its rows, one at a time."""
    with output.open(PLAN) as file:
        parquet = pq.ParquetFile(file)
        for shard in references(_shards(parquet)):
            yield shard, parquet.read_row_group(shard.row_group)


def _header(parquet: pq.ParquetFile) -> PlanHeader:
    return PlanHeader.model_validate(json.loads(parquet.schema_arrow.metadata[METADATA_KEY]))


def _shards(parquet: pq.ParquetFile) -> tuple[PlannedShard, ...]:
    return SHARDS.validate_json(parquet.schema_arrow.metadata[SHARDS_KEY])
