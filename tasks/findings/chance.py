"""Whether near hashes mean anything for a data set: how many pairs of its images would be near by chance.

The hashes of different photographs differ in half of their 64 bits, give or take 5, so that not one pair in 100 million is
near by chance. Pictures of one kind, such as digits on black, agree in most bits: there, near pairs say nothing. The distances
of all pairs of a sample show which it is. Only their upper half is used, mirrored at the most frequent distance: frames of
videos, which are truly near one another, lie in the lower half.
"""

import math

import numpy as np

from imagerecords.schemas.findings import NEAR_BITS
from imagerecords.tasks.findings.near_duplicates import Hashes

SAMPLE = 2000  # hashes; two million pairs
FEWEST = 200  # hashes of which a sample shows anything
MOST = 0.01  # pairs per image that may be near by chance


def near_by_chance(hashes: Hashes) -> int:
    """The expected number of pairs of the unique hashes that are near by chance, where these are too many to go by; else 0."""
    count = len(hashes)
    if count < FEWEST:
        return 0
    sample = hashes[np.linspace(0, count - 1, min(count, SAMPLE)).astype(np.int64)]
    rows = (np.bincount(np.bitwise_count(sample[row] ^ sample[row + 1 :]), minlength=65) for row in range(len(sample) - 1))
    pairs = np.sum(list(rows), axis=0)
    middle = int(np.argmax(pairs))
    beyond = np.arange(65 - middle)
    upper = pairs[middle:].astype(np.float64)
    upper[0] /= 2
    spread = math.sqrt(float(upper @ beyond**2) / float(upper.sum())) or 1.0
    share = math.erfc((middle - NEAR_BITS - 0.5) / spread / math.sqrt(2)) / 2
    expected = count * (count - 1) / 2 * share
    return round(expected) if expected > MOST * count else 0
