"""Icons, cursors, BMP, XBM and XPM as browsers and the X Window System show them."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from imagerecords.schemas.receipt import Reason
from tests.tasks.images.reading import reason_of
from tests.tasks.images.test_colour import ADOBE, adobe_in_srgb, rgb_profile

SIDE = 16
Y, X = np.mgrid[0:SIDE, 0:SIDE]
RED = (200, 64, 32)
BITFIELDS, ALPHA_BITFIELDS = 3, 6


def mask_rows(hidden):
    bits = np.packbits(hidden[::-1].astype(np.uint8), axis=-1)
    return np.pad(bits, ((0, 0), (0, -bits.shape[1] % 4))).tobytes()


def dib(bits, body, palette=b"", hidden=None, side=SIDE):
    head = struct.pack("<IiiHHIIiiII", 40, side, 2 * side, 1, bits, 0, 0, 0, 0, len(palette) // 4, 0)
    return head + palette + body + mask_rows(np.zeros((side, side), bool) if hidden is None else hidden)


def icon(*pictures, kind=1, depths=None, side=SIDE, slack=0):
    """An icon's file (kind 1) or a cursor's (2), whose directory has these depths; of a cursor they are the hot spot."""
    head, body = struct.pack("<HHH", 0, kind, len(pictures)), b""
    for picture, depth in zip(pictures, depths or [0] * len(pictures), strict=True):
        offset = 6 + 16 * len(pictures) + len(body)
        head += struct.pack("<BBBBHHII", side, side, 0, 0, 1, depth, len(picture) + slack, offset)
        body += picture
    return head + body


def of_one_colour(bits, alpha=255):
    """The picture in RED of this many bits, and the same where the palette has it."""
    blue_green_red = bytes(RED[::-1])
    if bits == 32:
        return (blue_green_red + bytes([alpha])) * SIDE**2, b""
    if bits == 24:
        return blue_green_red * SIDE**2, b""
    row = {1: b"\xff\xff\0\0", 4: b"\x11" * 8, 8: b"\x01" * 16}[bits]
    return row * SIDE, b"\0\0\0\0" + blue_green_red + b"\0"


HIDDEN = X < 5


@pytest.mark.parametrize("kind", [1, 2], ids=["icon", "cursor"])
@pytest.mark.parametrize("bits", [1, 4, 8, 24])
@pytest.mark.parametrize("directory", [0, 1, 32])
def test_the_mask_hides_whatever_depth_the_directory_names(pixels, kind, bits, directory):
    body, palette = of_one_colour(bits)
    got = pixels(icon(dib(bits, body, palette, HIDDEN), kind=kind, depths=[directory]), alpha_background="blue")
    assert (got == np.where(HIDDEN[..., None], (0, 0, 255), RED)).all()


@pytest.mark.parametrize("kind", [1, 2], ids=["icon", "cursor"])
@pytest.mark.parametrize("directory", [0, 1, 32])
def test_of_32_bits_the_opacities_count_unless_all_are_0(pixels, kind, directory):
    half = b"".join(bytes((*RED[::-1], 0 if x % 2 else 255)) for x in range(SIDE)) * SIDE
    got = pixels(icon(dib(32, half, hidden=HIDDEN), kind=kind, depths=[directory]), alpha_background="blue")
    assert (got == np.where((X % 2 == 1)[..., None], (0, 0, 255), RED)).all()
    body, _ = of_one_colour(32, alpha=0)
    got = pixels(icon(dib(32, body, hidden=HIDDEN), kind=kind, depths=[directory]), alpha_background="blue")
    assert (got == np.where(HIDDEN[..., None], (0, 0, 255), RED)).all()


def test_the_picture_of_most_colours_is_taken(pixels):
    poor = dib(1, bytes(4 * SIDE), b"\0\0\0\0\xff\xff\xff\0")
    rich = dib(32, of_one_colour(32)[0])
    for pictures, depths in (((poor, rich), [1, 32]), ((rich, poor), [32, 1]), ((poor, rich), [0, 0])):
        assert (pixels(icon(*pictures, depths=depths)) == RED).all()


def test_a_png_in_an_icon_is_read_as_pngs_are(pixels):
    file = io.BytesIO()
    Image.fromarray(np.where(HIDDEN[..., None], (9, 9, 9), RED).astype(np.uint8)).save(file, "PNG", transparency=(9, 9, 9))
    got = pixels(icon(file.getvalue(), dib(1, bytes(4 * SIDE), b"\0\0\0\0\xff\xff\xff\0")), alpha_background="blue")
    assert (got == np.where(HIDDEN[..., None], (0, 0, 255), RED)).all()


@pytest.mark.parametrize("mode", ["P", "RGBA", "L"])
def test_a_png_in_an_icon_of_macos_keeps_its_colours(pixels, mode):
    body, file = Image.new("RGB", (32, 32), RED).convert(mode), io.BytesIO()
    body.save(file, "PNG")
    picture = struct.pack(">4sI", b"ic11", 8 + len(file.getvalue())) + file.getvalue()
    got = pixels(struct.pack(">4sI", b"icns", 8 + len(picture)) + picture)
    assert (got == np.asarray(body.convert("RGB"))).all()


def test_a_wrong_size_in_the_directory_moves_no_mask(pixels):
    body, palette = of_one_colour(8)
    data = icon(dib(8, body, palette, HIDDEN), slack=40) + bytes(40)
    assert (pixels(data, alpha_background="blue") == np.where(HIDDEN[..., None], (0, 0, 255), RED)).all()


def test_a_targa_that_begins_as_a_cursor_is_a_targa(pixels):
    file = io.BytesIO()
    Image.new("RGB", (8, 6), RED).save(file, "TGA")
    assert file.getvalue().startswith(b"\0\0\2\0")
    assert (pixels(file.getvalue()) == RED).all()


@pytest.mark.parametrize("alpha", [0, 128])
def test_a_targas_opacities_count_unless_all_are_0(pixels, alpha):
    file = io.BytesIO()
    Image.new("RGBA", (8, 6), (*RED, alpha)).save(file, "TGA")
    expected = np.array(RED) if not alpha else (np.array(RED) * alpha + np.array([0, 0, 255]) * (255 - alpha)) / 255
    assert abs(pixels(file.getvalue(), alpha_background="blue") - expected).max() <= 1


def test_measurements_of_16_bits_have_no_agreed_range(make_settings):
    cards = ["SIMPLE  =                    T", "BITPIX  =                   16", "NAXIS   =                    2"]
    cards += ["NAXIS1  =                    4", "NAXIS2  =                    3", "END"]
    data = "".join(card.ljust(80) for card in cards).ljust(2880).encode() + bytes(2880)
    assert reason_of(data, make_settings()) is Reason.UNSUPPORTED


def test_a_cut_icon_is_rejected(make_settings):
    data = icon(dib(24, of_one_colour(24)[0]))
    for end in (5, 10, 30, 60, 500):
        assert reason_of(data[:end], make_settings()) in (Reason.TRUNCATED, Reason.CORRUPT, Reason.NOT_AN_IMAGE)


def bmp(body, bits, masks=(), *, header=40, compression=0, palette=b"", profile=b""):
    """A BMP; `header` is its size, which says what of masks and profile it can hold."""
    head = struct.pack("<IiiHHIIiiII", header, SIDE, SIDE, 1, bits, compression, len(body), 0, 0, len(palette) // 4, 0)
    inside = struct.pack(f"<{len(masks)}I", *masks)
    head = (head + inside).ljust(max(header, len(head + inside)), b"\0")
    if profile:
        place = len(head) + len(palette) + len(body)
        head = head[:56] + struct.pack("<I", 0x4D424544) + head[60:112] + struct.pack("<II", place, len(profile)) + head[120:]
    start = 14 + len(head) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(body) + len(profile), 0, 0, start) + head + palette + body + profile


def samples(masks, bits, channels):
    """The channels' numbers in their masks' places, from the bottom."""
    value = sum(
        channel.astype(np.uint64) << ((mask & -mask).bit_length() - 1) for mask, channel in zip(masks, channels, strict=True)
    )
    return value[::-1].astype(f"<u{bits // 8}").tobytes()


LAYOUTS = {
    "444": (16, (0xF00, 0xF0, 0xF)),
    "565": (16, (0xF800, 0x7E0, 0x1F)),
    "664": (16, (0xFC00, 0x3F0, 0xF)),
    "bgr": (32, (0xFF, 0xFF00, 0xFF0000)),
    "10 bits": (32, (0x3FF00000, 0xFFC00, 0x3FF)),
    "11 bits": (32, (0xFFE00000, 0x1FFC00, 0x3FF)),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_masks_may_have_any_place_and_width(pixels, name):
    bits, masks = LAYOUTS[name]
    most = [mask // (mask & -mask) for mask in masks]
    channels = [X * most[0] // (SIDE - 1), Y * most[1] // (SIDE - 1), np.full_like(X, most[2] // 3)]
    shown = np.stack([channel * 255 / top for channel, top in zip(channels, most, strict=True)], axis=-1)
    assert abs(pixels(bmp(samples(masks, bits, channels), bits, masks, compression=BITFIELDS)) - shown).max() <= 1


@pytest.mark.parametrize(
    ("bits", "masks"),
    [(16, (0x7C00, 0x3E0, 0x1F, 0x8000)), (16, (0xF00, 0xF0, 0xF, 0xF000)), (32, (0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000))],
)
@pytest.mark.parametrize("header", [40, 56, 108, 124])
def test_a_mask_of_opacity_counts_unless_all_of_it_is_0(pixels, bits, masks, header):
    kind = {"header": header, "compression": ALPHA_BITFIELDS if header == 40 else BITFIELDS}
    most = [mask // (mask & -mask) for mask in masks]
    channels = [X * most[0] // (SIDE - 1), Y * most[1] // (SIDE - 1), np.full_like(X, most[2] // 3), X * most[3] // (SIDE - 1)]
    shown = np.stack([channel * 255 / top for channel, top in zip(channels[:3], most[:3], strict=True)], axis=-1)
    share = (channels[3] / most[3])[..., None]
    expected = shown * share + np.array([0, 0, 255]) * (1 - share)
    data = bmp(samples(masks, bits, channels), bits, masks, **kind)
    assert abs(pixels(data, alpha_background="blue") - expected).max() <= 1
    opaque = bmp(samples(masks, bits, [*channels[:3], channels[3] * 0]), bits, masks, **kind)
    assert abs(pixels(opaque, alpha_background="blue") - shown).max() <= 1


@pytest.mark.parametrize("bits", [8, 24])
def test_a_profile_in_a_bmp_is_converted(pixels, bits):
    colour = (90, 150, 110)
    body, palette = (
        (b"\x01" * SIDE**2, bytes(4) + bytes(colour[::-1]) + b"\0") if bits == 8 else (bytes(colour[::-1]) * SIDE**2, b"")
    )
    data = bmp(body, bits, header=124, palette=palette, profile=rgb_profile(ADOBE))
    assert abs(pixels(data) - adobe_in_srgb(np.array(colour))).max() <= 2
    assert (pixels(data, icc="keep") == colour).all()


def test_a_cut_bmp_of_masks_is_truncated(make_settings):
    data = bmp(bytes(2 * SIDE**2), 16, (0xF00, 0xF0, 0xF), compression=BITFIELDS)
    assert reason_of(data[:-50], make_settings()) is Reason.TRUNCATED


def test_in_an_xbm_1_is_black(pixels):
    """Its first pixel is a byte's lowest bit."""
    data = b"#define t_width 16\n#define t_height 2\nstatic unsigned char t_bits[] = {\n0x01, 0x80,\n0xff, 0x00 };\n"
    got = pixels(data)[..., 0]
    assert got.tolist() == [[0, *[255] * 14, 0], [0] * 8 + [255] * 8]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("#102030", (16, 32, 48)),
        ("#abc", (170, 187, 204)),
        ("#100200300", (16, 32, 48)),
        ("#101020203030", (16, 32, 48)),
        ("red", (255, 0, 0)),
        ("Light Steel Blue", (176, 196, 222)),
        ("green", (0, 255, 0)),  # X11's, not CSS's
        ("gray50", (127, 127, 127)),
        ("None", (0, 0, 255)),
    ],
)
def test_an_xpms_colours_may_be_short_long_and_named(pixels, name, shown):
    lines = ["2 1 2 1", f"# c {name}", ". m white c black s symbol", "#."]
    data = "/* XPM */\nstatic char *t[] = {\n" + ",\n".join(f'"{line}"' for line in lines) + "\n};\n"
    got = pixels(data.encode(), alpha_background="blue")
    assert abs(got[0] - [shown, (0, 0, 0)]).max() <= 1


def test_an_xpms_colour_that_is_not_known_is_unsupported(make_settings):
    data = b'/* XPM */\nstatic char *t[] = {\n"1 1 1 1",\n"a c nosuchcolour",\n"a"\n};\n'
    assert reason_of(data, make_settings()) is Reason.UNSUPPORTED


BLACK, WHITE = (0, 0, 0), (255, 255, 255)
PALETTES = {
    "black and white": [BLACK, WHITE],
    "white and black": [WHITE, BLACK],
    "greys that are their own numbers": [(level,) * 3 for level in range(16)],
    "three": [(9, 8, 7), (0, 200, 1), (30, 20, 250)],
    "more than the pixels can name": [(level % 256, 99, 255 - level % 256) for level in range(300)],
}


def packed(indices, bits):
    """Rows from the bottom, each a multiple of four bytes."""
    if bits == 4:
        indices = indices[:, ::2] << 4 | indices[:, 1::2]
    return indices[::-1].astype(np.uint8).tobytes()


def palette_bytes(colours):
    return b"".join(bytes((*colour[::-1], 0)) for colour in colours)


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("name", PALETTES)
def test_a_palette_may_have_any_length(pixels, name, bits):
    """Pillow takes the pixels of a palette of black and white, as masks have it, for single bits."""
    colours = PALETTES[name]
    indices = np.random.default_rng(3).integers(0, min(len(colours), 1 << bits), (SIDE, SIDE))
    head = struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, bits, 0, 0, 0, 0, len(colours), 0)
    body = head + palette_bytes(colours) + packed(indices, bits)
    start = 14 + len(head) + 4 * len(colours)
    expected = np.array(colours)[indices]
    assert (pixels(b"BM" + struct.pack("<IHHI", 14 + len(body), 0, 0, start) + body) == expected).all()
    if len(colours) <= 1 << bits:
        assert (pixels(icon(dib(bits, packed(indices, bits), palette_bytes(colours)))) == expected).all()


@pytest.mark.parametrize("announced", [0, 16])
def test_pixels_may_start_before_the_palettes_announced_end(pixels, announced):
    colours = PALETTES["three"]
    indices = np.random.default_rng(4).integers(0, 3, (SIDE, SIDE))
    head = struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 4, 0, 0, 0, 0, announced, 0)
    body = head + palette_bytes(colours) + packed(indices, 4)
    data = b"BM" + struct.pack("<IHHI", 14 + len(body), 0, 0, 14 + len(head) + 12) + body
    assert (pixels(data) == np.array(colours)[indices]).all()
    # Colours beyond are the pixels' own bytes, as for Chromium, OpenCV and ImageMagick.
    beyond = np.full_like(indices, 3)
    body = head + palette_bytes(colours) + packed(beyond, 4)
    assert (pixels(data[:14] + body) == (0x33, 0x33, 0x33)).all()


def test_an_icon_without_a_picture_is_corrupt(make_settings):
    assert reason_of(b"\0\0\1\0\0\0" + bytes(40), make_settings()) is Reason.CORRUPT
