"""Groups of images that are the same, or nearly so: how many of each kind, and which of them to show.

Works on columns as numpy arrays, one entry per image: a few sorts for a million of them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imagerecords.schemas.findings import Duplicates, Groups
from imagerecords.tasks.findings.chance import Nearness, nearness
from imagerecords.tasks.findings.near_duplicates import Hashes, Numbers, join_near

GROUPS_SHOWN = 24
MEMBERS_SHOWN = 6


@dataclass(frozen=True)
class Images:
    """Columns of the written images, in the manifest's order.

    `row` is the place in the manifest, `split` a number below 8, `content` the same number for the same bytes; `dhash` is used
    only where `comparable`.
    """

    row: Numbers
    split: npt.NDArray[np.uint8]
    label: Numbers
    content: Numbers
    dhash: Hashes
    comparable: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Members:
    """All images of all groups, one entry per image: its row, its group's number, and whether that is across splits, labels."""

    row: Numbers
    group: Numbers
    across_splits: npt.NDArray[np.bool_]
    across_labels: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """Counts; by kind the groups to show, each with its number of images and the rows of some of them; and all members."""

    counts: Duplicates
    shown: dict[str, list[tuple[int, list[int]]]]
    members: Members


@dataclass(frozen=True)
class _Sorted:
    """Images ordered by group; where each group starts and ends, its number of different images, and what it is across."""

    order: Numbers
    starts: Numbers
    ends: Numbers
    sizes: Numbers
    across_splits: npt.NDArray[np.bool_]
    across_labels: npt.NDArray[np.bool_]

    def kinds(self) -> dict[str, npt.NDArray[np.bool_]]:
        """Whether each group is of a kind; one across splits and labels is of both."""
        return {
            "within": ~(self.across_splits | self.across_labels),
            "across_labels": self.across_labels,
            "across_splits": self.across_splits,
            "in_both": self.across_splits & self.across_labels,
        }


def exact_duplicates(images: Images) -> Found:
    """Groups of images of the same bytes."""
    everyone = np.arange(len(images.row))
    return _found(images, _sort(images, everyone, images.content, everyone))


def near_duplicates(images: Images) -> tuple[Found, Nearness]:
    """Groups of images whose hashes are near, and what near means for these; byte-identical images count as one."""
    members = np.flatnonzero(images.comparable)
    hashes, which = np.unique(images.dhash[members], return_inverse=True)
    near = nearness(hashes)
    if near.bits is None:
        none = members[:0]
        return _found(images, _sort(images, none, none, none)), near
    group = join_near(hashes, near.bits)[which]
    return _found(images, _sort(images, members, group, images.content[members])), near


def _sort(images: Images, members: Numbers, group: Numbers, unit: Numbers) -> _Sorted:
    """Members by group and unit, without groups of a single unit; members of one unit count as one image."""
    by_group = np.lexsort((unit, group))
    order, group, unit = members[by_group], group[by_group], unit[by_group]
    new_group = _changes(group)
    starts = np.flatnonzero(new_group)
    ends = np.append(starts[1:], len(order))
    if not len(starts):
        return _Sorted(order, starts, ends, starts, np.zeros(0, bool), np.zeros(0, bool))
    sizes = np.add.reduceat(new_group | _changes(unit), starts, dtype=np.int64)
    label, split = images.label[order], np.uint8(1) << images.split[order]
    across_labels = np.minimum.reduceat(label, starts) != np.maximum.reduceat(label, starts)
    across_splits = np.bitwise_count(np.bitwise_or.reduceat(split, starts)) > 1
    several = sizes > 1
    return _Sorted(order, starts[several], ends[several], sizes[several], across_splits[several], across_labels[several])


def _changes(values: Numbers) -> npt.NDArray[np.bool_]:
    """Whether each value differs from the one before; true for the first."""
    return np.concatenate((np.ones(min(1, len(values)), bool), values[1:] != values[:-1]))


def _found(images: Images, groups: _Sorted) -> Found:
    counts: dict[str, Groups] = {}
    shown: dict[str, list[tuple[int, list[int]]]] = {}
    for kind, is_kind in groups.kinds().items():
        chosen = np.flatnonzero(is_kind)
        counts[kind] = Groups(groups=len(chosen), images=int(groups.sizes[chosen].sum()))
        first_rows = images.row[groups.order[groups.starts[chosen]]]
        largest = chosen[np.lexsort((first_rows, -groups.sizes[chosen]))][:GROUPS_SHOWN]
        shown[kind] = [(int(groups.sizes[group]), _members(images, groups, group)) for group in largest]
    del shown["in_both"]
    return Found(Duplicates(**counts), shown, _all_members(images, groups))


def _all_members(images: Images, groups: _Sorted) -> Members:
    """The members of all groups, group by group in the order of their first rows, and by row in each."""
    lengths = groups.ends - groups.starts
    place = np.arange(lengths.sum()) + np.repeat(groups.starts - (np.cumsum(lengths) - lengths), lengths)
    row = images.row[groups.order[place]]
    group = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((row, group))
    row, group = row[order], group[order]
    first = row[np.flatnonzero(_changes(group))]
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    order = np.argsort(rank[group], kind="stable")
    row, group = row[order], group[order]
    return Members(row, rank[group], groups.across_splits[group], groups.across_labels[group])


def _members(images: Images, groups: _Sorted, group: np.intp) -> list[int]:
    """The rows of some members: the first of each split, of each label, of each content, and then others."""
    members = np.sort(groups.order[groups.starts[group] : groups.ends[group]])
    columns = images.split[members], images.label[members], images.content[members], members
    firsts = np.concatenate([np.sort(np.unique(column, return_index=True)[1])[:MEMBERS_SHOWN] for column in columns])
    chosen = list(dict.fromkeys(firsts.tolist()))[:MEMBERS_SHOWN]
    rows: list[int] = images.row[members[chosen]].tolist()
    return rows
