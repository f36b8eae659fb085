"""Near hashes: the ten passes find exactly what comparing all pairs finds."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagerecords.schemas.findings import NEAR_BITS
from imagerecords.tasks.findings import near_duplicates
from imagerecords.tasks.findings.near_duplicates import join_near

HASH = st.integers(0, 2**64 - 1)
FLIPS = st.lists(st.integers(0, 63), max_size=5)


def flipped(value, bits):
    for bit in bits:
        value ^= 1 << bit
    return value


# Clusters round a few hashes: of random ones alone hardly two are near.
CLUSTERS = st.lists(st.tuples(HASH, st.lists(FLIPS, min_size=1, max_size=8)), max_size=4).map(
    lambda clusters: sorted({flipped(centre, bits) for centre, members in clusters for bits in members})
)
# All in a few bits, where runs are long however the bits are dealt.
CROWDED = st.lists(st.integers(0, 2**12 - 1), max_size=60).map(lambda values: sorted({value << 20 for value in values}))


def all_pairs(hashes):
    """The components by comparing all pairs, as sets of hashes."""
    component = {value: {value} for value in hashes}
    for one, other in itertools.combinations(hashes, 2):
        if (one ^ other).bit_count() <= NEAR_BITS and component[one] is not component[other]:
            component[one] |= component[other]
            for value in component[other]:
                component[value] = component[one]
    return {frozenset(members) for members in component.values()}


def ten_passes(hashes):
    numbers = join_near(np.array(hashes, np.uint64))
    components = {}
    for value, number in zip(hashes, numbers.tolist(), strict=True):
        components.setdefault(number, set()).add(value)
    return {frozenset(members) for members in components.values()}


@pytest.fixture(scope="module", params=[1, 3, 256])
def longest_run(request):
    """With runs of one taken for too long, every pass goes on to the next level."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_duplicates, "LONGEST_RUN", request.param)
        patch.setattr(near_duplicates, "EDGES_KEPT", request.param)
        yield


@given(hashes=st.one_of(CLUSTERS, CROWDED))
def test_the_passes_join_what_comparing_all_pairs_joins(longest_run, hashes):
    assert ten_passes(hashes) == all_pairs(hashes)


def test_a_crowd_of_hashes_is_joined_as_by_all_pairs():
    """Large enough for runs that are too long as they are: half within few bits of each other, half scattered."""
    draw = random.Random(1)
    near = {flipped(0x0123_4567_89AB_CDEF, draw.sample(range(0, 64, 5), 6)) for _ in range(600)}
    near |= {flipped(0xFFFF_0000_FFFF_0000, draw.sample(range(16), 3)) for _ in range(600)}
    hashes = sorted(near | {draw.getrandbits(64) for _ in range(600)})
    assert ten_passes(hashes) == all_pairs(hashes)


@pytest.mark.parametrize(
    ("bits", "joined"),
    [
        ([], True),
        ([0], True),
        ([0, 1, 63], True),
        ([0, 1, 2], True),  # one flip in each of three blocks
        ([0, 5, 10], True),  # three in one block
        ([0, 1, 2, 3], False),
        ([60, 61, 62, 63], False),
    ],
)
def test_three_flips_are_near_and_four_are_not(bits, joined):
    hashes = sorted({0xABCD_EF01_2345_6789, flipped(0xABCD_EF01_2345_6789, bits)})
    assert (len(ten_passes(hashes)) == 1) is joined


def test_steps_join_what_is_far_apart():
    hashes = sorted(2**steps - 1 for steps in range(0, 65, 3))
    assert len(ten_passes(hashes)) == 1


def test_no_hashes_have_no_components():
    assert ten_passes([]) == set()
