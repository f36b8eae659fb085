"""Whether pictures look so alike that their hashes are near by chance, and what is reported then."""

import numpy as np
import pytest

from imagerecords.tasks.findings.chance import Nearness, nearness
from imagerecords.tasks.findings.near_duplicates import join_near


def hashes(count, bits, seed=1):
    """So many hashes that differ in the lowest bits alone."""
    whole = np.random.default_rng(seed).integers(0, 2**bits, count, dtype=np.uint64)
    return np.unique(whole | np.uint64(0xABC << 50))


def frames(videos, count, seed=1):
    """Hashes of videos, each frame a bit from the one before."""
    random = np.random.default_rng(seed)
    steps = np.uint64(1) << random.integers(0, 64, (videos, count), dtype=np.uint64)
    first = random.integers(0, 2**64, (videos, 1), dtype=np.uint64)
    return np.unique(first ^ np.bitwise_xor.accumulate(steps, axis=1))


def test_photographs_are_hardly_ever_near_by_chance():
    assert nearness(hashes(100_000, 50)) == Nearness()


def test_pictures_that_agree_in_most_bits_are():
    """As many as there really are, within a factor of two; equal hashes are chance then too."""
    alike = hashes(2000, 20)
    pairs = sum(int((np.bitwise_count(one ^ alike[row + 1 :]) <= 3).sum()) for row, one in enumerate(alike))
    assert nearness(alike).bits is None
    assert pairs / 2 < nearness(alike).by_chance < pairs * 2


def test_the_largest_distance_counts_at_which_chance_makes_few_pairs():
    alike = hashes(2000, 26)
    planted = np.unique(np.concatenate([alike, alike[:50] ^ np.uint64(1 << 40)]))
    assert nearness(planted).bits == 1
    groups = [int((np.unique(join_near(planted, bits), return_counts=True)[1] > 1).sum()) for bits in (0, 1, 3)]
    assert groups[0] == 0
    assert 50 <= groups[1] < 55
    assert groups[2] > 90, "within 3 bits nearly half would be chance"


@pytest.mark.parametrize(("videos", "count"), [(100, 100), (20, 500), (5, 1000)])
def test_frames_of_videos_are_near_and_not_by_chance(videos, count):
    assert nearness(frames(videos, count)) == Nearness()


def test_few_hashes_show_nothing():
    assert nearness(hashes(150, 16)) == Nearness()
