"""How near two hashes of a data set must be to mean anything: at most so near that few pairs of its images are so by chance.

The hashes of different photographs differ in half of their 64 bits, give or take 5, so that not one pair in 100 million is
near by chance. Pictures of one kind, such as digits on black, agree in most bits: there, near pairs say nothing. And the more
images there are, the more pairs: of a million photographs, some are within 3 bits by chance. So the largest distance is used
at which chance makes few pairs, up to NEAR_BITS. The distances of all pairs of a sample show which it is. Only their upper half
is used, mirrored at the most frequent distance: frames of videos, which are truly near one another, lie in the lower half.
"""

import math
from dataclasses import dataclass

import numpy as np

from imagerecords.schemas.findings import NEAR_BITS
from imagerecords.tasks.findings.near_duplicates import Hashes

SAMPLE = 2000  # hashes; two million pairs
FEWEST = 200  # hashes of which a sample shows anything
MOST = 0.01  # pairs per image that may be near by chance


@dataclass(frozen=True)
class Nearness:
    """The most bits in which two near hashes of a data set differ; None where those of any two images say nothing.

    Where that is below NEAR_BITS, `by_chance` is the number of pairs that would be within NEAR_BITS by chance; else 0.
    """

    bits: int | None = NEAR_BITS
    by_chance: int = 0


def nearness(hashes: Hashes) -> Nearness:
    """How near two of these unique hashes must be to mean anything."""
    if len(hashes) < FEWEST:
        return Nearness()
    middle, spread = _distances(hashes)
    count = len(hashes)
    expected = [_share_within(bits, middle, spread) * count * (count - 1) / 2 for bits in range(NEAR_BITS + 1)]
    bits = max((bits for bits, pairs in enumerate(expected) if pairs <= MOST * count), default=None)
    return Nearness(bits, 0 if bits == NEAR_BITS else round(expected[NEAR_BITS]))


def _distances(hashes: Hashes) -> tuple[int, float]:
    """The most frequent distance of two hashes, and the standard deviation of the distances above it."""
    count = len(hashes)
    sample = hashes[np.linspace(0, count - 1, min(count, SAMPLE)).astype(np.int64)]
    rows = (np.bincount(np.bitwise_count(sample[row] ^ sample[row + 1 :]), minlength=65) for row in range(len(sample) - 1))
    pairs = np.sum(list(rows), axis=0)
    middle = int(np.argmax(pairs))
    beyond = np.arange(65 - middle)
    upper = pairs[middle:].astype(np.float64)
    upper[0] /= 2
    return middle, math.sqrt(float(upper @ beyond**2) / float(upper.sum())) or 1.0


def _share_within(bits: int, middle: int, spread: float) -> float:
    """The share of all pairs that a normal distribution has at a distance of at most `bits`."""
    return math.erfc((middle - bits - 0.5) / spread / math.sqrt(2)) / 2
