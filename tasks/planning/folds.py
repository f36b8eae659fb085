"""The fold of each group of images, for folds; pure functions.

Decisions that bind users' data; each change moves images between the folds of every data set built after it.

With split_method=hash a fold is as wide as the others in the numbers of a second keyed hash of the group, so that neither
test_fraction nor another image moves an image.

With split_method=stratified each label's images are divided so that its folds have equally many, to within one image. The
images that are left over go to the folds with the fewest images of all labels, of equal ones the first; so all folds are
of one size, to within one image. Images that are their own groups are taken by label in the order of that hash, fold after
fold. Groups of several images are placed as stratify.divide_groups places them.

Images that a data set has already stay: new ones fill the folds that have the fewest of their label.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from imagerecords.schemas.splits import FOLDS, Split
from imagerecords.tasks.planning.stratify import Counts, Existing, Grouped, Places, divide_groups

FOLD_KEY = b"imagerecords fold 1"


def divide_by_hash(groups: Sequence[str], folds: int, existing: Mapping[str, Split]) -> Places:
    """The number of each group's fold by its hash alone, or the one that it has already."""
    chosen = (positions(groups) * folds).astype(np.int64)
    for place, group in enumerate(groups):
        if (split := existing.get(group)) in FOLDS:
            chosen[place] = FOLDS.index(split)
    return chosen


def divide_evenly(labels: npt.NDArray[np.int64], groups: Sequence[str], folds: int, existing: Existing) -> Places:
    """The number of each image's fold, with equally many of each label in each fold."""
    names = FOLDS[:folds]
    there = np.zeros((int(labels.max(initial=0)) + 1, folds), np.int64)
    for (label, split), count in existing.images.items():
        if split in names and label < len(there):
            there[label, names.index(split)] += count
    chosen = np.fromiter((_fold_of(existing.groups.get(group), names) for group in groups), np.int64, len(groups))
    np.add.at(there, (labels[chosen >= 0], chosen[chosen >= 0]), 1)
    free = np.flatnonzero(chosen < 0)
    own = [groups[place] for place in free.tolist()]
    new = Grouped(labels[free], own, positions(own))
    lacking = evened(np.bincount(new.labels, minlength=len(there)), there)
    if len(set(own)) == len(own):
        chosen[free] = _divide_images(new, lacking)
    else:
        chosen[free] = divide_groups(new, there + lacking, there)
    return chosen


def _fold_of(split: Split | None, names: Sequence[Split]) -> int:
    return names.index(split) if split in names else -1


def positions(groups: Sequence[str]) -> npt.NDArray[np.float64]:
    """A number in [0, 1) of each group, other than the one that decides between test and the rest."""
    digests = (hashlib.blake2b(group.encode(), digest_size=8, key=FOLD_KEY).digest() for group in groups)
    return np.fromiter(((int.from_bytes(digest, "big") >> 11) / 2**53 for digest in digests), np.float64, len(groups))


def evened(sizes: Counts, there: Counts) -> Counts:
    """How many of each label's new images, of these sizes, go to each fold, where some images are there."""
    total = there.sum(0)
    more = np.zeros_like(there)
    for label in np.flatnonzero(sizes).tolist():
        more[label] = _filled(int(sizes[label]), there[label], total)
        total = total + more[label]
    return more


def _filled(images: int, there: npt.NDArray[np.int64], total: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many images each fold gets so that the folds with the fewest rise to one level; those left over by the totals."""
    lowest = np.sort(there)
    filled = lowest * np.arange(1, len(lowest) + 1) - np.cumsum(lowest)  # that bring the n lowest to the level of the nth
    count = int((filled <= images).sum())
    level, left = divmod(images + int(lowest[:count].sum()), count)
    more = np.maximum(level - there, 0)
    at_level = np.flatnonzero(there <= level)
    fewest = at_level[np.lexsort((at_level, (total + more)[at_level]))]
    more[fewest[:left]] += 1
    return more


def _divide_images(images: Grouped, lacking: Counts) -> Places:
    """By label, the images of the lowest positions for the first fold, and so on."""
    order = np.lexsort((images.position, images.labels))
    labels = images.labels[order]
    sizes = np.bincount(labels, minlength=len(lacking))
    rank = np.arange(len(order)) - (np.cumsum(sizes) - sizes)[labels]
    places = np.empty(len(order), np.int64)
    places[order] = (np.cumsum(lacking, axis=1)[labels] <= rank[:, None]).sum(1)
    return places
