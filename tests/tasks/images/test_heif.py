"""HEIC as phones write it: a grid of tiles, of which none may be missing."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.tasks.images.isobmff import end_of_pixels
from imagerecords.tasks.images.process import process_image

TILE = 64
GRID = 100  # the number of its item


def box(name, *parts):
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), name) + body


def full(name, *parts, version=0):
    return box(name, bytes([version, 0, 0, 0]), *parts)


def tile(level):
    """The configuration (hvcC) and the coded pixels of a grey tile, as libheif encodes it."""
    pillow_heif = pytest.importorskip("pillow_heif")
    file = io.BytesIO()
    picture = Image.new("RGB", (TILE, TILE), (level, level, level))
    pillow_heif.from_pillow(picture).save(file, quality=90)
    data = file.getvalue()
    start = data.index(b"hvcC") - 4
    (size,) = struct.unpack_from(">I", data, start)
    iloc = data.index(b"iloc")
    offset, _, _, length = struct.unpack_from(">IHII", data, iloc + 16)  # libheif writes a base, and an extent from 0
    return data[start : start + size], data[offset : offset + length]


def grid(levels):
    """A HEIC of tiles side by side: item 1 and so on, and the grid that is the picture."""
    tiles = [tile(level) for level in levels]
    numbers = range(1, len(tiles) + 1)
    names = [full(b"infe", struct.pack(">HH4sx", number, 0, b"hvc1"), version=2) for number in numbers]
    names.append(full(b"infe", struct.pack(">HH4sx", GRID, 0, b"grid"), version=2))
    layout = struct.pack(">BBBBHH", 0, 0, 0, len(tiles) - 1, TILE * len(tiles), TILE)
    shapes = [full(b"ispe", struct.pack(">II", width, TILE)) for width in (TILE, TILE * len(tiles))]
    owned = [struct.pack(">HBBB", number, 2, 0x81, 2) for number in numbers] + [struct.pack(">HBB", GRID, 1, 3)]

    def meta(start):
        places = [struct.pack(">HHHHII", GRID, 1, 0, 1, 0, len(layout))]  # in idat
        for number, (_, pixels) in zip(numbers, tiles, strict=True):
            places.append(struct.pack(">HHHHII", number, 0, 0, 1, start, len(pixels)))
            start += len(pixels)
        return full(
            b"meta",
            full(b"hdlr", struct.pack(">I4s12xx", 0, b"pict")),
            full(b"pitm", struct.pack(">H", GRID)),
            full(b"iinf", struct.pack(">H", len(names)), *names),
            full(b"iref", box(b"dimg", struct.pack(f">HH{len(tiles)}H", GRID, len(tiles), *numbers))),
            box(b"iprp", box(b"ipco", tiles[0][0], *shapes), full(b"ipma", struct.pack(">I", len(owned)), *owned)),
            box(b"idat", layout),
            full(b"iloc", bytes([0x44, 0]), struct.pack(">H", len(places)), *places, version=1),
        )

    head = box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + box(b"mdat", *(pixels for _, pixels in tiles))


def test_a_grid_is_its_tiles_side_by_side(pixels):
    got = pixels(grid([40, 120, 200]))
    assert got.shape == (TILE, 3 * TILE, 3)
    for number, level in enumerate((40, 120, 200)):
        assert abs(got[:, number * TILE : (number + 1) * TILE] - level).max() <= 3


@pytest.mark.parametrize("missing", [1, 5, 20])
def test_a_grid_without_its_last_tiles_is_truncated(make_settings, missing):
    """libheif fills such a tile with green, and reports nothing."""
    data = grid([40, 120, 200])
    assert end_of_pixels(data) == len(data)
    with pytest.raises(Rejected, match=rf"pixels end at byte {len(data):,}, the file at {len(data) - missing:,}") as caught:
        process_image(data[:-missing], make_settings())
    assert caught.value.reason is Reason.TRUNCATED


def test_an_opacity_that_is_cut_is_truncated(make_settings):
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    file = io.BytesIO()
    rng = np.random.default_rng(1)
    Image.fromarray(rng.integers(0, 255, (TILE, TILE, 4), dtype=np.uint8)).save(file, "HEIF")
    data = file.getvalue()
    assert end_of_pixels(data) == len(data)
    with pytest.raises(Rejected) as caught:
        process_image(data[:-3], make_settings())
    assert caught.value.reason is Reason.TRUNCATED
