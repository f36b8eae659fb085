"""What libjpeg warns of: what no pixel depends on passes and is noted, damage in the scan is rejected."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from imagerecords.schemas.receipt import Reason
from imagerecords.tasks.audit.record import pixel_problem
from imagerecords.tasks.images.jpeg import read_jpeg_header
from imagerecords.tasks.images.process import process_image
from tests.tasks.images.reading import pixels_of, reason_of


def photo(number=0, size=(120, 88), **options):
    """A JPEG with detail in every block."""
    x, y = np.meshgrid(np.arange(size[0]) / 20, np.arange(size[1]) / 20)
    smooth = np.stack([np.sin(x * 2 + y), np.cos(x - y * 2), np.sin(x * y / 2)], axis=-1) * 90 + 128
    noisy = smooth + np.random.default_rng(number).normal(0, 12, (*smooth.shape[:2], 1))
    file = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, "JPEG", **({"quality": 85} | options))
    return file.getvalue()


def segment(marker, content):
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


GOOD = photo()
JFIF_END = 20
SCAN = GOOD.rindex(b"\xff\xda")
SPECTRUM = SCAN + 2 + struct.unpack_from(">H", GOOD, SCAN + 2)[0] - 3


def behind_jfif(*inserted):
    return GOOD[:JFIF_END] + b"".join(inserted) + GOOD[JFIF_END:]


def icc(number, count, content=b"x" * 200):
    return segment(0xE2, b"ICC_PROFILE\0" + bytes([number, count]) + content)


# By name: a JPEG whose coefficients are GOOD's; those that Pillow and TensorFlow read pass through as they are.
READ_BY_ALL = {
    "JFIF 2.01": GOOD[:11] + b"\2" + GOOD[12:],
    "JFIF 0.00": GOOD[:11] + b"\0\0" + GOOD[13:],
    "profile without content": behind_jfif(icc(1, 1, b"")),
    "profile chunk 0": behind_jfif(icc(0, 1)),
    "profile chunk 1 twice": behind_jfif(icc(1, 1), icc(1, 1)),
    "profile chunk missing": behind_jfif(icc(1, 2)),
    "profile chunks of other counts": behind_jfif(icc(1, 2), icc(2, 3)),
    "Adobe transform 2": behind_jfif(segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, 2))),
    "Adobe transform 77 without JFIF": GOOD[:2]
    + segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, 77))
    + GOOD[JFIF_END:],
    "Se 0": GOOD[:SPECTRUM] + b"\0\0\0" + GOOD[SPECTRUM + 3 :],
    "Ss 1": GOOD[:SPECTRUM] + b"\1" + GOOD[SPECTRUM + 1 :],
    "Se 64, A 1": GOOD[:SPECTRUM] + b"\0\x40\1" + GOOD[SPECTRUM + 3 :],
    "stray zeros before the scan": GOOD[:SCAN] + b"\0\0" + GOOD[SCAN:],
    "stray text behind JFIF": behind_jfif(b"abc"),
    "stray stuffed byte": behind_jfif(b"\xff\0"),
    "8 zeros before the end": GOOD[:-2] + bytes(8) + GOOD[-2:],
    "3,000 spaces before the end": GOOD[:-2] + b" " * 3000 + GOOD[-2:],
    "211 random bytes before the end": GOOD[:-2]
    + np.random.default_rng(5).integers(0, 255, 211, np.uint8).tobytes()
    + GOOD[-2:],
    "both": behind_jfif(b"abc")[:-2] + bytes(9) + GOOD[-2:],
}
# What Pillow refuses is written without the segment that it refuses.
REPAIRED = {
    "JFIF without a version": GOOD[:2] + segment(0xE0, b"JFIF\0") + GOOD[JFIF_END:],
    "JFIF of 4 bytes, then a whole one": GOOD[:2] + segment(0xE0, b"JFIF") + GOOD[2:],
    "Adobe without a transform": behind_jfif(segment(0xEE, b"Adobe")),
    "profile without a number": behind_jfif(segment(0xE2, b"ICC_PROFILE\0")),
    "Photoshop cut off": behind_jfif(segment(0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04")),
    "TEM": behind_jfif(b"\xff\x01"),
    "TEM and padding": behind_jfif(b"\xff\x01")[:-2] + bytes(9) + GOOD[-2:],
}


@pytest.mark.parametrize("check_pixels", ["all", "none"])
@pytest.mark.parametrize("name", READ_BY_ALL)
def test_what_no_pixel_depends_on_passes_through_and_is_noted(tf, make_settings, name, check_pixels):
    data = READ_BY_ALL[name]
    assert (tf.io.decode_jpeg(data, dct_method="INTEGER_ACCURATE").numpy() == pixels_of(GOOD)).all()
    assert (pixels_of(data) == pixels_of(GOOD)).all()
    jpeg = process_image(data, make_settings(check_pixels=check_pixels))
    assert jpeg.encoded is data
    assert jpeg.is_odd or (check_pixels == "none" and "before the end" in name)  # padding is among the pixels
    assert pixel_problem(data) is None
    if check_pixels == "all":
        assert jpeg.figures == process_image(GOOD, make_settings()).figures


@pytest.mark.parametrize("check_pixels", ["all", "none"])
@pytest.mark.parametrize("name", REPAIRED)
def test_a_segment_that_pillow_refuses_is_left_out(tf, make_settings, name, check_pixels):
    trailer = b"appended"
    comment = segment(0xFE, b"a comment")
    data = REPAIRED[name].replace(b"\xff\xdb", comment + b"\xff\xdb", 1) + trailer
    with pytest.raises(UnidentifiedImageError):
        pixels_of(data)
    jpeg = process_image(data, make_settings(check_pixels=check_pixels))
    assert jpeg.is_odd
    assert comment in jpeg.encoded
    assert jpeg.encoded.endswith(b"\xff\xd9" + trailer)
    assert (pixels_of(jpeg.encoded) == pixels_of(GOOD)).all()
    assert (tf.io.decode_jpeg(jpeg.encoded, dct_method="INTEGER_ACCURATE").numpy() == pixels_of(GOOD)).all()


@pytest.mark.parametrize(
    "data",
    [
        GOOD,
        GOOD + b"appended",
        GOOD[:-2] + b"\xff" * 20 + GOOD[-2:],  # fill bytes
        behind_jfif(segment(0xE2, b"MPF\0II*\0"), segment(0xEC, b"Ducky\0\1\0\4\0\0\0<"), segment(0xFE, b"hello")),
        behind_jfif(icc(1, 1)),  # no profile, but whole
        behind_jfif(b"\xff\xe5\0\1"),  # of a length that libjpeg takes for 2
        GOOD[:SCAN] + b"\xff\xdd\0\4\0\0" + GOOD[SCAN:],
    ],
    ids=["plain", "trailer", "fill", "segments", "rubbish for a profile", "length 1", "restarts off"],
)
def test_what_libjpeg_does_not_warn_of_is_not_odd(make_settings, data):
    jpeg = process_image(data, make_settings())
    assert (jpeg.encoded is data, jpeg.is_odd) == (True, False)
    assert pixel_problem(data) is None


@pytest.mark.parametrize("odd", ["JFIF 0.00", "Se 0", "stray text behind JFIF"])
def test_an_odd_header_does_not_hide_damage(make_settings, odd):
    data = READ_BY_ALL[odd]
    cut = data[: SCAN + 1000] + data[SCAN + 1400 :]
    assert reason_of(cut, make_settings()) in (Reason.CORRUPT, Reason.TRUNCATED)
    assert pixel_problem(cut)
    assert reason_of(data[:-2], make_settings()) is Reason.TRUNCATED


def test_a_byte_behind_the_start_of_image_is_damage(make_settings):
    """No decoder takes it for a JPEG."""
    assert reason_of(GOOD[:2] + b"\n" + GOOD[2:], make_settings()) is Reason.CORRUPT


@pytest.mark.parametrize(
    "trailing", [segment(0xFE, b"hello"), b"\xff\xd0", segment(0xDD, b"\0\7"), segment(0xE1, b"Exif\0\0abc")]
)
@pytest.mark.parametrize("padding", [b"", bytes(20)])
def test_segments_between_the_scan_and_the_end_are_no_damage(tf, make_settings, trailing, padding):
    data = GOOD[:-2] + trailing + padding + GOOD[-2:]
    jpeg = process_image(data, make_settings())
    assert (jpeg.encoded is data, jpeg.is_odd) == (True, bool(padding))
    assert (tf.io.decode_jpeg(data, dct_method="INTEGER_ACCURATE").numpy() == pixels_of(GOOD)).all()


@pytest.mark.parametrize("padding", [b"\xff\x3c12", b"\xff\xd8\xff\xd9"])
def test_padding_that_looks_like_a_marker_is_damage(make_settings, padding):
    """No decoder but a browser goes on behind it."""
    assert reason_of(GOOD[:-2] + padding + GOOD[-2:], make_settings()) is Reason.CORRUPT


@pytest.mark.parametrize("options", [{}, {"subsampling": "4:4:4", "optimize": True}, {"restart_marker_rows": 1}])
def test_random_padding_is_told_from_blocks_that_are_left_over(make_settings, options):
    """Of photographs that lose their place, as many are found as libjpeg warns of."""
    rng = np.random.default_rng(7)
    for number in range(12):
        data = photo(number, **options)
        padding = rng.integers(0, 255, int(rng.integers(2, 400)), np.uint8).tobytes()
        assert process_image(data[:-2] + padding + data[-2:], make_settings()).encoded.endswith(padding + data[-2:])


def doubled_block(data):
    """The JPEG with one MCU more than its picture has, as a stream that lost its place leaves it: a row of MCUs left over."""
    frame = data.index(b"\xff\xc0")
    height = struct.unpack_from(">H", data, frame + 5)[0]
    return data[: frame + 5] + struct.pack(">H", height - 16) + data[frame + 7 :]


@pytest.mark.parametrize("number", range(20))
def test_blocks_that_are_left_over_are_no_padding(make_settings, number):
    data = doubled_block(photo(number))
    assert reason_of(data, make_settings()) is Reason.CORRUPT
    assert "before marker 0xd9" in pixel_problem(data)


def test_the_same_image_is_judged_alike_by_build_and_audit(make_settings):
    rng = np.random.default_rng(3)
    for _ in range(60):
        data = bytearray(GOOD)
        place = int(rng.integers(SCAN + 14, len(GOOD) - 2))
        data[place] ^= 1 << int(rng.integers(8))
        problem = pixel_problem(bytes(data))
        if problem:
            reason_of(bytes(data), make_settings())
        else:
            process_image(bytes(data), make_settings())


def test_a_header_is_read_on_behind_stray_bytes(picture):
    data = picture()
    assert read_jpeg_header(data[:20] + b"\0\xff\0junk" + data[20:])[:5] == read_jpeg_header(data)[:5]
