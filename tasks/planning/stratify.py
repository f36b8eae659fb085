"""The split of each group of images, so that each label has its share of each split; pure functions.

Decisions that bind users' data; each change moves images between the splits of every data set built after it.

Targets: a label's images are divided by the fractions, rounded by the largest remainders (of equal ones train's first, then
validation's), so that each split has its share to within one image. A split whose target is 0 gets one image from the split
that has most, as long as that has two.

Images that are their own groups: a label's images in the order of their keyed hash (splits.group_position) go to validation
from below and to test from above, as many as the targets say. So an image added to a rebuilt data set moves few others.

Groups of several images: the largest first, then by hash, each to the split that lacks most of its labels' images, measured in
each label's size. A label that has no more groups left than splits without it goes to one of those splits.

Images that a data set has already stay: the targets are of all images, and new ones fill what the splits lack.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from imagerecords.schemas.splits import FOLDS, SPLITS, Split

Counts = npt.NDArray[np.int64]  # a row per label, a column per split
Places = npt.NDArray[np.int64]  # of splits in SPLITS


@dataclass(frozen=True)
class Existing:
    """What a data set that is appended to has: the split of each group, the images by label id and split, and its method."""

    method: str = "stratified"
    groups: Mapping[str, Split] = field(default_factory=dict)
    images: Mapping[tuple[int, Split], int] = field(default_factory=dict)

    def without_folds(self) -> "Existing":
        """The same with the images of all folds in train, which is divided into folds afterwards."""
        images: Counter[tuple[int, Split]] = Counter()
        for (label, split), count in self.images.items():
            images[label, "train" if split in FOLDS else split] += count
        groups = {group: "train" if split in FOLDS else split for group, split in self.groups.items()}
        return replace(self, groups=groups, images=images)


@dataclass(frozen=True)
class Grouped:
    """The images to be divided: the label id, group and position in [0, 1) of each."""

    labels: npt.NDArray[np.int64]
    groups: Sequence[str]
    position: npt.NDArray[np.float64]


def stratify(images: Grouped, validation: float, test: float, existing: Existing) -> Places:
    """The place in SPLITS of each image's split."""
    labels = int(images.labels.max(initial=0)) + 1
    there = np.zeros((labels, len(SPLITS)), np.int64)
    for (label, split), count in existing.images.items():
        if label < labels:
            there[label, SPLITS.index(split)] += count
    new = np.bincount(images.labels, minlength=labels)
    goal = targets(new + there.sum(1), (1 - validation - test, validation, test))
    fixed = np.fromiter((SPLITS.index(existing.groups[g]) if g in existing.groups else -1 for g in images.groups), np.int64)
    np.add.at(there, (images.labels[fixed >= 0], fixed[fixed >= 0]), 1)
    free = np.flatnonzero(fixed < 0)
    names = [images.groups[place] for place in free.tolist()]
    left = Grouped(images.labels[free], names, images.position[free])
    divide = _divide_images if len(set(names)) == len(names) else divide_groups
    fixed[free] = divide(left, goal, there)
    return fixed


def targets(sizes: Counts, shares: tuple[float, ...]) -> Counts:
    """How many images of each label, of these sizes, each split should have; splits without a share get none."""
    quota = sizes[:, None] * np.array(shares)
    goal: Counts = np.floor(quota).astype(np.int64)
    rank = np.argsort(np.argsort(goal - quota, axis=1, kind="stable"), axis=1)
    goal += rank < (sizes - goal.sum(1))[:, None]
    for split in (place for place, share in enumerate(shares) if share > 0):
        most = goal.argmax(1)
        rows = np.flatnonzero((goal[:, split] == 0) & (goal.max(1) > 1))
        goal[rows, split] += 1
        goal[rows, most[rows]] -= 1
    return goal


def _divide_images(images: Grouped, goal: Counts, there: Counts) -> Places:
    """By label, the images of the lowest positions for validation and of the highest for test, as many as are lacking."""
    order = np.lexsort((images.position, images.labels))
    labels = images.labels[order]
    sizes = np.bincount(labels, minlength=len(goal))
    rank = np.arange(len(order)) - (np.cumsum(sizes) - sizes)[labels]
    lacking = np.maximum(goal - there, 0)
    validation = np.minimum(lacking[:, SPLITS.index("validation")], sizes)
    test = np.minimum(lacking[:, SPLITS.index("test")], sizes - validation)
    chosen = np.full(len(order), SPLITS.index("train"))
    chosen[rank < validation[labels]] = SPLITS.index("validation")
    chosen[rank >= (sizes - test)[labels]] = SPLITS.index("test")
    places = np.empty_like(chosen)
    places[order] = chosen
    return places


def divide_groups(images: Grouped, goal: Counts, there: Counts) -> Places:
    """The column of each image's split in goal and there: that of its group, the largest groups first."""
    members: dict[str, list[int]] = {}
    for place, group in enumerate(images.groups):
        members.setdefault(group, []).append(place)
    counted = {group: Counter(images.labels[places].tolist()) for group, places in members.items()}
    groups_left = Counter(label for labels in counted.values() for label in labels)
    splits = range(goal.shape[1])
    used = [split for split in splits if goal[:, split].any()] or [0]
    lacking = {label: (goal - there)[label].tolist() for label in groups_left}
    has = {label: [goal[label, split] == 0 or there[label, split] > 0 for split in splits] for label in groups_left}
    sizes = {label: max(1, int(goal[label].sum())) for label in groups_left}
    chosen = np.zeros(len(images.groups), np.int64)
    for group in sorted(members, key=lambda name: (-len(members[name]), images.position[members[name][0]], name)):
        labels = counted[group]
        allowed = used
        for label in sorted(labels, key=lambda one: (groups_left[one], one)):
            without = [split for split in allowed if not has[label][split]]
            if without and groups_left[label] <= sum(not present for present in has[label]):
                allowed = without
        need = {split: sum(n * lacking[label][split] / sizes[label] for label, n in labels.items()) for split in allowed}
        split = max(allowed, key=lambda one: (need[one], -one))
        chosen[members[group]] = split
        for label, count in labels.items():
            groups_left[label] -= 1
            lacking[label][split] -= count
            has[label][split] = True
    return chosen
