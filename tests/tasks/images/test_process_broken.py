"""process: what is broken, no image, too large, or read by no decoder of a trainer is rejected with its reason."""

import struct
import zlib

import imagecodecs
import numpy as np
import pytest

from imagerecords.schemas.receipt import MESSAGE_LENGTH, Reason, Rejected
from imagerecords.tasks.images.process import process_image
from tests.tasks.images.reading import reason_of


def header_only_png(width, height):
    """A PNG that claims a size and has no pixels."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) + chunk(b"IDAT", b"")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.EMPTY_FILE),
        (b"hello, I am text\n" * 20, Reason.NOT_AN_IMAGE),
        (b"\x00" * 500, Reason.NOT_AN_IMAGE),
        (b"\xff\xd8", Reason.CORRUPT),  # a start of image and nothing else
        (b"\xff\xd8\xff\xd9", Reason.CORRUPT),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", Reason.UNSUPPORTED),  # a program
        (b"\xff\xd8" + b"\xff" * 300, Reason.CORRUPT),
        (header_only_png(30_000, 30_000), Reason.TOO_MANY_PIXELS),
        (b"\x8bJNG\r\n\x1a\n" + bytes(20), Reason.UNSUPPORTED),
        (b"P7\nWIDTH 3\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\nabc", Reason.UNSUPPORTED),
        (imagecodecs.jpegxl_encode(np.zeros((8, 8, 3), np.uint8)), Reason.UNSUPPORTED),
        (imagecodecs.jpegls_encode(np.zeros((8, 8, 3), np.uint8)), Reason.UNSUPPORTED),  # which begins as a JPEG
        (b"BM" + bytes(9), Reason.TRUNCATED),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Reason.NOT_AN_IMAGE),
    ],
)
def test_what_is_no_image_is_rejected_with_its_reason(make_settings, data, reason):
    assert reason_of(data, make_settings()) is reason


def test_a_jpeg_that_claims_too_many_pixels_is_rejected_unread(make_settings, picture):
    data = bytearray(picture())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    assert reason_of(bytes(data), make_settings(check_pixels="none")) is Reason.TOO_MANY_PIXELS


@pytest.mark.parametrize("check_pixels", ["all", "none"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_truncated_jpeg_is_rejected_wherever_it_ends(make_settings, picture, check_pixels, progressive):
    data = picture(5, size=(20, 20), progressive=progressive)
    settings = make_settings(check_pixels=check_pixels)
    for end in range(2, len(data) - 1):
        assert reason_of(data[:end], settings) in (Reason.TRUNCATED, Reason.CORRUPT), end


def test_a_jpeg_without_its_end_is_truncated(make_settings, picture):
    data = picture()
    assert data.endswith(b"\xff\xd9")
    assert reason_of(data[:-2], make_settings(check_pixels="none")) is Reason.TRUNCATED


def test_a_thumbnails_end_is_not_the_pictures_end(make_settings, picture):
    """The JPEG inside the EXIF of a truncated photo ends properly; the photo does not."""
    thumbnail = picture(1, size=(8, 8))
    comment = b"\xff\xfe" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    data = picture(2)
    with_thumbnail = data[:2] + comment + data[2:]
    assert process_image(with_thumbnail, make_settings()).encoded is with_thumbnail
    assert reason_of(with_thumbnail[: len(with_thumbnail) // 2 + 200], make_settings()) in (Reason.TRUNCATED, Reason.CORRUPT)
    assert reason_of(with_thumbnail[:-2], make_settings(check_pixels="none")) is Reason.TRUNCATED


def broken_stream(picture):
    """A JPEG whose coefficients are cut out in the middle, with its end of image in place."""
    data = picture(6, size=(200, 200), quality=95)
    return data[: len(data) // 2] + data[len(data) // 2 + 2000 :]


def test_a_broken_stream_is_found_when_all_pixels_are_checked(make_settings, picture):
    """Pillow and TensorFlow swallow libjpeg's warnings of this and give half a picture."""
    assert reason_of(broken_stream(picture), make_settings()) in (Reason.CORRUPT, Reason.TRUNCATED)


def test_check_pixels_none_passes_what_only_the_pixels_tell(make_settings, picture):
    data = broken_stream(picture)
    assert process_image(data, make_settings(check_pixels="none")).encoded is data


def test_a_broken_grey_jpeg_is_found_too(make_settings, picture):
    data = picture(6, mode="L", size=(200, 200), quality=95)
    broken = data[: len(data) // 2] + data[len(data) // 2 + 1000 :]
    assert reason_of(broken, make_settings()) in (Reason.CORRUPT, Reason.TRUNCATED)


def test_a_broken_cmyk_jpeg_is_found_too(make_settings, picture):
    data = picture(6, mode="CMYK", size=(200, 200), quality=95)
    broken = data[: len(data) // 2] + data[len(data) // 2 + 1000 :]
    assert reason_of(broken, make_settings()) in (Reason.CORRUPT, Reason.TRUNCATED)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_truncated_file_of_any_format_is_rejected(make_settings, picture, kind):
    mode = "P" if kind == "GIF" else "RGB"
    data = picture(7, kind, mode, size=(60, 40))
    assert reason_of(data[: len(data) * 2 // 3], make_settings()) in (Reason.TRUNCATED, Reason.CORRUPT, Reason.NOT_AN_IMAGE)


def test_a_message_is_short_and_there(make_settings):
    with pytest.raises(Rejected) as caught:
        process_image(b"\xff\xd8" + b"\xff\xc0" * 5_000, make_settings())
    assert 0 < len(caught.value.message) <= MESSAGE_LENGTH
    assert "\n" not in caught.value.message


def with_frame(data, **changes):
    """A JPEG whose start of frame says something else: its process, or the bytes at some place in it."""
    changed = bytearray(data)
    frame = changed.index(b"\xff\xc0")
    for name, value in changes.items():
        place = {"process": 1, "precision": 4, "height": 5, "components": 9}[name]
        changed[frame + place : frame + place + len(value)] = value
    return bytes(changed)


@pytest.mark.parametrize(
    "changes",
    [
        {"precision": b"\x0c"},  # 12 bits, as scanners of film and medicine write
        {"process": b"\xc3"},  # lossless
        {"process": b"\xc5"},  # hierarchical
        {"components": b"\x02"},
        {"height": b"\0\0"},  # the lines are counted at the end of the scan
    ],
    ids=["12 bits", "lossless", "hierarchical", "two components", "no height"],
)
@pytest.mark.parametrize("check_pixels", ["all", "none"])
def test_a_jpeg_that_pillow_and_tensorflow_do_not_decode_is_unsupported(tf, make_settings, picture, changes, check_pixels):
    data = with_frame(picture(), **changes)
    assert reason_of(data, make_settings(check_pixels=check_pixels)) is Reason.UNSUPPORTED
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.io.decode_jpeg(data, channels=3)


@pytest.mark.parametrize("height", [b"\xff\xdd", b"\xff\xff"])
def test_a_jpeg_longer_than_libjpeg_reads_is_unsupported(make_settings, picture, height):
    data = with_frame(picture(), height=height)
    assert reason_of(data, make_settings(check_pixels="none")) is Reason.UNSUPPORTED
