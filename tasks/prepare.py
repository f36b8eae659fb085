"""prepare: an output directory made ready for a plan, and the plan written to it.

Another plan's shards are refused, or removed on demand; shards of a plan that is extended get their new names.
"""

from imagerecords.schemas.errors import OutputConflict
from imagerecords.schemas.output_files import (
    CLASS_LABELS,
    CROISSANT,
    DATASET_INFO,
    FEATURES,
    FINDINGS,
    INDEX,
    LABEL_MAP,
    MANIFEST,
    OBJECT_CLASS_LABELS,
    RECEIPTS,
    REPORT,
    is_our_shard,
)
from imagerecords.schemas.plan import Plan, PlanHeader, PlannedShard
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.data_card.drawn import keep_card
from imagerecords.tasks.dataset.about_file import write_about
from imagerecords.tasks.dataset.known_images import keep_known, refuse_no_data_set
from imagerecords.tasks.dataset.plan_file import UNREADABLE, read_planned_shards, write_plan
from imagerecords.tasks.dataset.renumber import present_shards, renamed_shards, renumber_shards
from imagerecords.tasks.dataset.unplanned_files import refuse_unplanned_files
from imagerecords.tasks.storage.folders import Folder, open_output, sweep_unfinished


def refuse_conflict(plan: Plan, settings: BuildSettings) -> None:
    """Raise OutputConflict where files that no build made, or shards of another plan, are in the output; writes nothing.

    Shards of another plan are let be with `overwrite`, which removes them.
    """
    output = open_output(settings)
    refuse_no_data_set(settings)
    refuse_unplanned_files(output, plan, settings)
    _refuse_foreign(_foreign_shards(output, _existing_shards(output, plan)), settings)


def _refuse_foreign(foreign: list[str], settings: BuildSettings) -> None:
    if foreign and not settings.overwrite:
        raise OutputConflict(
            f"output_directory must be empty or hold this plan's shards, got {len(foreign):,} of another plan: "
            f"{settings.output_directory}: {foreign[0]}. Other input, other settings or an earlier "
            "version made them: choose another output, pass --append to add new images to them, or --overwrite to remove them"
        )


def prepare_output(plan: Plan, settings: BuildSettings) -> tuple[str, ...]:
    """Write the plan to the output, and return notes on what is known of its images. Only under the output's lock.

    Shards of a killed build of the same plan stay, so that convert can reuse finished ones; shards of the plan that this one
    extends get their new names; those of another plan are refused as by refuse_conflict, or removed. dataset_info.json goes
    first: from here on the data set is not complete.
    """
    output = open_output(settings)
    expected = {shard.name for shard in plan.references()}
    existing = _existing_shards(output, plan)
    foreign = _foreign_shards(output, existing)
    _refuse_foreign(foreign, settings)
    notes = keep_known(plan, foreign, settings)
    output.remove(DATASET_INFO)
    sweep_unfinished(output)
    renumber_shards(output, plan.shards, existing)
    for name in foreign:
        if name not in expected:
            output.remove(name)
    if foreign:
        if settings.reuse and settings.report:
            keep_card(output)
        _remove_records_of(output, expected)
    write_about(output, plan.header, _header_before(output), settings)
    write_plan(output, plan)
    return notes


def _header_before(output: Folder) -> PlanHeader | None:
    """The header of the plan in an output; None where there is none, or none that can be read."""
    try:
        return read_planned_shards(output)[0]
    except UNREADABLE:
        return None


def _existing_shards(output: Folder, plan: Plan) -> tuple[PlannedShard, ...]:
    """The shards of the plan in an output, where it is this one or the one that it extends; else none."""
    try:
        header, shards = read_planned_shards(output)
    except UNREADABLE:
        return ()
    return shards if header.digest in (plan.header.digest, plan.header.extends) else ()


def _foreign_shards(output: Folder, existing: tuple[PlannedShard, ...]) -> list[str]:
    """The shards in an output that are not those of the plan in it; all of them where that plan is another."""
    present = present_shards(output)
    return sorted(present.files - renamed_shards(output, existing, present).keys())


def _remove_records_of(output: Folder, expected: set[str]) -> None:
    """Remove the files that describe another plan's shards: the manifest and its like, their receipts and indexes.

    labels.txt and object_labels.txt stay, since they may be this build's input; publish writes it again.
    """
    for name in (MANIFEST, FINDINGS, REPORT, FEATURES, CLASS_LABELS, LABEL_MAP, OBJECT_CLASS_LABELS, CROISSANT):
        output.remove(name)
    for directory in (RECEIPTS, INDEX):
        for name in output.files(directory):
            shard = name.rpartition(".")[0]
            if is_our_shard(shard) and shard not in expected:
                output.remove(f"{directory}/{name}")
