"""Whether pictures look so alike that their hashes are near by chance, and what is reported then."""

import numpy as np
import pytest

from imagerecords.tasks.findings.chance import near_by_chance


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
    assert near_by_chance(hashes(100_000, 50)) == 0


def test_pictures_that_agree_in_most_bits_are():
    """As many as there really are, within a factor of two."""
    alike = hashes(2000, 20)
    pairs = sum(int((np.bitwise_count(one ^ alike[row + 1 :]) <= 3).sum()) for row, one in enumerate(alike))
    assert pairs / 2 < near_by_chance(alike) < pairs * 2


@pytest.mark.parametrize(("videos", "count"), [(100, 100), (20, 500), (5, 1000)])
def test_frames_of_videos_are_near_and_not_by_chance(videos, count):
    assert near_by_chance(frames(videos, count)) == 0


def test_few_hashes_show_nothing():
    assert near_by_chance(hashes(150, 16)) == 0
