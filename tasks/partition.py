"""partition: the plan of a build, by pure functions from a listing: split, seeded shuffle, cut into shards.

Decisions that bind users' data; each change of one moves images between splits or shards of every data set built after it.

Split: tasks/planning/splits.py.

Shuffle: random.Random(seed) over each split's list, ordered by label id and path, as build_image_data.py does.

Cut: contiguous ranges by two-level linspace truncated to int: over the threads, then over each thread's shards. The two
levels differ from one for most numbers. With layout_threads as build_image_data.py's num_threads, both put the same images in
the same shards in the same order, provided that both list them in the same order: this listing is sorted, that script's has the
directory's order.
"""

import hashlib
import itertools
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.example import ENCODER_VERSION
from imagerecords.schemas.listing import Listing
from imagerecords.schemas.messages import plural
from imagerecords.schemas.plan import COLUMNS, DROP, Plan, PlanHeader, PlannedShard
from imagerecords.schemas.setting_fields import shards_setting
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.splits import FOLDS, Split
from imagerecords.schemas.version import VERSION
from imagerecords.tasks.planning.fingerprints import fingerprint
from imagerecords.tasks.planning.splits import split_images

AUTO_SHARD_BYTES = 128 * 2**20
# A split that takes longer than some seconds has work for eight workers, two shards each, whatever machine builds it: the rule
# must not depend on the machine, or the data set would.
AUTO_SHARDS, AUTO_LEAST_BYTES = 16, 8 * 2**20


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
        if split in FOLDS:
            remedy = "There are fewer images or groups than folds, or folds by hash are too many: pass fewer --folds"
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
            f"{shards_setting(split)} must be at most the number of its images ({images.num_rows}"
            f"{f' in {split}' if split in FOLDS else ''}), got {shards}. Ask for fewer (of layout_threads too), or pass "
            "--allow_empty_shards"
        )
    return shards


def cut(images: int, shards: int, threads: int) -> Iterator[tuple[int, int]]:
    """The range of images of each shard: two-level linspace, truncated; `shards` is a multiple of `threads`."""
    for start, end in _spans(0, images, threads):
        yield from _spans(start, end, shards // threads)


def _spans(start: int, end: int, parts: int) -> Iterator[tuple[int, int]]:
    edges = [int(edge) for edge in np.linspace(start, end, parts + 1)]
    return itertools.pairwise(edges)
