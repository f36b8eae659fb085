"""What the markers of a JPEG say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.jpeg import BASELINE, PROGRESSIVE, read_jpeg_header


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


@given(st.binary(max_size=200))
def test_random_markers_never_raise(data):
    header = read_jpeg_header(b"\xff\xd8" + data)
    assert header is None or header.height >= 0
