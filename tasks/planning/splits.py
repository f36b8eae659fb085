"""The split of each image, by pure functions of a listing.

Decisions that bind users' data; each change of one moves images between splits of every data set built after it.

Split by fractions: a keyed BLAKE2b of the image's group, read as a number in [0, 1), is its position. With split_method=hash
it is validation from below and test from above; that depends on nothing but the group, so an image never changes split when
others are added, and changing one fraction moves no image of the other. With split_method=stratified the positions order the
images of each label, and each label gets its share (tasks/planning/stratify.py). With folds, what would be train is divided
again (tasks/planning/folds.py). Python's hash() is salted and a seeded draw
depends on the listing; neither would do.
"""

import hashlib
import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.listing import Listing
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.splits import EVERY_SPLIT, FOLDS, SPLITS, Split
from imagerecords.tasks.planning.folds import divide_by_hash, divide_evenly
from imagerecords.tasks.planning.stratify import Existing, Grouped, stratify

SPLIT_KEY = b"imagerecords split 1"


def split_images(listing: Listing, settings: BuildSettings, existing: Existing | None = None) -> dict[Split, pa.Table]:
    """The images of each split, in the listing's order; those of `existing`, where new ones are added to a data set, stay.

    Images have their group in the column `group`, null where the path is the group.
    """
    images = listing.images
    if "data" not in listing.roots:
        return {split: images.filter(pc.equal(images["source"], split)) for split in EVERY_SPLIT if split in listing.roots}
    existing = existing or Existing(settings.split_method)
    whole = existing.without_folds() if settings.folds else existing
    images, groups = with_groups(images, settings.group_pattern)
    position = np.fromiter(map(group_position, groups), np.float64, images.num_rows)
    if existing.method == "hash":
        places = _by_position(position, groups, settings, whole)
    else:
        labels = images["label"].to_numpy().astype(np.int64)
        found = Grouped(labels, groups, position)
        places = stratify(found, settings.validation_fraction, settings.test_fraction, whole)
    if settings.folds:
        rest = np.flatnonzero(places == SPLITS.index("train"))
        places[rest] = _folds(images["label"].to_numpy()[rest], [groups[row] for row in rest.tolist()], settings, existing)
    asked = {"validation": settings.validation_fraction > 0, "test": settings.test_fraction > 0}
    asked |= dict.fromkeys(FOLDS[: settings.folds] or ("train",), True)
    return {
        split: images.filter(pa.array(places == place))
        for place, split in enumerate(EVERY_SPLIT)
        if asked.get(split) or (places == place).any()
    }


def _folds(
    labels: npt.NDArray[np.int64], groups: list[str], settings: BuildSettings, existing: Existing
) -> npt.NDArray[np.int64]:
    """The place in EVERY_SPLIT of the fold of each image, of those that are not for test."""
    if existing.method == "hash":
        folds = divide_by_hash(groups, settings.folds, existing.groups)
    else:
        folds = divide_evenly(labels.astype(np.int64), groups, settings.folds, existing)
    return folds + EVERY_SPLIT.index(FOLDS[0])


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
