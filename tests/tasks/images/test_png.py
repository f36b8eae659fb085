"""PNGs whose chunks Pillow reads otherwise than the specification asks."""

import struct
import zlib

import numpy as np
import pytest

from imagerecords.schemas.receipt import Reason
from imagerecords.tasks.images.process import process_image
from tests.tasks.images.reading import reason_of
from tests.tasks.images.test_colour import ADOBE, grey_profile, rgb_profile, srgb_of

HEIGHT, WIDTH = 8, 32
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH]


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(samples, depth, colour_type, *chunks):
    """A PNG of whole numbers with this many bits."""
    flat = samples.reshape(samples.shape[0], -1)
    if depth == 16:
        rows = [row.astype(">u2").tobytes() for row in flat]
    else:
        bits = flat[..., None] >> np.arange(depth)[::-1] & 1
        rows = [row.tobytes() for row in np.packbits(bits.reshape(flat.shape[0], -1).astype(np.uint8), axis=-1)]
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], depth, colour_type, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_transparent_grey_is_compared_in_its_own_depth(pixels, depth):
    most = (1 << depth) - 1
    samples = X * most // (WIDTH - 1)
    for key in {0, 1, most // 2, most}:
        got = pixels(png(samples, depth, 0, chunk(b"tRNS", struct.pack(">H", key))), alpha_background="#0a64c8")
        shown = np.stack([np.floor(samples * 255 / most + 0.5)] * 3, axis=-1)
        assert (got == np.where((samples == key)[..., None], (10, 100, 200), shown)).all()


def test_a_transparent_colour_of_16_bits_is_no_other_of_the_same_high_bytes(pixels):
    samples = np.stack([0x0100 + X % 2, 0x0203 + 0 * X, 0x0405 + 0 * X], axis=-1)
    got = pixels(png(samples, 16, 2, chunk(b"tRNS", struct.pack(">HHH", 0x0101, 0x0203, 0x0405))), alpha_background="white")
    assert (got == np.where((X % 2 == 1)[..., None], 255, (1, 2, 4))).all()


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("colour_type", [0, 4])
def test_a_grey_profile_counts_in_each_depth_with_and_without_alpha(pixels, depth, colour_type):
    factor = 1 if depth == 8 else 257
    level = np.full((HEIGHT, WIDTH), 55 * factor)
    samples = level if colour_type == 0 else np.stack([level, np.full_like(level, 255 * factor)], axis=-1)
    data = png(samples, depth, colour_type, chunk(b"iCCP", b"g\0\0" + zlib.compress(grey_profile(1.0))))
    assert abs(pixels(data) - srgb_of(np.array(55 / 255))).max() <= 2
    assert (pixels(data, icc="keep") == 55).all()


LONG_TEXT = zlib.compress(b"x" * (1 << 20) + b"y" * 5_000)


@pytest.mark.parametrize(
    "long",
    [
        chunk(b"zTXt", b"workflow\0\0" + LONG_TEXT),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LONG_TEXT),
        chunk(b"iCCP", b"big\0\0" + LONG_TEXT),
        chunk(b"tEXt", b"workflow\0" + b"y" * (1 << 21)),
        chunk(b"zTXt", b"w\0\0" + zlib.compress(b"y" * 1_000_000)) * 80,  # more than Pillow takes in all
        chunk(b"iCCP", b"odd\0\7" + LONG_TEXT),  # a compression that is none
        chunk(b"zTXt", b"broken\0\0 no zlib"),
    ],
    ids=["zTXt", "iTXt", "iCCP", "tEXt", "many", "iCCP of no compression", "broken"],
)
def test_text_and_profiles_of_any_length_are_no_reason(make_settings, tf, long):
    samples = np.stack([X * 8, Y * 30, 0 * X + 9], axis=-1)
    data = png(samples, 8, 2, long)
    assert process_image(data, make_settings()).encoded == process_image(png(samples, 8, 2), make_settings()).encoded


def test_exif_behind_the_pixels_counts_beside_text(make_settings):
    exif = b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
    data = png(X % 256, 8, 0, chunk(b"tEXt", b"a\0b"))
    end = data.rindex(b"IEND") - 4
    assert process_image(data[:end] + chunk(b"eXIf", exif) + data[end:], make_settings()).orientation == 6


def test_what_begins_as_a_png_is_no_other_thing(make_settings):
    for data in (b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n" + b"\xf4" * 60, png(X % 256, 8, 0)[:50]):
        assert reason_of(data, make_settings()) in (Reason.CORRUPT, Reason.TRUNCATED)


def broken(name, body):
    return chunk(name, body)[:-1] + b"?"


@pytest.mark.parametrize(
    "faulty",
    [
        broken(b"sBIT", b"\x08\x08\x08"),  # of another check sum
        broken(b"iTXt", b"Comment\0\0\0\0\0x"),
        broken(b"eXIf", b"MM\0*"),
        chunk(b"cHRM", b""),  # cut off inside
        chunk(b"sRGB", b""),
        chunk(b"acTL", struct.pack(">II", 2, 0)) + chunk(b"fdAT", struct.pack(">I", 7) + b"x"),  # a frame without its control
    ],
)
def test_a_broken_chunk_beside_the_pixels_is_no_reason(pixels, make_settings, faulty):
    """libpng, and so Chromium, libvips and OpenCV, go on behind each."""
    samples = np.stack([X * 8, Y * 8, X + Y], axis=-1)
    profile = chunk(b"iCCP", b"g\0\0" + zlib.compress(rgb_profile(ADOBE)))
    assert (pixels(png(samples, 8, 2, faulty)) == samples).all()
    assert (pixels(png(samples, 8, 2, profile, faulty)) == pixels(png(samples, 8, 2, profile))).all()
    data = png(samples, 8, 2, faulty)
    assert reason_of(data[:-60], make_settings()) is Reason.TRUNCATED


def test_palette_colours_without_a_palette_are_corrupt(make_settings):
    assert reason_of(png(X, 8, 3), make_settings()) is Reason.CORRUPT
