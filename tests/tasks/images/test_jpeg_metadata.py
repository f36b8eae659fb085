"""What a JPEG says beside its pixels: kept or stripped, counted, and true of a rotated picture."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from imagerecords.tasks.images.jpeg_metadata import find_private
from imagerecords.tasks.images.jpeg_parts import take_apart
from imagerecords.tasks.images.process import process_image
from tests.tasks.images.coefficients import coefficients_of
from tests.tasks.images.reading import pixels_of
from tests.tasks.images.test_jpeg_check import photo, segment

MAKE, GPS, EXIF = 0x010F, 0x8825, 0x8769
XMP = b"http://ns.adobe.com/xap/1.0/\0"
MPF = segment(0xE2, b"MPF\0II*\0\x08\0\0\0\0\0\0\0\0\0")
GAIN_MAP = segment(0xE1, XMP + b"<x:xmpmeta><rdf hdrgm:Version='1.0' Item:Length='12345'/></x:xmpmeta>")
ISO_GAIN_MAP = segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0")
COMMENT = segment(0xFE, b"by Ann Example")
PHOTOSHOP = segment(0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x0c\0\0\0\0\0\4abcd")


def exif_of(orientation=1, *, gps=False, thumbnail=False, order=">", sides=(64, 48)):
    """An APP1 segment as a phone writes it: make, orientation, pixel sides in EXIF's own directory, a position, a thumbnail."""
    tiff, entries = bytearray((b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "I", 8)), []
    count = 3 + gps
    after = 8 + 2 + 12 * count + 4
    inner = struct.pack(order + "HHHIIHHIII", 2, 0xA002, 4, 1, sides[0], 0xA003, 4, 1, sides[1], 0)
    place = struct.pack(order + "HHHI4sHHIII", 2, 1, 2, 2, b"N\0\0\0", 2, 5, 3, 0, 0)
    make = b"Example\0"
    entries.append((MAKE, 2, len(make), after))
    entries.append((0x0112, 3, 1, orientation << 16 if order == ">" else orientation))
    entries.append((EXIF, 4, 1, after + len(make)))
    if gps:
        entries.append((GPS, 4, 1, after + len(make) + len(inner)))
    more = make + inner + (place if gps else b"")
    small = photo(size=(16, 16))
    tiff += struct.pack(order + "H", count) + b"".join(struct.pack(order + "HHII", *entry) for entry in entries)
    tiff += struct.pack(order + "I", after + len(more) if thumbnail else 0) + more
    if thumbnail:
        start = len(tiff) + 2 + 36 + 4
        tiff += (
            struct.pack(order + "HHHIIHHIIHHIII", 3, 0x0112, 3, 1, 0, 0x0201, 4, 1, start, 0x0202, 4, 1, len(small), 0) + small
        )
    return segment(0xE1, b"Exif\0\0" + bytes(tiff))


def with_segments(data, *inserted):
    """The segments behind the JFIF segment, which photo() writes first."""
    return data[:20] + b"".join(inserted) + data[20:]


JFIF_THUMBNAIL = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\2\1" + bytes(6))

FOUND = [
    ([], (False, False)),
    ([exif_of()], (False, False)),
    ([exif_of(gps=True)], (True, False)),
    ([exif_of(gps=True, order="<")], (True, False)),
    ([exif_of(thumbnail=True)], (False, True)),
    ([exif_of(gps=True, thumbnail=True, order="<")], (True, True)),
    ([exif_of(gps=True)[:60]], (False, False)),  # cut off, with a wrong length: no segment
    ([segment(0xE1, exif_of(gps=True)[4:90])], (False, False)),  # its directories lead nowhere
    ([segment(0xE1, XMP + b"<exif:GPSLatitude>48,12.5N</exif:GPSLatitude>")], (True, False)),
    ([segment(0xE1, XMP + b"<xmp:Thumbnails>")], (False, True)),
    ([PHOTOSHOP], (False, True)),
    ([segment(0xE0, b"JFXX\0\x10abc")], (False, True)),
    ([COMMENT, MPF, ISO_GAIN_MAP], (False, False)),
]


@pytest.mark.parametrize(("inserted", "expected"), FOUND)
def test_positions_and_thumbnails_are_found(inserted, expected):
    assert find_private(with_segments(photo(), *inserted)) == expected


def test_a_thumbnail_in_jfif_itself_is_found():
    data = photo()
    assert find_private(data[:2] + JFIF_THUMBNAIL + data[20:]) == (False, True)


def test_pillows_gps_block_is_found():
    exif = Image.Exif()
    exif.get_ifd(GPS).update({1: "N", 2: (48.0, 12.0, 30.0)})
    assert find_private(photo(exif=exif)).has_gps


@pytest.mark.parametrize("metadata", ["keep", "strip"])
def test_what_is_kept_is_counted(make_settings, metadata):
    data = with_segments(photo(), exif_of(gps=True, thumbnail=True))
    jpeg = process_image(data, make_settings(metadata=metadata))
    assert (jpeg.encoded is data, jpeg.has_gps, jpeg.has_thumbnail) == ((metadata == "keep",) * 3)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 3}, {"keep_rgb": True}], ids=str)
def test_strip_leaves_nothing_but_what_pixels_depend_on(make_settings, options):
    plain = photo(**options)
    private = [
        exif_of(gps=True, thumbnail=True),
        GAIN_MAP,
        MPF,
        ISO_GAIN_MAP,
        COMMENT,
        PHOTOSHOP,
        segment(0xEB, b"serial 1234"),
    ]
    start = plain.index(b"\xff\xdb")
    data = plain[:start] + b"".join(private) + plain[start:] + photo(1) + b"a video"
    jpeg = process_image(data, make_settings(metadata="strip"))
    assert len(jpeg.encoded) <= len(plain)
    assert (pixels_of(jpeg.encoded) == pixels_of(plain)).all()
    assert {part.marker for part in take_apart(jpeg.encoded)[0]} == {part.marker for part in take_apart(plain)[0]}
    for secret in (b"Example", b"serial", b"hdrgm", b"MPF", b"Ann", b"a video"):
        assert secret in data
        assert secret not in jpeg.encoded


def test_strip_does_not_change_a_jpeg_that_has_nothing_private(make_settings):
    data = photo()
    assert process_image(data, make_settings(metadata="strip")).encoded == data[:13] + b"\0\0\1\0\1\0\0" + data[20:]


def test_strip_keeps_the_profile_where_colours_are_not_converted(make_settings):
    data = photo(icc_profile=bytes(range(256)) * 300)
    kept = process_image(data, make_settings(metadata="strip", icc="keep")).encoded
    assert Image.open(io.BytesIO(kept)).info["icc_profile"] == bytes(range(256)) * 300
    assert b"ICC_PROFILE" not in process_image(data, make_settings(metadata="strip")).encoded


def test_strip_keeps_the_orientation_where_pixels_stay_as_stored(make_settings):
    data = with_segments(photo(), exif_of(6, gps=True, thumbnail=True))
    with Image.open(io.BytesIO(process_image(data, make_settings(metadata="strip", exif="keep")).encoded)) as image:
        assert dict(image.getexif()) == {0x0112: 6}
    assert b"Exif" not in process_image(data, make_settings(metadata="strip", exif="bake")).encoded


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", [3, 6])
def test_a_rotated_jpeg_keeps_its_metadata_and_they_are_true(make_settings, orientation, order):
    data = with_segments(photo(size=(64, 48)), exif_of(orientation, gps=True, thumbnail=True, order=order), COMMENT)
    jpeg = process_image(data, make_settings())
    assert (jpeg.has_gps, jpeg.has_thumbnail) == (True, True)
    with Image.open(io.BytesIO(jpeg.encoded)) as image:
        exif = image.getexif()
        assert (exif[0x0112], exif[MAKE], image.info["comment"]) == (1, "Example", b"by Ann Example")
        inner = exif.get_ifd(EXIF)
        assert (inner[0xA002], inner[0xA003]) == ((48, 64) if orientation == 6 else (64, 48)) == image.size


def test_a_rotated_jpeg_exchanges_its_densities_and_its_xmp_is_upright(make_settings):
    data = photo(size=(64, 48), dpi=(300, 200))
    xmp = segment(0xE1, XMP + b'<rdf:Description tiff:Orientation="6" dc:title="a"/>')
    encoded = process_image(with_segments(data, exif_of(6), xmp), make_settings()).encoded
    assert b'tiff:Orientation="1" dc:title' in encoded
    assert Image.open(io.BytesIO(encoded)).info["jfif_density"] == (200, 300)


def test_further_pictures_are_left_out_of_a_rotated_jpeg_with_what_says_of_them(make_settings):
    """They are not rotated, and the offsets to them are wrong."""
    data = with_segments(photo(size=(64, 48)), exif_of(6), GAIN_MAP, MPF, ISO_GAIN_MAP, COMMENT) + photo(1) + b"a video"
    encoded = process_image(data, make_settings()).encoded
    for gone in (b"hdrgm", b"MPF", b"21496", b"a video"):
        assert gone not in encoded
    assert b"Ann Example" in encoded
    assert encoded.endswith(b"\xff\xd9")


@pytest.mark.parametrize("trailer", [b"", b"a motion photo's video", None], ids=["none", "video", "second picture"])
def test_further_pictures_of_an_upright_jpeg_pass_through(make_settings, trailer):
    data = with_segments(photo(), GAIN_MAP, MPF) + (photo(1) if trailer is None else trailer)
    assert process_image(data, make_settings()).encoded is data
    assert (
        process_image(data, make_settings(metadata="strip")).encoded
        == process_image(photo(), make_settings(metadata="strip")).encoded
    )


def test_a_rotated_jpeg_that_is_stripped_has_the_same_coefficients(make_settings):
    data = with_segments(photo(size=(64, 48)), exif_of(6, gps=True))
    kept, stripped = (process_image(data, make_settings(metadata=metadata)) for metadata in ("keep", "strip"))
    assert b"Exif" not in stripped.encoded
    assert not stripped.has_gps
    for (one, _), (other, _) in zip(coefficients_of(kept.encoded), coefficients_of(stripped.encoded), strict=True):
        assert np.array_equal(one, other)
