"""Where records are: ranges of neighbours that are read at once, and runs of consecutive records."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagerecords.tasks.dataset.places import Places


def places(files, records, offsets, sizes):
    count = len(files)
    unknown = np.full(count, -1)
    return Places(
        files=("a", "b"),
        file=np.array(files, np.int32),
        record=np.array(records, np.int32),
        offset=np.array(offsets, np.int64),
        size=np.array(sizes, np.int64),
        crc=np.zeros(count, np.uint32),
        label=unknown,
        height=unknown,
        width=unknown,
        path=pa.array([str(number) for number in range(count)], pa.large_string()),
    )


FIVE = places([0, 0, 0, 1, 1], [0, 1, 2, 0, 1], [0, 20, 50, 0, 30], [20, 30, 10, 30, 40])


@pytest.mark.parametrize(
    ("most", "part", "spans"),
    [
        (1000, slice(None), [(0, 3), (3, 5)]),
        (50, slice(None), [(0, 2), (2, 3), (3, 4), (4, 5)]),
        (1, slice(None), [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]),  # a record of more than `most` bytes is read all the same
        (1000, slice(None, None, 2), [(0, 1), (1, 2), (2, 3)]),
        (1000, slice(None, None, -1), [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]),
        (1000, slice(0, 0), []),
    ],
)
def test_spans_are_neighbours_of_one_file_up_to_a_size(most, part, spans):
    assert list(FIVE[part].spans(most)) == spans


@pytest.mark.parametrize(
    ("part", "runs"),
    [
        (slice(None), [("a", 0, 3), ("b", 0, 2)]),
        (slice(1, 4), [("a", 1, 2), ("b", 0, 1)]),
        (slice(None, None, 2), [("a", 0, 1), ("a", 2, 1), ("b", 1, 1)]),
        (slice(0, 0), []),
    ],
)
def test_runs_are_consecutive_records_of_one_file(part, runs):
    assert list(FIVE[part].runs()) == runs


@given(st.lists(st.integers(17, 99), max_size=12), st.integers(0, 300), st.slices(12))
def test_spans_have_every_record_once_in_order(sizes, most, part):
    offsets = [sum(sizes[:number]) for number in range(len(sizes))]
    chosen = places([0] * len(sizes), range(len(sizes)), offsets, sizes)[part]
    spans = list(chosen.spans(most))
    assert [number for start, stop in spans for number in range(start, stop)] == list(range(len(chosen)))
    for start, stop in spans:
        assert chosen.size[start:stop].sum() <= most or stop == start + 1


def test_a_part_has_its_own_paths_and_places():
    part = FIVE[::-2]
    assert part.path.to_pylist() == ["4", "2", "0"]
    assert part.place(0) == ("b", (1, 30, 40, 0))
