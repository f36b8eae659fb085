"""Photoshop files written here by the specification, against what their channels mean."""

import struct

import numpy as np
import pytest

from imagerecords.schemas.receipt import Reason
from imagerecords.tasks.images.decode import decode_image
from tests.tasks.images.reading import reason_of
from tests.tasks.images.test_colour import ADOBE, adobe_in_srgb, rgb_profile

HEIGHT, WIDTH = 12, 21  # odd, so that rows of 1 bit end within a byte
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH]
ACROSS, DOWN = X * 255 // (WIDTH - 1), Y * 255 // (HEIGHT - 1)
BITMAP, GREY, INDEXED, RGB, CMYK, MULTICHANNEL, DUOTONE, LAB = 0, 1, 2, 3, 4, 7, 8, 9


def packed(row, padding):
    """PackBits: literal runs of at most 100 bytes; -128 does nothing and may pad."""
    runs = b"".join(bytes([len(part) - 1]) + part for part in (row[at : at + 100] for at in range(0, len(row), 100)))
    return runs + b"\x80" * padding


def psd(channels, mode, depth=8, *, layers=None, large=False, rle=False, padding=0, palette=b"", resources=b"", block=b""):
    """A file of channels (whole numbers); `layers` is the signed count of layers, `block` a tagged block behind them."""
    if depth == 1:
        rows = [[np.packbits(row.astype(np.uint8)).tobytes() for row in channel] for channel in channels]
    else:
        rows = [[row.astype(">u2" if depth == 16 else np.uint8).tobytes() for row in channel] for channel in channels]
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1 + large, len(channels), HEIGHT, WIDTH, depth, mode)
    size = ">Q" if large else ">I"
    info = b"" if layers is None else struct.pack(">h", layers) + bytes(2)
    section = struct.pack(size, len(info)) + info + struct.pack(">I", 0) + block if layers is not None or block else b""
    flat = [row for channel in rows for row in channel]
    if rle:
        flat = [packed(row, padding) for row in flat]
    lengths = struct.pack(f">{len(flat)}{'I' if large else 'H'}", *map(len, flat)) if rle else b""
    sections = struct.pack(">I", len(palette)) + palette + struct.pack(">I", len(resources)) + resources
    return header + sections + struct.pack(size, len(section)) + section + struct.pack(">H", rle) + lengths + b"".join(flat)


def resource(number, body):
    return b"8BIM" + struct.pack(">HHI", number, 0, len(body)) + body + bytes(len(body) % 2)


COLOURS = [ACROSS, DOWN, np.full_like(X, 90)]
SHOWN = np.stack(COLOURS, axis=-1)
WAYS = [{}, {"rle": True}, {"rle": True, "padding": 3}, {"large": True}, {"large": True, "rle": True}]


@pytest.mark.parametrize("way", WAYS)
def test_colours_raw_packed_padded_and_large(pixels, way):
    assert (pixels(psd(COLOURS, RGB, **way)) == SHOWN).all()
    assert (pixels(psd([ACROSS], GREY, **way)) == ACROSS[..., None]).all()
    assert (pixels(psd([ACROSS], DUOTONE, **way)) == ACROSS[..., None]).all()


@pytest.mark.parametrize("way", WAYS)
def test_16_bits_are_scaled_and_rounded(pixels, way):
    levels = [X * 65535 // (WIDTH - 1), Y * 65535 // (HEIGHT - 1), np.full_like(X, 129)]
    assert (pixels(psd(levels, RGB, 16, **way)) == np.floor(np.stack(levels, axis=-1) / 257 + 0.5)).all()


def test_in_bitmap_mode_1_is_black(pixels):
    bits = (X + Y) % 3 == 0
    for way in ({}, {"rle": True}):
        assert (pixels(psd([bits], BITMAP, 1, **way)) == np.where(bits, 0, 255)[..., None]).all()


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("layers", [None, 0, 1])
def test_a_saved_selection_is_no_opacity(pixels, depth, layers):
    factor = 1 if depth == 8 else 257
    channels = [channel * factor for channel in [*COLOURS, np.zeros_like(X)]]
    assert (pixels(psd(channels, RGB, depth, layers=layers)) == SHOWN).all()
    assert (pixels(psd([ACROSS * factor, DOWN * factor], GREY, depth, layers=layers)) == ACROSS[..., None]).all()


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("mode", [GREY, RGB, CMYK])
def test_a_negative_count_of_layers_makes_the_next_channel_opacity(pixels, mode, large):
    """Photoshop merged the colours with white, so that white is what a white background gives back."""
    share = DOWN / 255
    colours = {GREY: [ACROSS], RGB: COLOURS, CMYK: [*COLOURS, np.full_like(X, 255)]}[mode]  # of CMYK 255 is no ink
    merged = [np.round(colour * share + 255 * (1 - share)).astype(int) for colour in colours]
    data = psd([*merged, DOWN], mode, layers=-2, large=large)
    white = np.stack(merged[:3] if mode != GREY else merged * 3, axis=-1)
    assert abs(pixels(data) - white).max() <= 2
    full = np.stack(colours[:3] if mode != GREY else colours * 3, axis=-1)
    black = full * share[..., None]
    assert abs(pixels(data, alpha_background="black") - black).max() <= 3


@pytest.mark.parametrize("depth", [8, 16])
def test_colours_that_are_too_dark_for_it_were_not_merged_with_white(pixels, depth):
    factor = 1 if depth == 8 else 257
    data = psd([channel.astype(int) * factor for channel in (*COLOURS, DOWN)], RGB, depth, layers=-1)
    share = DOWN[..., None] / 255
    assert abs(pixels(data, alpha_background="white") - (SHOWN * share + 255 * (1 - share))).max() <= 1


def test_of_16_bits_the_count_is_in_a_tagged_block(pixels):
    share = DOWN / 255
    merged = [np.round((colour * share + 255 * (1 - share)) * 257).astype(int) for colour in COLOURS]
    for count, opaque in ((-1, False), (1, True)):
        block = b"8BIMLr16" + struct.pack(">Ihxx", 4, count)
        got = pixels(psd([*merged, DOWN * 257], RGB, 16, block=block), alpha_background="black")
        expected = np.stack(merged, axis=-1) / 257 if opaque else SHOWN * share[..., None]
        assert abs(got - expected).max() <= 3


def test_an_indexed_picture_has_its_colours_and_its_transparent_one(pixels):
    colours = np.random.default_rng(4).integers(0, 256, (3, 256))
    palette = colours.astype(np.uint8).tobytes()
    places = X * 12
    assert (pixels(psd([places], INDEXED, palette=palette)) == colours.T[places]).all()
    transparent = psd([places], INDEXED, palette=palette, resources=resource(1047, struct.pack(">H", 24)))
    expected = np.where((places == 24)[..., None], (0, 0, 255), colours.T[places])
    assert (pixels(transparent, alpha_background="blue") == expected).all()


def test_cielab(pixels):
    """Lightness 140/255, a and b 0 (128 as stored)."""
    level = np.full_like(X, 140)
    share = (140 / 255 * 100 + 16) / 116
    expected = 255 * (1.055 * share ** (3 / 2.4) - 0.055)
    assert abs(pixels(psd([level, np.full_like(X, 128), np.full_like(X, 128)], LAB)) - expected).max() <= 2


def test_a_profile_is_converted(pixels):
    levels = [np.full_like(X, value) for value in (90, 150, 110)]
    data = psd(levels, RGB, resources=resource(1039, rgb_profile(ADOBE)))
    assert abs(pixels(data) - adobe_in_srgb(np.stack(levels, axis=-1))).max() <= 2


def test_without_a_merged_picture_it_is_unsupported(make_settings):
    for merged, reason in ((0, Reason.UNSUPPORTED), (1, None)):
        data = psd(COLOURS, RGB, resources=resource(1057, struct.pack(">IB", 1, merged) + bytes(8)))
        if reason:
            assert reason_of(data, make_settings()) is reason
        else:
            decode_image(data, make_settings())


def test_what_is_not_read_is_named(make_settings):
    settings = make_settings()
    assert reason_of(psd(COLOURS, MULTICHANNEL), settings) is Reason.UNSUPPORTED
    assert reason_of(psd(COLOURS, RGB)[:22] + struct.pack(">HH", 32, RGB) + bytes(99), settings) is Reason.UNSUPPORTED
    assert reason_of(psd(COLOURS[:2], RGB), settings) is Reason.CORRUPT


@pytest.mark.parametrize("way", WAYS)
def test_a_cut_file_is_rejected_wherever_it_ends(make_settings, way):
    data = psd(COLOURS, RGB, layers=1, **way)
    for end in range(4, len(data) - 1 - way.get("padding", 0), 7):
        assert reason_of(data[:end], make_settings()) in (Reason.TRUNCATED, Reason.CORRUPT), end
