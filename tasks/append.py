"""append: the plan of a data set that grows, by a pure function from the plan it has, a listing, and settings.

Decisions that bind users' data:

Existing images stay. An image is known by its path below its root (a split's directory, or the one of all); the output's plan
says which are known, whatever became of them: rejected, dropped, removed, changed in the input or deleted from it. Their rows,
shards and fingerprints are carried over unchanged, so convert finds their shards finished and reads no old image again. Changed
and deleted images are reported, and their records kept: a record that trainers have seen does not change under its name. New
images that are all duplicates make no shard, and are reported each time.

New images come last. They alone are shuffled with the seed and cut into shards of their own, after the split's old
ones; a split without new images keeps its shards' names. Others are renumbered, train-00003-of-00008 to
train-00003-of-00010 (tasks/dataset/renumber.py says why). New shards are cut in one level, and are never more than the new
images: layout_threads and empty shards apply to a first build only.

Splits stay. An old image stays in its split even when the fractions were changed. A new one is placed by the split_method that
the data set was made with, whatever the settings say (hash for those of version 0.1.0): by its keyed hash, or where its label
lacks images, old ones counted. Where its group has old images, it goes with them, so that no group is divided.

Labels keep their ids (schemas/labels.py). All that a shard's bytes depend on must be unchanged: input directories, content
settings and encoder. Otherwise one data set would have shards of two kinds.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.boxes import BoxCounts
from imagerecords.schemas.errors import BadLayout, OutputConflict
from imagerecords.schemas.example import APPENDED_TO, ENCODER_VERSION
from imagerecords.schemas.listing import COLUMNS as LISTED
from imagerecords.schemas.listing import Listing
from imagerecords.schemas.messages import plural, some
from imagerecords.schemas.plan import COLUMNS, DROP, GROUP, Appended, Plan, PlanHeader, PlannedShard
from imagerecords.schemas.setting_fields import shards_setting
from imagerecords.schemas.settings import BuildSettings, planned_content
from imagerecords.schemas.splits import EVERY_SPLIT, Split
from imagerecords.schemas.version import VERSION
from imagerecords.tasks.dataset.plan_file import read_plan
from imagerecords.tasks.partition import AUTO_SHARD_BYTES, plan_header, plan_split, with_drop
from imagerecords.tasks.planning.splits import split_images, with_groups
from imagerecords.tasks.planning.stratify import Existing
from imagerecords.tasks.storage.folders import open_folder, open_output

MOST_SHARDS = 99_999  # the names have five digits
STATE = [
    name for name in COLUMNS.names if name in LISTED.names and name != GROUP.name
]  # a change of one of these means that the image has changed


@dataclass(frozen=True)
class _Compared:
    """A listing compared with a plan: the new rows, and the paths of known images that changed or were deleted."""

    new: pa.Table
    changed: list[str]
    deleted: list[str]
    moved: list[str]


def base_plan(settings: BuildSettings) -> Plan | None:
    """The plan in the output that a build with these settings adds to; None where it adds to none.

    Raises OutputConflict where the input directories or the settings that change bytes differ from the plan's.
    """
    if not settings.append:
        return None
    base = read_plan(open_output(settings))
    if base is not None:
        roots = {name: _canonical(url, settings) for name, url in settings.directories().items()}
        _refuse(_differences(base.header, roots or base.header.roots, settings), settings)
    return base


def append_images(base: Plan, listing: Listing, settings: BuildSettings) -> Appended:
    """The plan of a data set that has a plan's images and the new ones of a listing, whose labels begin with the plan's.

    Raises OutputConflict, naming each difference, where new shards would differ in kind from the plan's, and BadLayout where a
    new split has no images or a split gets too many shards for their names.
    """
    if settings.listed_by:  # it may list new images alone, and some split may have none
        listing = replace(listing, roots=base.header.roots | listing.roots)
    kinds = _kind_differences(base.header, listing)
    _refuse([*_differences(base.header, listing.roots, settings), *kinds], settings)
    compared = _compare(base, listing)
    added = with_drop(replace(listing, images=compared.new))
    shards: list[PlannedShard] = []
    tables: list[pa.Table] = []
    notes = list(_comparison_notes(compared))
    existing = existing_splits(base, settings)
    if "data" in listing.roots and existing.method != settings.split_method:
        notes.append(f"split_method: new images are divided by {existing.method}, as the data set was made")
    splits = split_images(added, settings, existing)
    for split in EVERY_SPLIT:
        old, found = base.shards_of(split), splits.get(split, added.images.slice(0, 0))
        kept = found[DROP.name].null_count
        tables.append(base.images_of(split))
        if not kept and (old or split not in splits):
            shards += old
            if found.num_rows:
                notes.append(f"{split}: {plural(found.num_rows, 'new image')}, all duplicates: nothing to append")
            continue
        new, images = plan_split(split, found, listing, _narrowed(split, kept, pc.sum(found["size"]).as_py() or 0, settings))
        shards += _numbered(split, [*old, *new], settings)
        tables.append(images)
        notes.append(_split_note(split, found.num_rows, len(new), settings))
    if len(shards) == len(base.shards):
        header = base.header.model_copy(update={"version": VERSION, "skipped": listing.skipped})
        return Appended(Plan(header, base.shards, base.images), (*notes, "no new image: nothing to append"))
    images = pa.concat_tables(tables).combine_chunks()
    settings = settings.model_copy(update={"split_method": existing.method})
    header = plan_header(replace(listing, boxes=_boxes(listing, images)), shards, settings, base.header.digest)
    return Appended(Plan(header, tuple(shards), images), tuple(notes))


def _refuse(differences: list[str], settings: BuildSettings) -> None:
    if differences:
        raise OutputConflict(
            f"cannot append, since the data set was built with other settings or input: {', '.join(differences)}: "
            f"{settings.output_directory}. Use the same again, or build into another output, or with --overwrite instead of "
            "--append"
        )


def _differences(header: PlanHeader, roots: Mapping[str, str], settings: BuildSettings) -> list[str]:
    """The input directories and settings that differ from a plan's."""
    content = settings.content()
    pairs: list[tuple[str, Any, Any]] = [(f"input of {name}", roots.get(name), root) for name, root in header.roots.items()]
    before = planned_content(header.content, content)
    pairs += [(name, content.get(name), before.get(name)) for name in sorted(content.keys() | before.keys())]
    pairs.append(("folds", settings.folds, header.layout.get("folds", 0)))
    if header.encoder not in APPENDED_TO.get(ENCODER_VERSION, set()):
        pairs.append(("the encoder's version", ENCODER_VERSION, header.encoder))
    return _changes(pairs)


def _kind_differences(header: PlanHeader, listing: Listing) -> list[str]:
    """Where an input's records would differ from a plan's: boxes, and texts of the existing labels."""
    pairs: list[tuple[str, Any, Any]] = [
        ("boxes", listing.boxes is not None, header.boxes is not None),
        ("boxes in display orientation", listing.boxes_in_display_orientation, header.boxes_in_display_orientation),
        ("synsets", listing.texts is not None, header.texts is not None),
        ("object labels of their own", listing.object_labels is not None, header.object_labels is not None),
    ]
    texts = zip(header.labels, listing.texts or (), header.texts or (), strict=False)
    pairs += [(f"text of {label}", now, then) for label, now, then in texts]
    return _changes(pairs)


def _changes(pairs: Iterable[tuple[str, Any, Any]]) -> list[str]:
    return [f"{name} is {now!r}, was {then!r}" for name, now, then in pairs if now != then]


def _boxes(listing: Listing, images: pa.Table) -> BoxCounts | None:
    """The box counts of all planned images, with the numbers dropped or without an image in this listing."""
    if listing.boxes is None:
        return None
    planned = pc.sum(pc.list_value_length(images["boxes"])).as_py() or 0
    found = planned + listing.boxes.dropped + listing.boxes.of_no_image + listing.boxes.excluded
    return listing.boxes.model_copy(update={"planned": planned, "found": found})


def _canonical(url: str, settings: BuildSettings) -> str:
    return open_folder(url, settings.storage_options).canonical_url


def known_images(
    header: PlanHeader, roots: Mapping[str, str], rows_of: Callable[[Split], pa.Table], images: pa.Table
) -> pa.ChunkedArray:
    """Whether each image of a listing with these roots is, by root and path, among the rows of a plan's splits."""
    known = pa.chunked_array([pa.repeat(False, images.num_rows)])
    for root, splits in _splits_by_root(header).items():
        paths = pa.concat_tables(rows_of(split).select(["path"]) for split in splits)["path"].combine_chunks()
        known = pc.or_(known, pc.and_(_is_from(roots, root, images), pc.is_in(images["path"], value_set=paths)))
    return known


def _splits_by_root(header: PlanHeader) -> dict[str, list[Split]]:
    splits: dict[str, list[Split]] = {}
    for split in EVERY_SPLIT:
        if root := header.roots.get(split) or header.roots.get("data"):
            splits.setdefault(root, []).append(split)
    return splits


def _is_from(roots: Mapping[str, str], root: str, images: pa.Table) -> pa.ChunkedArray:
    sources = pa.array([source for source, its_root in roots.items() if its_root == root], pa.string())
    return pc.is_in(images["source"], value_set=sources)


def _compare(base: Plan, listing: Listing) -> _Compared:
    is_known = known_images(base.header, listing.roots, base.images_of, listing.images)
    new, seen = listing.images.filter(pc.invert(is_known)), listing.images.filter(is_known)
    changed: list[str] = []
    deleted = []
    for root, splits in _splits_by_root(base.header).items():
        old = pa.concat_tables(_with_source(base.images_of(split), split) for split in splits)
        found = seen.filter(_is_from(listing.roots, root, seen))
        then = old.take(pc.index_in(found["path"], value_set=old["path"].combine_chunks()))
        state = STATE + ["source"] * ("data" not in listing.roots)
        changed += found["path"].filter(pa.array(_differ(then, found, state))).to_pylist()
        deleted.append(old.filter(pc.invert(pc.is_in(old["path"], value_set=found["path"].combine_chunks()))))
    gone = pa.concat_tables(deleted)
    states = set(_rows(gone, ["size", "version"]))
    moved = [path for path, *its_state in _rows(new, ["path", "size", "version"]) if tuple(its_state) in states]
    return _Compared(new, changed, gone["path"].to_pylist(), moved)


def _differ(then: pa.Table, now: pa.Table, columns: list[str]) -> npt.NDArray[np.bool_]:
    """Whether each row of two tables has another value in one of these columns, without a Python object for each."""
    differ = np.zeros(now.num_rows, bool)
    for name in columns:
        before, after = then[name], now[name]
        if pa.types.is_nested(after.type):  # Arrow compares no lists
            rows = np.flatnonzero(pc.or_(pc.is_valid(before), pc.is_valid(after)).to_numpy())
            pairs = zip(before.take(rows).to_pylist(), after.take(rows).to_pylist(), strict=True)
            differ[rows] |= np.fromiter((one != other for one, other in pairs), bool, len(rows))
        else:
            differ |= pc.xor(pc.is_null(before), pc.is_null(after)).to_numpy()
            differ |= pc.fill_null(pc.not_equal(before, after), False).to_numpy()
    return differ


def _with_source(images: pa.Table, source: str) -> pa.Table:
    return images.append_column("source", pa.array([source] * images.num_rows, pa.string()))


def _rows(table: pa.Table, columns: list[str]) -> Iterable[tuple[Any, ...]]:
    return zip(*(table[name].to_pylist() for name in columns), strict=True)


def existing_splits(base: Plan, settings: BuildSettings) -> Existing:
    """The split of each group that has images in the plan (the first, where it is in several), and how many of which label."""
    groups: dict[str, Split] = {}
    images: Counter[tuple[int, Split]] = Counter()
    for split in reversed(EVERY_SPLIT):
        rows = base.images_of(split)
        if settings.group_near_duplicates or settings.group_pattern is not None or rows[GROUP.name].null_count < rows.num_rows:
            groups |= dict.fromkeys(with_groups(rows, settings.group_pattern)[1], split)
        images.update((label, split) for label in rows["label"].to_pylist())
    return Existing(base.header.layout.get("split_method", "hash"), groups, images)


def _narrowed(split: Split, images: int, size: int, settings: BuildSettings) -> BuildSettings:
    """The settings by which new images of a size are cut: in one level, into at most as many shards as there are images.

    auto makes shards of AUTO_SHARD_BYTES even where that leaves workers idle: appends should not add many small ones.
    """
    asked = settings.shards_of(split)
    shards = min(-(-size // AUTO_SHARD_BYTES) if asked == "auto" else asked, images)
    shards = max(1, shards)
    return settings.model_copy(update={shards_setting(split): shards, "layout_threads": 1})


def _numbered(split: Split, shards: list[PlannedShard], settings: BuildSettings) -> list[PlannedShard]:
    if len(shards) > MOST_SHARDS:
        raise BadLayout(
            f"a split must have at most {MOST_SHARDS} shards, got {len(shards)} of {split}: {settings.output_directory}. Build "
            "into another output, with fewer shards"
        )
    return [shard.model_copy(update={"index": index, "count": len(shards)}) for index, shard in enumerate(shards)]


def _split_note(split: Split, images: int, shards: int, settings: BuildSettings) -> str:
    asked = settings.shards_of(split)
    fewer = f", fewer than the {asked} asked for, since each needs an image" if asked != "auto" and asked > shards else ""
    return f"{split}: {plural(images, 'new image')} in {plural(shards, 'new shard')}{fewer}"


def _comparison_notes(compared: _Compared) -> Iterable[str]:
    if compared.changed:
        yield (
            f"{plural(len(compared.changed), 'image')} changed since the last build; the data set keeps its old records: "
            f"{some(compared.changed)}. To get the new ones, build into another output, or with --overwrite"
        )
    if compared.deleted:
        yield (
            f"{plural(len(compared.deleted), 'image')} no longer in the input; the data set keeps the records: "
            f"{some(compared.deleted)}. imagerecords remove removes images"
        )
    if compared.moved:
        yield (
            f"{plural(len(compared.moved), 'new image')} with the size and modification time of deleted ones: "
            f"{some(compared.moved)}. An image moved to another label is now in the data set under both labels"
        )
