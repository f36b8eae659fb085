"""An AVIF's clean aperture and the properties of its primary item."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from imagerecords.tasks.images.colour_codes import ColourCodes
from imagerecords.tasks.images.isobmff import end_of_pixels, primary_properties
from imagerecords.tasks.images.process import process_image
from tests.tasks.images.reading import pixels_of

HEIGHT, WIDTH = 32, 48


def avif(**options):
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    file = io.BytesIO()
    picture = np.stack([x * 5, y * 7, x * 0 + 90], axis=-1).astype(np.uint8)
    Image.fromarray(picture).save(file, "AVIF", quality=100, subsampling="4:4:4", **options)
    return file.getvalue(), picture


def with_aperture(data, *fractions):
    """The file with a clean aperture of the primary item, whose offsets in the file move by as much."""
    clap = struct.pack(">I4s8i", 40, b"clap", *fractions)
    ipco = data.index(b"ipco") - 4
    (size,) = struct.unpack_from(">I", data, ipco)
    count, position = 0, ipco + 8
    while position < ipco + size:
        position += struct.unpack_from(">I", data, position)[0]
        count += 1
    ipma = data.index(b"ipma") - 4
    entry = ipma + 16 + 2  # behind the count of entries and the item's number
    assert data[ipma + 8] == 0
    assert data[ipma + 11] == 0
    changed = bytearray(data)
    changed[entry] += 1
    added = entry + 1 + data[entry]
    changed[added:added] = bytes([0x80 | count + 1])  # essential
    changed[ipco + size : ipco + size] = clap
    for name, more in ((b"ipco", 40), (b"ipma", 1), (b"iprp", 41), (b"meta", 41)):
        place = bytes(changed).index(name) - 4
        changed[place : place + 4] = struct.pack(">I", struct.unpack_from(">I", changed, place)[0] + more)
    iloc = bytes(changed).index(b"iloc") - 4
    (offset,) = struct.unpack_from(">I", changed, iloc + 22)  # one item with one extent of 4 bytes each
    assert offset == data.index(b"mdat") + 4
    changed[iloc + 22 : iloc + 26] = struct.pack(">I", offset + 41)
    return bytes(changed)


@pytest.mark.parametrize(
    ("fractions", "crop"),
    [
        ((24, 1, 16, 1, 0, 1, 0, 1), (12, 8, 36, 24)),
        ((24, 1, 16, 1, -12, 1, -8, 1), (0, 0, 24, 16)),
        ((47, 1, 31, 1, -1, 2, 1, 2), (0, 1, 47, 32)),
    ],
)
def test_the_clean_aperture_is_the_picture(make_settings, fractions, crop):
    data, picture = avif()
    made = process_image(with_aperture(data, *fractions), make_settings(jpeg_subsampling="4:4:4"))
    left, top, right, bottom = crop
    assert (made.height, made.width) == (bottom - top, right - left)
    assert abs(pixels_of(made.encoded) - picture[top:bottom, left:right]).max() <= 6


@pytest.mark.parametrize("fractions", [(25, 1, 16, 1, 0, 1, 0, 1), (60, 1, 16, 1, 0, 1, 0, 1), (24, 0, 16, 1, 0, 1, 0, 1)])
def test_an_aperture_that_is_none_is_ignored(make_settings, fractions):
    data, _ = avif()
    made = process_image(with_aperture(data, *fractions), make_settings())
    assert (made.height, made.width) == (HEIGHT, WIDTH)


def test_the_codes_are_the_primary_items():
    data, _ = avif()
    assert primary_properties(data).codes == ColourCodes(1, 13)


def test_boxes_that_can_not_be_followed_have_no_properties():
    data, _ = avif()
    for end in range(0, 400, 3):
        assert primary_properties(data[:end]).aperture is None
    assert primary_properties(b"").codes is None


def test_associations_that_are_there_twice_are_one(pixels):
    """As cavif wrote them in 2020; libavif refuses the file, Chromium and libvips read it."""
    data, _ = avif(exif=b"Exif\0\0MM\0*" + bytes(8))
    ipma = data.index(b"ipma") - 4
    (size,) = struct.unpack_from(">I", data, ipma)
    twice = data[ipma : ipma + size] + struct.pack(">I4s4sI", 16, b"ipma", data[ipma + 8 : ipma + 12], 0)
    changed = bytearray(data[:ipma] + twice + data[ipma + size :])
    for name in (b"iprp", b"meta"):
        place = data.index(name) - 4
        changed[place : place + 4] = struct.pack(">I", struct.unpack_from(">I", data, place)[0] + 16)
    iloc = data.index(b"iloc") + 4
    (items,) = struct.unpack_from(">H", data, iloc + 6)
    for number in range(items):  # of one extent of 4 bytes each
        place = iloc + 8 + 14 * number + 6
        changed[place : place + 4] = struct.pack(">I", struct.unpack_from(">I", data, place)[0] + 16)
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(changed))
    assert (pixels(bytes(changed)) == pixels(data)).all()
    assert end_of_pixels(bytes(changed)) == end_of_pixels(data) + 16
