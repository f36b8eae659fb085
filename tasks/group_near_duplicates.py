"""group_near_duplicates: near duplicates of a listing get one group, so that no split has an image that another one has too.

For group_near_duplicates. What looks alike is decided as the findings decide it (schemas/findings.py), by the hash of the
picture as it would be written, so each image is read and decoded here and again in convert: with images on a disk about the
time of a build on one processor, divided by the workers; images on S3 are fetched twice. Images that can't be read or decoded
are groups of their own, and convert rejects them. Images that a data set has already are compared by their manifest, unread.

Groups that share a near duplicate are joined, so that group_pattern and this hold together; the joined group has the name
that the data set's images have, else the first by code point.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.findings import BLANK_CONTRAST
from imagerecords.schemas.listing import Listing
from imagerecords.schemas.plan import GROUP, Plan
from imagerecords.schemas.receipt import WRITTEN, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.splits import EVERY_SPLIT
from imagerecords.tasks.append import known_images
from imagerecords.tasks.dataset.manifest import read_manifest
from imagerecords.tasks.findings.chance import nearness
from imagerecords.tasks.findings.find import EMPTY_HASHES
from imagerecords.tasks.findings.near_duplicates import join_near
from imagerecords.tasks.images.process import process_image
from imagerecords.tasks.planning.splits import with_groups
from imagerecords.tasks.sources.fetch import fetch_images
from imagerecords.tasks.storage.folders import Folder, open_folder, open_output
from imagerecords.tasks.storage.processors import usable_processors

IMAGES_PER_THREAD = 16  # handed to a thread at once
_MANIFEST = ["path", "status", "sha256", "contrast", "dhash"]


@dataclass(frozen=True)
class _Look:
    """The SHA-256 of an image's bytes and the hash of its picture; None where there is no meaningful one."""

    content: str | None = None
    dhash: int | None = None


@dataclass
class _Joined:
    """Groups that are joined: each leads to another one, and in the end to the one that names them all."""

    leads_to: dict[str, str] = field(default_factory=dict)

    def name(self, group: str) -> str:
        """The group that names this one."""
        while (other := self.leads_to.get(group, group)) != group:
            group = other
        return group

    def join(self, one: str, other: str, existing: set[str]) -> None:
        """Join two groups; the name is that of one that exists, else the first by code point."""
        first, second = sorted((self.name(one), self.name(other)), key=lambda name: (name not in existing, name))
        if first != second:
            self.leads_to[second] = first


def group_near_duplicates(listing: Listing, settings: BuildSettings, base: Plan | None = None) -> Listing:
    """The listing whose near duplicates have one group; `base` is the plan of the data set that is appended to."""
    images, groups = with_groups(listing.images, settings.group_pattern)
    known = {} if base is None else _existing_looks(base, settings)
    existing = {group for group, _ in known.values()}
    rows = np.arange(images.num_rows)
    if base is not None:
        is_known = known_images(base.header, listing.roots, base.images_of, images)
        rows = np.flatnonzero(~is_known.to_numpy())
    found = list(zip((groups[row] for row in rows), _looks(listing, images.take(rows), settings), strict=True))
    joined = _join([*known.values(), *found], existing)
    names = [joined.name(group) for group in groups]
    paths = images["path"].to_pylist()
    column = pa.array((None if name == path else name for name, path in zip(names, paths, strict=True)), GROUP.type)
    return replace(listing, images=images.set_column(images.column_names.index("group"), "group", column))


def _existing_looks(base: Plan, settings: BuildSettings) -> dict[str, tuple[str, _Look]]:
    """The group and look of each image of a data set, by its path; without a look where the manifest has none."""
    groups: dict[str, str] = {}
    for split in reversed(EVERY_SPLIT):
        rows, names = with_groups(base.images_of(split), settings.group_pattern)
        groups |= zip(rows["path"].to_pylist(), names, strict=True)
    looks: dict[str, _Look] = {}
    try:
        manifest = read_manifest(open_output(settings), _MANIFEST)
    except (FileNotFoundError, CorruptRecord):
        return {path: (group, _Look()) for path, group in groups.items()}
    columns = (manifest[name].to_pylist() for name in _MANIFEST)
    for path, status, content, contrast, dhash in zip(*columns, strict=True):
        if status == WRITTEN:
            looks[path] = _Look(content, _meaningful(contrast, dhash))
    return {path: (group, looks.get(path, _Look())) for path, group in groups.items()}


def _meaningful(contrast: float | None, dhash: int | None) -> int | None:
    return None if contrast is None or contrast < BLANK_CONTRAST or dhash in EMPTY_HASHES else dhash


def _looks(listing: Listing, images: pa.Table, settings: BuildSettings) -> Iterator[_Look]:
    """The look of each image in its order. Images of one source follow one another."""
    checked = settings.model_copy(update={"check_pixels": "all"})
    with ThreadPoolExecutor(settings.workers or usable_processors(), thread_name_prefix="look-alikes") as threads:
        for source in pc.unique(images["source"]).to_pylist():
            folder = open_folder(listing.roots[source], settings.storage_options)
            own = images.filter(pc.equal(images["source"], source))
            parts = [own.slice(start, IMAGES_PER_THREAD) for start in range(0, own.num_rows, IMAGES_PER_THREAD)]
            for looks in threads.map(partial(_looks_of_part, folder, settings=checked), parts):
                yield from looks


def _looks_of_part(folder: Folder, images: pa.Table, settings: BuildSettings) -> list[_Look]:
    return [_look(data, settings) for _, data in fetch_images(folder, images, settings)]


def _look(data: bytes | Rejected, settings: BuildSettings) -> _Look:
    if isinstance(data, Rejected):
        return _Look()
    content = sha256(data).hexdigest()
    try:
        figures = process_image(data, settings).figures
    except Rejected:
        return _Look(content)
    return _Look(content, _meaningful(figures.contrast, figures.dhash) if figures else None)


def _join(images: list[tuple[str, _Look]], existing: set[str]) -> _Joined:
    """The groups joined that have images of the same bytes or hash, or near hashes where these mean anything."""
    joined = _Joined()
    of_content: dict[str, str] = {}
    of_hash: dict[int, str] = {}
    for group, look in images:
        if look.content is not None:
            joined.join(of_content.setdefault(look.content, group), group, existing)
        if look.dhash is not None:
            joined.join(of_hash.setdefault(look.dhash, group), group, existing)
    hashes = np.array(sorted(of_hash), np.uint64)
    bits = nearness(hashes).bits or 0
    for one, other in zip(hashes.tolist(), hashes[join_near(hashes, bits)].tolist(), strict=True):
        joined.join(of_hash[one], of_hash[other], existing)
    return joined
