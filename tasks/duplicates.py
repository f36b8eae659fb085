"""duplicates: which images of a listing are excluded because another one has the same bytes; for duplicates="drop".

Decisions that bind users' data: of images of the same bytes the first is kept in the order of split (validation, test, train),
label id and path. So validation and test keep all their images, and no training image is in either. A change of this order
moves images between data sets built before and after it.

Images of a data set that is appended to come before all new ones, whatever their split. They are compared by the SHA-256 in the
manifest, so their files may have changed or be deleted. Only those that the manifest does not contain yet, because a build was
stopped, are read.

Only images that share their size with another one are read. Empty files, and those that can't be read, are left to convert.
The plan pins the state of each listed file: one that changes after it was compared is `changed_during_build` in convert, as
without this step, and its duplicates stay excluded; the next build compares again. An excluded duplicate is not read again:
if the one that is kept can't be decoded, neither can its duplicates.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.listing import Listing
from imagerecords.schemas.plan import DROP, Plan
from imagerecords.schemas.receipt import COLUMNS, WRITTEN, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.splits import EVERY_SPLIT, FOLDS, Split
from imagerecords.tasks.append import existing_splits, known_images
from imagerecords.tasks.dataset.manifest import read_manifest
from imagerecords.tasks.planning.splits import split_images
from imagerecords.tasks.sources.fetch import fetch_images
from imagerecords.tasks.storage.folders import Folder, open_folder, open_output
from imagerecords.tasks.storage.processors import usable_processors

ORDER: tuple[Split, ...] = ("validation", "test", "train", *FOLDS)
_STORED = pa.schema([("split", pa.string()), ("path", pa.string()), ("source_size", pa.int64()), ("sha256", pa.string())])
IMAGES_PER_THREAD = 64  # handed to a thread at once


def drop_duplicates(listing: Listing, settings: BuildSettings, base: Plan | None = None) -> Listing:
    """The listing with a column `drop`: why an image is excluded, null for those that are kept.

    With `base`, the plan of the data set that is appended to, only new images are excluded.
    """
    images = listing.images.append_column("number", pa.array(np.arange(listing.images.num_rows)))
    stored = _STORED.empty_table()
    if base is None:
        ordered = _ordered(split_images(replace(listing, images=images), settings))
    else:
        ordered, stored = _new_after_old(replace(listing, images=images), base, settings)
    suspects = _of_a_shared_size(ordered, stored["source_size"])
    rows = (stored[name].to_pylist() for name in ("sha256", "path", "split"))
    kept = {bytes.fromhex(sha256): f"{path} in {split}" for sha256, path, split in zip(*rows, strict=True)}
    drop: list[str | None] = [None] * images.num_rows
    columns = (suspects[name].to_pylist() for name in ("number", "split", "path"))
    for number, split, path, digest in zip(*columns, _digests(listing, suspects, settings), strict=True):
        if digest in kept:
            drop[number] = f"the same bytes as {kept[digest]}, which is kept"
        elif digest is not None:
            kept[digest] = f"{path} in {split}"
    return replace(listing, images=listing.images.append_column(DROP, pa.array(drop, DROP.type)))


def _ordered(splits: dict[Split, pa.Table]) -> pa.Table:
    """The images of all splits in their order, with their split."""
    tables = [
        splits[split].append_column("split", pa.array([split] * splits[split].num_rows, pa.string()))
        for split in ORDER
        if split in splits
    ]
    return pa.concat_tables(tables)


def _new_after_old(listing: Listing, base: Plan, settings: BuildSettings) -> tuple[pa.Table, pa.Table]:
    """The images to be compared, old ones first, and the manifest's rows of all written ones."""
    output = open_output(settings)
    manifest = _read_stored(output)
    stored = {split: manifest.filter(pc.equal(manifest["split"], split)) for split in EVERY_SPLIT}
    is_old = known_images(base.header, listing.roots, base.images_of, listing.images)
    is_stored = known_images(base.header, listing.roots, stored.__getitem__, listing.images)
    written = manifest.filter(pc.equal(manifest["status"], WRITTEN)).select(_STORED.names)
    parts = []
    for of_old, rows in ((True, pc.and_(is_old, pc.invert(is_stored))), (False, pc.invert(is_old))):
        part = replace(listing, images=listing.images.filter(rows))
        splits = _planned_splits(part, base) if of_old else split_images(part, settings, existing_splits(base, settings))
        parts.append(_ordered(splits))
    return pa.concat_tables(parts), written


def _planned_splits(listing: Listing, base: Plan) -> dict[Split, pa.Table]:
    """The images of each split of the plan that has them."""

    def rows_of(wanted: Split) -> pa.ChunkedArray:
        parts = {split: base.images_of(split).slice(0, None if split == wanted else 0) for split in EVERY_SPLIT}
        return known_images(base.header, listing.roots, parts.__getitem__, listing.images)

    return {split: listing.images.filter(rows_of(split)) for split in EVERY_SPLIT}


def _read_stored(output: Folder) -> pa.Table:
    """The manifest's rows, none where there is none or it is damaged: those images are read again."""
    columns = [*_STORED.names, "status"]
    try:
        return read_manifest(output, columns).replace_schema_metadata(None)
    except (FileNotFoundError, CorruptRecord):
        return COLUMNS.empty_table().select(columns)


def _of_a_shared_size(images: pa.Table, others: pa.ChunkedArray) -> pa.Table:
    """The images whose size another one of them has, or one of these sizes is, in their order."""
    counts = images["size"].value_counts()
    shared = pa.chunked_array([counts.filter(pc.greater(counts.field("counts"), 1)).field("values"), *others.chunks])
    return images.filter(pc.and_(pc.is_in(images["size"], shared.combine_chunks()), pc.greater(images["size"], 0)))


def _digests(listing: Listing, images: pa.Table, settings: BuildSettings) -> Iterator[bytes | None]:
    """The SHA-256 of each image in its order; None where it can't be read. Images of one source follow one another."""
    source = images["source"]
    for name in pc.unique(source).to_pylist():
        folder = open_folder(listing.roots[name], settings.storage_options)
        yield from _digests_in(folder, images.filter(pc.equal(source, name)), settings)


def _digests_in(folder: Folder, images: pa.Table, settings: BuildSettings) -> Iterator[bytes | None]:
    """The same for the images of one folder: in threads where it is local, else fetched ahead."""
    if not folder.is_local:
        yield from _hash(folder, images, settings)
        return
    threads = ThreadPoolExecutor(settings.workers or usable_processors(), thread_name_prefix="duplicates")
    parts = (images.slice(start, IMAGES_PER_THREAD) for start in range(0, images.num_rows, IMAGES_PER_THREAD))
    try:
        for digests in threads.map(lambda part: list(_hash(folder, part, settings)), parts):
            yield from digests
    finally:
        threads.shutdown(cancel_futures=True)


def _hash(folder: Folder, images: pa.Table, settings: BuildSettings) -> Iterator[bytes | None]:
    for _, data in fetch_images(folder, images, settings):
        yield None if isinstance(data, Rejected) else hashlib.sha256(data).digest()
