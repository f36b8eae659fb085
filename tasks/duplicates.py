"""duplicates: which images of a listing are left out because the same bytes are there already; for duplicates="drop".

Decisions that bind users' data: of images of the same bytes the first is kept in the order of split (validation, test, train),
label id and path. So what validation and test measure stays as it is, and no training image is in either. A change of this
order moves images between data sets built before and after it.

Only images whose size another one has too are read. Files without bytes, and those that can't be read, are left to convert.
The plan pins the state of each file that was listed: one that changes after it was compared is `changed_during_build` in
convert, as without this step, and its copies stay left out; the next build compares anew. A copy that was left out is not
looked at again. Where the one that is kept turns out to be no sound image, its copies would have been none either.
"""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.listing import Listing
from schemas.plan import DROP
from schemas.receipt import Rejected
from schemas.settings import BuildSettings, Split
from tasks.fetch import fetch_images
from tasks.partition import split_images
from tasks.storage import Folder, open_folder

ORDER: tuple[Split, ...] = ("validation", "test", "train")
IMAGES_A_THREAD = 64  # handed to a thread at once


def drop_duplicates(listing: Listing, settings: BuildSettings) -> Listing:
    """The listing with a column `drop`: why an image is left out, null for those that are kept."""
    images = listing.images.append_column("number", pa.array(np.arange(listing.images.num_rows)))
    splits = split_images(replace(listing, images=images), settings)
    ordered = pa.concat_tables(
        splits[split].append_column("split", pa.array([split] * splits[split].num_rows, pa.string()))
        for split in ORDER
        if split in splits
    )
    suspects = _of_a_shared_size(ordered)
    kept: dict[bytes, str] = {}
    drop: list[str | None] = [None] * images.num_rows
    columns = (suspects[name].to_pylist() for name in ("number", "split", "path"))
    for number, split, path, digest in zip(*columns, _digests(listing, suspects, settings), strict=True):
        if digest in kept:
            drop[number] = f"the same bytes as {kept[digest]}, which is kept"
        elif digest is not None:
            kept[digest] = f"{path} in {split}"
    return replace(listing, images=listing.images.append_column(DROP, pa.array(drop, DROP.type)))


def _of_a_shared_size(images: pa.Table) -> pa.Table:
    """The images that could have a copy, in their order."""
    counts = images["size"].value_counts()
    shared = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
    return images.filter(pc.and_(pc.is_in(images["size"], shared), pc.greater(images["size"], 0)))


def _digests(listing: Listing, images: pa.Table, settings: BuildSettings) -> Iterator[bytes | None]:
    """The SHA-256 of each image in its order; None where it can't be had. A source's images follow one another."""
    source = images["source"]
    for name in pc.unique(source).to_pylist():
        folder = open_folder(listing.roots[name], settings.storage_options)
        yield from _digests_in(folder, images.filter(pc.equal(source, name)), settings)


def _digests_in(folder: Folder, images: pa.Table, settings: BuildSettings) -> Iterator[bytes | None]:
    """The same for the images of one folder: in threads where it is local, else fetched ahead."""
    if not folder.is_local:
        yield from _hash(folder, images, settings)
        return
    threads = ThreadPoolExecutor(settings.workers or os.cpu_count() or 1, thread_name_prefix="duplicates")
    parts = (images.slice(start, IMAGES_A_THREAD) for start in range(0, images.num_rows, IMAGES_A_THREAD))
    try:
        for digests in threads.map(lambda part: list(_hash(folder, part, settings)), parts):
            yield from digests
    finally:
        threads.shutdown(cancel_futures=True)


def _hash(folder: Folder, images: pa.Table, settings: BuildSettings) -> Iterator[bytes | None]:
    for _, data in fetch_images(folder, images, settings):
        yield None if isinstance(data, Rejected) else hashlib.sha256(data).digest()
