"""The dry run: discover and partition, or append, without writing anything."""

from collections import Counter
from collections.abc import Iterable, Mapping

import pyarrow.compute as pc

from imagerecords.schemas.errors import BadInput
from imagerecords.schemas.listing import Listing
from imagerecords.schemas.messages import plural
from imagerecords.schemas.plan import Plan
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.shares import shares_of
from imagerecords.schemas.splits import Split
from imagerecords.schemas.summary import PlannedSplit, PlanSummary
from imagerecords.tasks.append import append_images, base_plan
from imagerecords.tasks.dataset.known_images import expected_known
from imagerecords.tasks.dataset.label_columns import label_counts
from imagerecords.tasks.discover import survey
from imagerecords.tasks.partition import partition_images
from imagerecords.tasks.prepare import refuse_conflict
from imagerecords.tasks.storage.s3_access import access_problems


def plan_dataset(settings: BuildSettings) -> PlanSummary:
    """The summary of a plan, with all errors that a build would stop at."""
    if problems := tuple(access_problems(settings)):
        return PlanSummary(output_directory=settings.output_directory, splits=(), skipped={}, notes=(), errors=problems)
    errors: list[str] = []
    try:
        base = base_plan(settings)
    except BadInput as error:
        base = None
        errors.append(str(error))
    listing = survey(settings, base.header.labels if base else (), objects=(base.header.object_labels or ()) if base else ())
    errors += listing.errors
    plan, notes, known, converted = None, listing.notes, 0, 0
    if not errors:
        try:
            plan, more = _plan(base, listing, settings)
            notes += more
            refuse_conflict(plan, settings)
            known, converted = expected_known(plan, settings)
        except BadInput as error:
            errors.append(str(error))
    old = Counter(shard.split for shard in base.shards) if base else Counter()
    splits = _splits(plan) if plan else ()
    return PlanSummary(
        output_directory=settings.output_directory,
        splits=splits,
        new=_splits(plan, old) if plan and base else None,
        skipped=listing.skipped,
        notes=(*notes, *_notes_of_unread(settings), *_known_note(known, converted)),
        errors=tuple(errors),
        boxes=plan.header.boxes if plan else None,
        shares=shares_of({split.split: split.labels for split in splits}, settings.asked_shares()),
        images_known=known,
    )


def _known_note(known: int, converted: int) -> tuple[str, ...]:
    if not known:
        return ()
    return (
        f"{known:,} of {plural(converted, 'image')} to convert have the size and version (time or ETag) of known ones; those "
        "with the same bytes too would not be decoded again",
    )


def _notes_of_unread(settings: BuildSettings) -> Iterable[str]:
    """What a plan does not know of images that it does not read."""
    if settings.duplicates == "drop":
        yield "the duplicates that a build would drop are counted here: finding them means reading images"
    if settings.group_near_duplicates:
        yield "near duplicates are not kept together here: finding them means reading images, and a build divides otherwise"


def _plan(base: Plan | None, listing: Listing, settings: BuildSettings) -> tuple[Plan, tuple[str, ...]]:
    if base is None:
        return partition_images(listing, settings), ()
    appended = append_images(base, listing, settings)
    return appended.plan, appended.notes


def _splits(plan: Plan, existing: Mapping[Split, int] | None = None) -> tuple[PlannedSplit, ...]:
    """The counts of each split, without its `existing` first shards."""
    splits = []
    for split in dict.fromkeys(shard.split for shard in plan.shards):
        first = (existing or {}).get(split, 0)
        before, shards = plan.shards_of(split)[:first], plan.shards_of(split)[first:]
        rows = plan.images_of(split).slice(sum(shard.images for shard in before))
        counts = label_counts(rows)
        labels = {plan.header.label_name(label): count for label, count in sorted(counts.items())}
        size = sum(shard.bytes for shard in shards)
        boxes = None if plan.header.boxes is None else pc.sum(pc.list_value_length(rows["boxes"])).as_py() or 0
        splits.append(
            PlannedSplit(split=split, images=rows.num_rows, bytes=size, shards=len(shards), labels=labels, boxes=boxes)
        )
    return tuple(splits)
