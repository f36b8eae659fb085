"""near duplicates: groups of 64-bit hashes, in which steps of at most three bits, or fewer, lead from each to every other.

Comparing all pairs would take too long. The bits are divided into five blocks. Three flipped bits leave at least two blocks
unchanged, so two near hashes agree in all bits of some two blocks: ten passes, each sorting by the bits of two blocks and
comparing only within runs of equal ones. A run too long for that (photographs agree more often than random hashes) is divided
by the same method on the bits in which it does not agree; a run that is one group already is skipped. Everything is numpy over
whole arrays, and needs a few arrays of the hashes' length.

The five blocks take every fifth bit, since neighbouring bits of a difference hash are much alike.
"""

import itertools

import numpy as np
import numpy.typing as npt

from imagerecords.schemas.findings import NEAR_BITS

BITS = 64
BLOCKS = NEAR_BITS + 2
LONGEST_RUN = 256  # comparing all pairs of so many costs about as much as another ten sorts
FEWEST_BITS = 9  # runs that differ only in so few bits have at most 512 members: hashes are unique
EDGES_KEPT = 1 << 16

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]


def join_near(hashes: Hashes, bits: int = NEAR_BITS) -> Numbers:
    """A number for each of the unique hashes, the same for two exactly when steps of at most so many bits join them."""
    components = _Components(len(hashes), bits)
    if len(hashes) and bits:
        _join_runs(hashes, np.arange(len(hashes), dtype=np.int64), 0, components)
    components.settle()
    return components.numbers


class _Components:
    """Connected components of numbers: each number has the smallest of its component, once `settle` has joined all edges.

    Hashes that differ in at most `bits` bits have an edge.
    """

    def __init__(self, count: int, bits: int) -> None:
        self.bits = bits
        self.numbers: Numbers = np.arange(count, dtype=np.int64)
        self._edges: list[tuple[Numbers, Numbers]] = []
        self._kept = 0

    def add(self, left: Numbers, right: Numbers) -> None:
        """Join the two ends of each edge, now or later."""
        apart = self.numbers[left] != self.numbers[right]
        self._edges.append((left[apart], right[apart]))
        self._kept += int(np.count_nonzero(apart))
        if self._kept > EDGES_KEPT:
            self.settle()

    def settle(self) -> None:
        """Join all added edges: put the larger root below the smaller and shorten paths to the roots, until no edge differs."""
        if not self._edges:
            return
        left, right = (np.concatenate(ends) for ends in zip(*self._edges, strict=True))
        self._edges, self._kept = [], 0
        numbers = self.numbers
        while True:
            one, other = numbers[left], numbers[right]
            apart = one != other
            if not apart.any():
                return
            left, right, one, other = left[apart], right[apart], one[apart], other[apart]
            np.minimum.at(numbers, np.maximum(one, other), np.minimum(one, other))
            while not np.array_equal(shorter := numbers[numbers], numbers):
                numbers[:] = shorter


def _join_runs(hashes: Hashes, members: Numbers, agreed: int, components: _Components) -> None:
    """Join the near ones among members that agree in the bits of `agreed` with those in their run."""
    free = [bit for bit in range(BITS) if not agreed >> bit & 1]
    blocks = [free[first::BLOCKS] for first in range(BLOCKS)]
    for one, other in itertools.combinations(blocks, 2):
        mask = agreed | sum(1 << bit for bit in one + other)
        keys = hashes[members] & np.uint64(mask)
        order = np.argsort(keys)
        ordered = members[order]
        starts, ends = _runs(keys[order])
        present = components.numbers[ordered]
        apart = np.minimum.reduceat(present, starts) != np.maximum.reduceat(present, starts)
        long = (ends - starts > LONGEST_RUN) & (len(free) - len(one) - len(other) > FEWEST_BITS)
        _compare_runs(hashes, ordered, (starts[apart & ~long], ends[apart & ~long]), components)
        if (too_long := apart & long).any():
            _join_runs(hashes, ordered[np.repeat(too_long, ends - starts)], mask, components)


def _runs(keys: Hashes) -> tuple[Numbers, Numbers]:
    """Where runs of equal keys begin and end; there is at least one key."""
    edges = np.flatnonzero(keys[1:] != keys[:-1]) + 1
    return np.concatenate(([0], edges)), np.concatenate((edges, [len(keys)]))


def _compare_runs(hashes: Hashes, ordered: Numbers, runs: tuple[Numbers, Numbers], components: _Components) -> None:
    """Join the near ones in each run: each member with the next, then with the one after that, until the longest run ends."""
    starts, ends = runs
    sizes = ends - starts
    end = np.repeat(ends, sizes)
    place = np.arange(len(end)) + np.repeat(starts - (np.cumsum(sizes) - sizes), sizes)
    for step in range(1, int(sizes.max(initial=0))):
        inside = place + step < end
        place, end = place[inside], end[inside]
        left, right = ordered[place], ordered[place + step]
        near = np.bitwise_count(hashes[left] ^ hashes[right]) <= components.bits
        if near.any():
            components.add(left[near], right[near])
