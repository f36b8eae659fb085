"""Frames: read in blocks, resumed after damage."""

import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagerecords.schemas.frame import frame
from imagerecords.tasks.records import frames
from imagerecords.tasks.records.frames import HEAD_PROBLEM, head_positions, read_frames


def framed(data):
    before, after, _ = frame(data)
    return before + data + after


def read(data, **options):
    return list(read_frames(io.BytesIO(data), **options))


@given(st.lists(st.binary(max_size=300)), st.integers(min_value=1, max_value=200))
def test_what_was_framed_is_read_whatever_the_block(payloads, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "BLOCK", block)
        found = read(b"".join(map(framed, payloads)))
    assert [each.data for each in found] == payloads
    assert not any(each.problem for each in found)


@given(st.binary(min_size=1, max_size=200), st.integers(min_value=13, max_value=64))
def test_after_a_broken_length_the_next_frame_is_found_whatever_the_block(payload, block):
    first, second, third = framed(b"first"), framed(payload), framed(b"third")
    broken = bytes([second[0] ^ 1]) + second[1:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "BLOCK", block)
        found = read(first + broken + third)
    assert [each.data for each in found] == [b"first", b"", b"third"]
    assert (found[1].problem, found[1].offset, found[1].skipped) == (HEAD_PROBLEM, len(first), len(second))


def test_without_resume_a_broken_length_is_the_end():
    found = read(framed(b"a") + bytes(20) + framed(b"b"), resume=False)
    assert [each.problem for each in found] == [None, HEAD_PROBLEM]


@pytest.mark.parametrize(
    ("between", "skipped"),
    [
        (b"x", 1),
        (b"\0" * 5000, 5000),  # a hole of zeros: a length of 0 everywhere, and its CRC nowhere
        (framed(b"y" * 9)[:-1], 24),  # a record cut short, and another behind it, as after a killed writer
        (frame(b"z" * 500)[0], 12),  # a sound head that leads beyond the end
    ],
)
def test_what_lies_between_frames_is_skipped_and_counted(between, skipped):
    found = read(framed(b"a") + between + framed(b"b"))
    assert [each.data for each in found if not each.problem] == [b"a", b"b"]
    assert sum(each.skipped for each in found) == skipped


def test_the_rest_without_a_frame_is_skipped_to_the_end():
    noise = random.Random(1).randbytes(100_000)
    found = read(framed(b"a") + noise)
    assert (len(found), found[1].skipped) == (2, len(noise))


def test_a_length_claims_memory_only_for_what_is_there():
    """2 GiB are promised; the file has 12 bytes."""
    head = frame(b"")[0]
    length = (1 << 31).to_bytes(8, "little")
    import google_crc32c

    from imagerecords.schemas.frame import FOOTER, mask

    head = length + FOOTER.pack(mask(google_crc32c.value(length)))
    (found,) = read(head)
    assert found.problem == "truncated: 0 of 2147483652 bytes of data"


@given(st.integers(min_value=0, max_value=2**32 - 1), st.binary(max_size=40))
def test_a_head_is_found_where_it_stands(length, before):
    import google_crc32c

    from imagerecords.schemas.frame import FOOTER, LENGTH, mask

    head = LENGTH.pack(length) + FOOTER.pack(mask(google_crc32c.value(LENGTH.pack(length))))
    assert len(before) in head_positions(before + head)
