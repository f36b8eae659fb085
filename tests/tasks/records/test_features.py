"""Features split by hand: always what protobuf says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagerecords.tasks.records.example import example_class, parse_example
from imagerecords.tasks.records.features import read_features

VALUES = st.one_of(
    st.lists(st.binary(max_size=200), max_size=3),
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3),
    st.lists(st.floats(width=32, allow_nan=False), max_size=3),
)


def serialised(features):
    example = example_class()()
    for key, values in features.items():
        feature = example.features.feature[key]
        kind = {bytes: feature.bytes_list, int: feature.int64_list, float: feature.float_list}[
            type(values[0]) if values else bytes
        ]
        kind.value.extend(values)
        kind.SetInParent()
    return example.SerializeToString()


@given(st.dictionaries(st.text(max_size=120), VALUES, max_size=6))
def test_examples_read_as_by_protobuf(features):
    data = serialised(features)
    assert read_features(data) == parse_example(data) == features


def either(read, data):
    try:
        return sorted(read(data).items())
    except ValueError:
        return "no Example"


@given(st.dictionaries(st.text(max_size=9), VALUES, max_size=3), st.data())
def test_damaged_examples_read_as_by_protobuf(features, data):
    damaged = bytearray(serialised(features) + data.draw(st.binary(max_size=4)))
    for _ in range(3):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    assert repr(either(read_features, bytes(damaged))) == repr(either(parse_example, bytes(damaged)))


@pytest.mark.parametrize("data", [b"", b"\x0a\x00", b"\x0a", b"\xff\xff", b"\x0a\x05\x0a"])
def test_odd_beginnings_read_as_by_protobuf(data):
    assert either(read_features, data) == either(parse_example, data)


def test_a_built_shard_reads_as_by_protobuf(small):
    from imagerecords.tasks.records.frames import read_frames

    with (small / "train-00000-of-00003").open("rb") as file:
        records = [frame.data for frame in read_frames(file)]
    assert len(records) > 3
    for data in records:
        assert read_features(data) == parse_example(data)
