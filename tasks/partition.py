"""partition: the plan of a build, by pure functions from a listing: split, seeded shuffle, cut into shards.

Decisions that bind users' data; each change of one moves images between splits or shards of every data set built after it.

Split by fractions: a keyed BLAKE2b of the image's group, read as a number in [0, 1), is its position. With split_method=hash
it is validation from below and test from above; that depends on nothing but the group, so an image never changes split when
others are added, and changing one fraction moves no image of the other. With split_method=stratified the positions order the
images of each label, and each label gets its share (tasks/stratify.py). Python's hash() is salted and a seeded draw depends on
the listing; neither would do.

Shuffle: random.Random(seed) over each split's list, ordered by label id and path, as build_image_data.py does.

Cut: contiguous ranges by two-level linspace truncated to int: over the threads, then over each thread's shards. The two
levels differ from one for most numbers. With layout_threads as build_image_data.py's num_threads, both put the same images in
the same shards in the same order, provided that both list them in the same order: this listing is sorted, that script's has the
directory's order.
"""

import hashlib
import itertools
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.example import ENCODER_VERSION
from imagerecords.schemas.listing import Listing
from imagerecords.schemas.messages import plural
from imagerecords.schemas.plan import COLUMNS, DROP, Plan, PlanHeader, PlannedShard, extras
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.splits import SPLITS, Split
from imagerecords.schemas.version import VERSION
from imagerecords.tasks.stratify import Existing, Grouped, stratify

AUTO_SHARD_BYTES = 128 * 2**20
# A split that takes longer than some seconds has work for eight workers, two shards each, whatever machine builds it: the rule
# must not depend on the machine, or the data set would.
AUTO_SHARDS, AUTO_LEAST_BYTES = 16, 8 * 2**20
SPLIT_KEY = b"imagerecords split 1"


def partition_images(listing: Listing, settings: BuildSettings) -> Plan:
    """The plan that these settings make of a listing. Raises BadLayout where a split or a shard would stay empty."""
    planned: list[PlannedShard] = []
    tables: list[pa.Table] = [COLUMNS.empty_table()]
    for split, found in split_images(with_drop(listing), settings).items():
        shards, images = plan_split(split, found, listing, settings)
        planned += shards
        tables.append(images)
    return Plan(plan_header(listing, planned, settings), tuple(planned), pa.concat_tables(tables).combine_chunks())


def plan_split(split: Split, found: pa.Table, listing: Listing, settings: BuildSettings) -> tuple[list[PlannedShard], pa.Table]:
    """The shards that a split's images are cut into, and the images in the shards' order. Raises BadLayout as above."""
    if found.num_rows == 0:
        alone = "data" in listing.roots and settings.split_method == "stratified"
        remedy = "No label has two images or groups: pass --split_method hash" if alone else "Raise its fraction"
        raise BadLayout(f"a split must have images, got none for {split}: {settings.output_directory}. {remedy}")
    images = found.take(shuffled(found.num_rows, settings.seed))
    kept = images.filter(pc.is_null(images[DROP.name]))
    if kept.num_rows == 0:
        raise BadLayout(
            f"every image of {split} is a duplicate ({plural(images.num_rows, 'image')}): nothing is left to write. Add other "
            "images, or pass --duplicates report"
        )
    count = shard_count(split, kept, settings)
    root = listing.roots.get(split) or listing.roots["data"]
    shards = []
    for index, (start, end) in enumerate(cut(images.num_rows, count, settings.layout_threads)):
        rows = images.slice(start, end - start)
        shards.append(
            PlannedShard(
                split=split,
                index=index,
                count=count,
                images=rows.num_rows,
                bytes=pc.sum(rows["size"]).as_py() or 0,
                fingerprint=fingerprint(rows, root, listing, settings),
            )
        )
    return shards, images.select(COLUMNS.names)


def plan_header(listing: Listing, planned: Iterable[PlannedShard], settings: BuildSettings, extends: str = "") -> PlanHeader:
    """The header of a plan of these shards."""
    digest = hashlib.sha256("\n".join(f"{s.split} {s.index} {s.count} {s.fingerprint}" for s in planned).encode())
    return PlanHeader(
        version=VERSION,
        labels=listing.labels,
        roots=listing.roots,
        content=settings.content(),
        layout=settings.layout(),
        skipped=listing.skipped,
        encoder=ENCODER_VERSION,
        digest=digest.hexdigest(),
        extends=extends,
        texts=listing.texts,
        boxes=listing.boxes,
        object_labels=listing.object_labels,
        boxes_in_display_orientation=listing.boxes_in_display_orientation,
    )


def with_drop(listing: Listing) -> Listing:
    """The listing with the column `drop`, all null where duplicates were not searched."""
    if DROP.name in listing.images.column_names:
        return listing
    nothing = pa.nulls(listing.images.num_rows, DROP.type)
    return replace(listing, images=listing.images.append_column(DROP, nothing))


def split_images(listing: Listing, settings: BuildSettings, existing: Existing | None = None) -> dict[Split, pa.Table]:
    """The images of each split, in the listing's order; those of `existing`, where new ones are added to a data set, stay.

    Images have their group in the column `group`, null where the path is the group.
    """
    images = listing.images
    if "data" not in listing.roots:
        return {split: images.filter(pc.equal(images["source"], split)) for split in SPLITS if split in listing.roots}
    existing = existing or Existing(settings.split_method)
    images, groups = with_groups(images, settings.group_pattern)
    position = np.fromiter(map(group_position, groups), np.float64, images.num_rows)
    if existing.method == "hash":
        places = _by_position(position, groups, settings, existing)
    else:
        labels = images["label"].to_numpy().astype(np.int64)
        found = Grouped(labels, groups, position)
        places = stratify(found, settings.validation_fraction, settings.test_fraction, existing)
    asked = {"train": True, "validation": settings.validation_fraction > 0, "test": settings.test_fraction > 0}
    return {
        split: images.filter(pa.array(places == place))
        for place, split in enumerate(SPLITS)
        if asked[split] or (places == place).any()
    }


def _by_position(
    position: npt.NDArray[np.float64], groups: list[str], settings: BuildSettings, existing: Existing
) -> npt.NDArray[np.int64]:
    """The place in SPLITS of each image's split by its position alone, or where its group is already."""
    validation, test = position < settings.validation_fraction, position >= 1 - settings.test_fraction
    chosen = np.where(validation, SPLITS.index("validation"), np.where(test, SPLITS.index("test"), SPLITS.index("train")))
    if existing.groups:
        for place, group in enumerate(groups):
            if group in existing.groups:
                chosen[place] = SPLITS.index(existing.groups[group])
    return chosen


def with_groups(images: pa.Table, pattern: str | None) -> tuple[pa.Table, list[str]]:
    """The images with the pattern's groups where the listing has none, and the group of each, which may be its path."""
    if pattern is not None and not pc.any(pc.is_valid(images["group"])).as_py():
        found = pa.array(map(group_of(pattern), images["path"].to_pylist()), pa.string())
        images = images.set_column(images.column_names.index("group"), "group", found)
    return images, pc.coalesce(images["group"], images["path"]).to_pylist()


def group_of(pattern: str | None) -> Callable[[str], str]:
    """The group of a path: what the pattern's one group matches, or the path itself where it matches nothing."""
    if pattern is None:
        return str
    expression = re.compile(pattern)
    return lambda path: match[1] if (match := expression.search(path)) and match[1] is not None else path


def group_position(group: str) -> float:
    """A number in [0, 1) that depends on the group alone."""
    digest = hashlib.blake2b(group.encode(), digest_size=8, key=SPLIT_KEY).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53  # 53 bits: what a float holds, so 1.0 can't come out


def shuffled(count: int, seed: int) -> list[int]:
    """The numbers below `count` in the order of build_image_data.py's shuffle."""
    order = list(range(count))
    random.Random(seed).shuffle(order)
    return order


def shard_count(split: Split, images: pa.Table, settings: BuildSettings) -> int:
    """How many shards a split gets; raises BadLayout where some would stay empty without allow_empty_shards."""
    shards, threads = settings.shards_of(split), settings.layout_threads
    if shards == "auto":
        size = pc.sum(images["size"]).as_py()
        wanted = max(1, -(-size // AUTO_SHARD_BYTES), min(AUTO_SHARDS, size // AUTO_LEAST_BYTES))
        wanted = -(-wanted // threads) * threads
        shards = int(min(wanted, max(1, images.num_rows // threads) * threads))
    if shards > images.num_rows and not settings.allow_empty_shards:
        raise BadLayout(
            f"{split}_shards must be at most the number of its images ({images.num_rows}), got {shards}. Ask for fewer (of "
            "layout_threads too), or pass --allow_empty_shards"
        )
    return shards


def cut(images: int, shards: int, threads: int) -> Iterator[tuple[int, int]]:
    """The range of images of each shard: two-level linspace, truncated; `shards` is a multiple of `threads`."""
    for start, end in _spans(0, images, threads):
        yield from _spans(start, end, shards // threads)


def _spans(start: int, end: int, parts: int) -> Iterator[tuple[int, int]]:
    edges = [int(edge) for edge in np.linspace(start, end, parts + 1)]
    return itertools.pairwise(edges)


def fingerprint(rows: pa.Table, root: str, listing: Listing, settings: BuildSettings) -> str:
    """A digest of all that a shard's bytes and receipt depend on."""
    more = extras(listing, settings.content())
    content = settings.fingerprint_content()
    digest = hashlib.sha256(f"{ENCODER_VERSION}\0{root}\0{content}\0{more}\0{listing.boxes_in_display_orientation}\0".encode())
    labels = [f"{label}\0{text}" for label, text in zip(listing.labels, listing.texts or listing.labels, strict=True)]
    columns = [rows[name].to_pylist() for name in ("label", "path", "size", "version", DROP.name)]
    digest.update(
        "\n".join(
            f"{label}\0{labels[label - 1]}\0{path}\0{size}\0{version}" + (f"\0{drop}" if drop else "")
            for label, path, size, version, drop in zip(*columns, strict=True)
        ).encode()
    )
    if settings.labels == "many":
        several = [[labels[label - 1] for label in of_image] for of_image in rows["labels"].to_pylist()]
        digest.update(repr([rows["labels"].to_pylist(), several]).encode())
    if listing.boxes:
        boxes = rows["boxes"].combine_chunks()
        *corners, label = boxes.flatten().flatten()
        for numbers, kind in ((pc.list_value_length(boxes), "<i4"), (label, "<i4"), *((corner, "<f4") for corner in corners)):
            digest.update(numbers.to_numpy().astype(kind).tobytes())
    if listing.boxes and settings.features == "detection":
        digest.update(_objects_content(rows, listing.object_labels))
    return digest.hexdigest()


def _objects_content(rows: pa.Table, object_labels: tuple[str, ...] | None) -> bytes:
    """What detection's records say of objects, for a fingerprint: with lists of their own, classes by name."""
    label, crowd, difficult, area = rows["objects"].combine_chunks().flatten().flatten()
    numbers = [
        pc.fill_null(column.cast(pa.float32()), float("nan")).to_numpy().astype("<f4") for column in (area, crowd, difficult)
    ]
    ids = label.to_pylist()
    classes = ids if object_labels is None else [object_labels[number - 1] for number in ids]
    return b"".join([*(column.tobytes() for column in numbers), "\0".join(map(str, classes)).encode()])
