"""What the markers of a JPEG say."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagerecords.tasks.images.jpeg import BASELINE, PROGRESSIVE, exif_orientation, read_jpeg_header


@pytest.mark.parametrize(
    ("mode", "options", "components", "process", "plain"),
    [
        ("RGB", {}, 3, BASELINE, True),
        ("RGB", {"progressive": True}, 3, PROGRESSIVE, True),
        ("L", {}, 1, BASELINE, False),
        ("CMYK", {}, 4, BASELINE, False),
    ],
)
def test_the_header_tells_size_components_and_process(picture, mode, options, components, process, plain):  # noqa: PLR0917
    header = read_jpeg_header(picture(0, "JPEG", mode, (300, 20), **options))
    assert header[:5] == (20, 300, components, 8, process)
    assert header.ends
    assert header.is_plain_colour is plain


def test_fill_bytes_before_a_marker_are_skipped(picture):
    data = picture()
    assert read_jpeg_header(data[:2] + b"\xff\xff\xff" + data[2:]) == read_jpeg_header(data)


def test_an_end_inside_an_earlier_segment_does_not_count(picture):
    data = picture()[:-2]
    comment = b"\xff\xfe\x00\x06\xff\xd9\xff\xd9"
    assert not read_jpeg_header(data[:2] + comment + data[2:]).ends


def exif(orientation, order=">", kind=3, count=1, before=0):
    """An EXIF block with one entry for the orientation, and others before it."""
    entries = [(0x0100 + number, 3, 1, 6, 0) for number in range(before)] + [(0x0112, kind, count, orientation, 0)]
    head = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "IH", 8, len(entries))
    return b"Exif\0\0" + head + b"".join(struct.pack(order + "HHIHH", *entry) for entry in entries)


@pytest.mark.parametrize(
    ("block", "orientation"),
    [
        (exif(6), 6),
        (exif(8, "<"), 8),
        (exif(3, before=5), 3),
        (exif(6).removeprefix(b"Exif\0\0"), 6),  # as PNG and WebP carry it
        (exif(0), 1),
        (exif(9), 1),
        (exif(6, kind=4), 1),  # a long, where the value stands elsewhere
        (exif(6, count=2), 1),
        (exif(6)[:-6], 1),
        (b"Exif\0\0MM\0*\xff\xff\xff\xff", 1),
        (b"Exif\0\0", 1),
        (b"", 1),
    ],
)
def test_the_orientation_is_read_from_the_first_directory(picture, block, orientation):
    assert exif_orientation(block) == orientation
    data = picture()
    if block.startswith(b"Exif\0\0"):
        segment = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
        assert read_jpeg_header(data[:2] + segment + data[2:]).orientation == orientation


def test_the_first_exif_block_counts(picture):
    data = picture()
    blocks = b"".join(b"\xff\xe1" + struct.pack(">H", len(exif(6)) + 2) + exif(orientation) for orientation in (1, 6))
    assert read_jpeg_header(data[:2] + blocks + data[2:]).orientation == 1


def test_a_profile_with_a_missing_segment_counts_as_none(picture):
    data = picture(icc_profile=bytes(range(256)) * 600)
    assert read_jpeg_header(data).profile == bytes(range(256)) * 600
    first = data.index(b"\xff\xe2")
    length = int.from_bytes(data[first + 2 : first + 4], "big")
    assert read_jpeg_header(data[:first] + data[first + 2 + length :]).profile == b""


@given(st.binary(max_size=200))
def test_random_exif_never_raises(data):
    for order in (b"MM\0*", b"II*\0"):
        assert 1 <= exif_orientation(order + data) <= 8


@given(st.binary(max_size=200))
def test_random_markers_never_raise(data):
    header = read_jpeg_header(b"\xff\xd8" + data)
    assert header is None or header.height >= 0
