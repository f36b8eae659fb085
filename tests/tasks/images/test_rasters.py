"""Sun raster, SGI, PCX and DCX files as ImageMagick, FFmpeg and netpbm write them, against the pixels that are meant."""

import struct

import numpy as np
import pytest

from imagerecords.schemas.receipt import Reason
from imagerecords.tasks.images import rasters
from tests.tasks.images.reading import reason_of

HEIGHT, WIDTH = 5, 7
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH]
PICTURE = np.stack([X * 40, Y * 60, 200 + X - Y], axis=-1).astype(np.uint8)
COLOURS = np.array([[10, 200, 30], [128, 0, 250], [0, 90, 128]], np.uint8)
INDEXES = ((X + Y) % 3).astype(np.uint8)


def sun(rows, depth, kind, colours=b""):
    """A Sun raster of rows of bytes, which are padded to 16 bits, and compressed for type 2."""
    body = b"".join(row.tobytes() + bytes(row.size % 2) for row in rows)
    if kind == 2:
        body = body.replace(b"\x80", b"\x80\0")
    head = struct.pack(">8I", 0x59A66A95, WIDTH, HEIGHT, depth, len(body), kind, bool(colours), len(colours))
    return head + colours + body


@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize("depth", [24, 32])
def test_a_sun_raster_of_colours(pixels, kind, depth):
    shown = PICTURE if kind == 3 else PICTURE[..., ::-1]
    stored = shown if depth == 24 else np.dstack([np.full((HEIGHT, WIDTH), 99, np.uint8), shown])
    assert (pixels(sun(stored.reshape(HEIGHT, -1), depth, kind)) == PICTURE).all()


@pytest.mark.parametrize("kind", [1, 2])
def test_a_sun_raster_of_few_colours(pixels, kind):
    assert (pixels(sun(INDEXES, 8, kind, COLOURS.T.tobytes())) == COLOURS[INDEXES]).all()


def test_a_sun_raster_of_grey_and_of_single_bits(pixels):
    assert (pixels(sun(PICTURE[..., 0], 8, 1)) == PICTURE[..., :1]).all()
    assert (pixels(sun(np.packbits(INDEXES > 0, axis=1), 1, 1)) == np.where(INDEXES > 0, 0, 255)[..., None]).all()


def test_runs_of_a_sun_raster(pixels):
    body = b"\x80\x05\x80" + b"\x80\0" + b"\x07" + b"\x80" + bytes([8 * (HEIGHT - 1) - 1]) + b"\x09"
    data = struct.pack(">8I", 0x59A66A95, WIDTH, HEIGHT, 8, len(body), 2, 0, 0) + body
    assert (pixels(data)[0] == 0x80).all()
    assert (pixels(data)[1:] == 9).all()


def test_a_sun_raster_that_is_cut_or_of_another_kind_is_rejected(make_settings):
    data = sun(PICTURE.reshape(HEIGHT, -1), 24, 1)
    for end in (20, 40, len(data) - 3):
        assert reason_of(data[:end], make_settings()) is Reason.TRUNCATED
    assert reason_of(data[:20] + struct.pack(">I", 65535) + data[24:], make_settings()) is Reason.UNSUPPORTED
    assert reason_of(data[:24] + struct.pack(">II", 1, 0x30000) + data[32:], make_settings()) is Reason.UNSUPPORTED


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("end", [True, False])
def test_rows_of_an_sgi_may_end_with_their_last_pixel(pixels, depth, end):
    samples = PICTURE.astype(f">u{depth}") * (257 if depth == 2 else 1)
    count = np.array([0x80 | WIDTH], f">u{depth}").tobytes()
    rows = [count + row.tobytes() + bytes(depth * end) for channel in samples.transpose(2, 0, 1)[:, ::-1] for row in channel]
    starts = np.cumsum([512 + 8 * len(rows), *map(len, rows)])[:-1]
    head = struct.pack(">HBBHHHHII", 474, 1, depth, 3, WIDTH, HEIGHT, 3, 0, 255).ljust(512, b"\0")
    data = head + starts.astype(">u4").tobytes() + np.array([*map(len, rows)], ">u4").tobytes() + b"".join(rows)
    assert (pixels(data) == PICTURE).all()


def test_rows_of_an_sgi_that_share_their_bytes_take_no_memory_of_their_own():
    rows, body = 1000, bytes(50_000)
    start = 512 + 8 * rows
    table = np.concatenate([np.full(rows, start), np.full(rows, len(body))]).astype(">u4").tobytes()
    data = struct.pack(">HBBHHHH", 0x01DA, 1, 1, 2, 50_000, rows, 1).ljust(512, b"\0") + table + body
    assert rasters._with_ends(data) is data


def test_grey_of_an_sgi_may_have_three_dimensions(pixels):
    head = struct.pack(">HBBHHHHII", 474, 0, 1, 3, WIDTH, HEIGHT, 1, 0, 255).ljust(512, b"\0")
    assert (pixels(head + PICTURE[::-1, :, 0].tobytes()) == PICTURE[..., :1]).all()


def pcx(picture, *, compressed):
    """A PCX of so many planes of 8 bits as the picture has channels, its rows of an even length."""
    planes = picture.shape[2]
    rows = np.zeros((HEIGHT, planes, WIDTH + 1), np.uint8)
    rows[..., :WIDTH] = picture.transpose(0, 2, 1)
    body = rows.tobytes()
    if compressed:
        body = b"".join(bytes([0xC1, byte]) if byte >= 0xC0 else bytes([byte]) for byte in body)
    head = struct.pack("<BBBB4H", 10, 5, compressed, 8, 0, 0, WIDTH - 1, HEIGHT - 1)
    return (head.ljust(65, b"\0") + struct.pack("<BHH", planes, WIDTH + 1, 1)).ljust(128, b"\0") + body


@pytest.mark.parametrize("compressed", [True, False])
def test_a_pcx_may_be_uncompressed_and_its_fourth_plane_is_opacity(pixels, compressed):
    assert (pixels(pcx(PICTURE, compressed=compressed)) == PICTURE).all()
    opacity = np.where(X % 2, 255, 0).astype(np.uint8)
    with_opacity = pcx(np.dstack([PICTURE, opacity]), compressed=compressed)
    expected = np.where(opacity[..., None] > 0, PICTURE, (0, 0, 255))
    assert (pixels(with_opacity, alpha_background="blue") == expected).all()
    list_of_two = struct.pack("<4I", 0x3ADE68B1, 16, 16 + len(with_opacity), 0) + with_opacity + pcx(PICTURE, compressed=True)
    assert (pixels(list_of_two, alpha_background="blue") == expected).all()


def test_a_cut_pcx_is_truncated(make_settings):
    for picture in (PICTURE, np.dstack([PICTURE, PICTURE[..., 0]])):
        assert reason_of(pcx(picture, compressed=False)[:-3], make_settings()) is Reason.TRUNCATED


def test_a_pcx_of_an_unknown_mode_is_unsupported(make_settings):
    data = pcx(PICTURE, compressed=True)
    assert reason_of(data[:3] + b"\2" + data[4:], make_settings()) is Reason.UNSUPPORTED


def test_a_run_of_a_targa_may_go_on_in_the_next_row(pixels, make_settings):
    red, blue = bytes((10, 20, 200)), bytes((210, 30, 40))
    head = struct.pack("<BBBHHBHHHHBB", 0, 0, 10, 0, 0, 0, 0, 0, WIDTH, HEIGHT, 24, 0x20)
    more = WIDTH * HEIGHT - 10
    data = head + bytes([0x80 | 8]) + red + b"\0" + blue + bytes([0x80 | (more - 1)]) + red
    expected = np.full((HEIGHT * WIDTH, 3), (200, 20, 10))
    expected[9] = 40, 30, 210
    assert (pixels(data) == expected.reshape(HEIGHT, WIDTH, 3)).all()
    assert reason_of(data[:-5], make_settings()) is Reason.TRUNCATED
