"""The plan's file, and an output directory made ready for it: another plan's leftovers are refused, or removed on demand."""

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from schemas.errors import OutputConflict
from schemas.layout import (
    BUILD,
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
from schemas.plan import COLUMNS, METADATA_KEY, SHARDS_KEY, Plan, PlanHeader, PlannedShard, Shard, references
from schemas.settings import BuildSettings
from tasks.storage import Folder, open_folder, sweep_scratch

SHARDS = TypeAdapter(tuple[PlannedShard, ...])


def refuse_conflict(plan: Plan, settings: BuildSettings) -> None:
    """Raise OutputConflict where shards of another plan are in the output, unless `overwrite` is on; writes nothing."""
    output = open_folder(settings.output_directory, settings.storage_options)
    foreign = _foreign_shards(output, plan)
    if foreign and not settings.overwrite:
        raise OutputConflict(
            f"output_directory must be empty or hold this plan's shards, got {len(foreign)} of another plan: "
            f"{settings.output_directory}: {foreign[0]}. Other input or settings made them: choose another output, or pass "
            "--overwrite to remove them"
        )


def prepare_output(plan: Plan, settings: BuildSettings) -> None:
    """Lay the plan into the output. Only under the output's lock.

    Leftovers of a killed build of the same plan stay, for convert to keep what is finished; those of another plan are refused
    as by refuse_conflict, or removed. dataset_info.json goes first: from here on the data set is not complete.
    """
    refuse_conflict(plan, settings)
    output = open_folder(settings.output_directory, settings.storage_options)
    expected = {shard.name for shard in plan.references()}
    foreign = _foreign_shards(output, plan)
    output.remove(DATASET_INFO)
    sweep_scratch(output)
    for name in foreign:
        if name not in expected:
            output.remove(name)
    if foreign:
        _remove_records_of(output, expected)
    write_plan(output, plan)


def _foreign_shards(output: Folder, plan: Plan) -> list[str]:
    """The shards in an output that another plan made; all of them when its plan is another, or none that can be read."""
    present = {name for name in output.files() if is_our_shard(name)}
    same = _digest(output) == plan.header.digest
    return sorted(present - {shard.name for shard in plan.references()} if same else present)


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


def _digest(output: Folder) -> str | None:
    """The digest of the plan that lies in an output; None where there is none that can be read."""
    if PLAN.rpartition("/")[2] not in output.files(BUILD):
        return None
    try:
        return read_plan_header(output).digest
    except (ValueError, KeyError, TypeError, OSError, pa.ArrowException):  # Arrow tells damage in many ways
        return None


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


def read_shard_plan(output: Folder, shard: Shard) -> tuple[PlanHeader, pa.Table]:
    """The plan's header and the rows of one shard."""
    with output.open(PLAN) as file:
        parquet = pq.ParquetFile(file)
        return _header(parquet), parquet.read_row_group(shard.row_group)


def read_whole_plan(output: Folder) -> Iterator[tuple[Shard, pa.Table]]:
    """Each shard of the plan with its rows, one at a time."""
    with output.open(PLAN) as file:
        parquet = pq.ParquetFile(file)
        for shard in references(SHARDS.validate_json(parquet.schema_arrow.metadata[SHARDS_KEY])):
            yield shard, parquet.read_row_group(shard.row_group)


def _header(parquet: pq.ParquetFile) -> PlanHeader:
    return PlanHeader.model_validate(json.loads(parquet.schema_arrow.metadata[METADATA_KEY]))
