"""What a build would do, without doing it: discover and partition, and nothing written."""

from collections import Counter

from schemas.errors import BadLayout
from schemas.plan import Plan
from schemas.settings import BuildSettings
from schemas.summary import PlannedSplit, PlanSummary
from tasks.discover import survey
from tasks.partition import partition_images


def plan_dataset(settings: BuildSettings) -> PlanSummary:
    """The summary of a plan, with all layout mistakes that stand in its way."""
    listing = survey(settings)
    mistakes = listing.mistakes
    plan = None
    if not mistakes:
        try:
            plan = partition_images(listing, settings)
        except BadLayout as mistake:
            mistakes = (str(mistake),)
    return PlanSummary(
        output_directory=settings.output_directory,
        splits=_splits(plan) if plan else (),
        passed_over=listing.passed_over,
        notes=(*listing.notes, *_drop_note(settings)),
        mistakes=mistakes,
        boxes=plan.header.boxes if plan else None,
    )


def _drop_note(settings: BuildSettings) -> tuple[str, ...]:
    note = "the duplicates that a build would drop are counted here: finding them means reading images"
    return (note,) if settings.duplicates == "drop" else ()


def _splits(plan: Plan) -> tuple[PlannedSplit, ...]:
    splits = []
    start = 0
    for split in dict.fromkeys(shard.split for shard in plan.shards):
        shards = [shard for shard in plan.shards if shard.split == split]
        images = sum(shard.images for shard in shards)
        rows = plan.images.slice(start, images)
        start += images
        counts = Counter(rows["label"].to_pylist())
        labels = {plan.header.labels[label - 1]: count for label, count in sorted(counts.items())}
        size = sum(shard.bytes for shard in shards)
        splits.append(PlannedSplit(split=split, images=images, bytes=size, shards=len(shards), labels=labels))
    return tuple(splits)
