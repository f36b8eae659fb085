"""The reader, against files that TensorFlow wrote, and against every kind of damage."""

import io

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from imagerecords.schemas.frame import frame
from imagerecords.tasks.records.example import parse_example
from imagerecords.tasks.records.frames import read_frames

RECORDS = [b"first", b"", b"the third record, a longer one", b"\x00" * 20]


def framed(records):
    """The bytes of a TFRecord file."""
    return b"".join(before + record + after for record in records for before, after, _ in [frame(record)])


def read(data):
    """The records of a file of these bytes."""
    return list(read_frames(io.BytesIO(data), resume=False))


def test_what_tensorflow_wrote_reads_back(tf, tmp_path):
    path = tmp_path / "records"

    @given(st.lists(st.binary(max_size=400), max_size=6))
    @hypothesis_settings(max_examples=50)
    def check(records):
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in records:
                writer.write(record)
        found = read(path.read_bytes())
        assert [record.data for record in found] == records
        assert [record.number for record in found] == list(range(len(records)))
        assert not any(record.problem for record in found)

    check()


def test_each_record_knows_where_it_stands():
    data = framed(RECORDS)
    for record in read(data):
        assert data[record.offset :].startswith(framed([record.data]))


BOUNDARIES = {len(framed(RECORDS[:count])) for count in range(len(RECORDS) + 1)}


@pytest.mark.parametrize("end", sorted(set(range(len(framed(RECORDS)))) - BOUNDARIES))
def test_a_truncation_inside_a_record_is_a_problem_of_that_record(end):
    """A cut between records is not visible in the file alone; there the receipt's count shows it."""
    *sound, last = read(framed(RECORDS)[:end])
    assert not any(record.problem for record in sound)
    assert "truncated" in last.problem
    assert last.offset == max(boundary for boundary in BOUNDARIES if boundary < end)
    assert last.number == len(sound)


def test_every_flip_of_a_single_byte_is_found():
    data = framed(RECORDS)
    for position in range(len(data)):
        for flip in (0x01, 0x80, 0xFF):
            damaged = bytearray(data)
            damaged[position] ^= flip
            assert [record for record in read(bytes(damaged)) if record.problem], (position, flip)


def test_a_problem_in_the_data_leaves_the_next_record_readable():
    data = bytearray(framed(RECORDS))
    data[data.index(b"third")] ^= 1
    found = read(bytes(data))
    assert [bool(record.problem) for record in found] == [False, False, True, False]
    assert found[2].problem == "the CRC of the data is wrong"
    assert found[3].data == RECORDS[3]


def test_a_problem_in_a_length_ends_the_reading():
    data = bytearray(framed(RECORDS))
    data[len(framed(RECORDS[:1]))] ^= 1
    found = read(bytes(data))
    assert [bool(record.problem) for record in found] == [False, True]


def test_an_absurd_length_with_a_right_crc_is_a_problem_and_no_allocation():
    """A length of 2^63 whose CRC is right: reading so much would end the process."""
    import struct

    import google_crc32c

    from imagerecords.schemas.frame import mask

    length = struct.pack("<Q", 2**63)
    (record,) = read(length + struct.pack("<I", mask(google_crc32c.value(length))) + b"data")
    assert "more than protobuf reads" in record.problem


@given(st.binary(max_size=200))
def test_random_bytes_never_raise(data):
    for record in read(data):
        assert record.number >= 0


@given(st.binary(max_size=200))
def test_parsing_random_bytes_raises_nothing_but_value_error(data):
    try:
        features = parse_example(data)
    except ValueError:
        return
    assert isinstance(features, dict)


def test_an_example_of_tensorflows_parses_with_all_kinds_of_lists(tf):
    features = {
        "b": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"x", b""])),
        "f": tf.train.Feature(float_list=tf.train.FloatList(value=[0.5, -1])),
        "i": tf.train.Feature(int64_list=tf.train.Int64List(value=[-(2**63), 2**63 - 1])),
        "none": tf.train.Feature(),
        "empty": tf.train.Feature(int64_list=tf.train.Int64List(value=[])),
    }
    data = tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
    expected = {"b": [b"x", b""], "f": [0.5, -1.0], "i": [-(2**63), 2**63 - 1], "none": [], "empty": []}
    assert parse_example(data) == expected
