"""Clean JPEGs checked and rotated without libjpeg, in half the time, where the extension could be built.

`_jpeg_scan.c` walks through the Huffman codes of baseline JPEGs of the usual kinds. It only accepts: where it finds no damage
and nothing unusual, its grey picture is libjpeg's at 1/8 scale, to the bit, and what `_jpeg_rotate.c` makes of it is what
libjpeg-turbo's transform writes, to the byte. It declines every other JPEG, which libjpeg then reads, so results are the same
with and without the extension. `python -m tests.tasks.images.test_jpeg_scan` compares both.
"""

import numpy as np

from imagerecords.tasks.images.jpeg import JpegHeader
from imagerecords.tasks.images.metrics import Grey

try:
    from imagerecords.tasks.images import _jpeg as extension
except ImportError:  # installed without a C compiler
    extension = None  # type: ignore[assignment]
SCALE = 8  # the only one at which no coefficient but the first of a block counts


def read_clean(data: bytes, header: JpegHeader, scale: int) -> Grey | None:
    """The grey picture of a JPEG that is surely sound; None where libjpeg has to decide."""
    if extension is None or scale != SCALE or header.is_odd:
        return None
    pixels = extension.grey(data)
    return None if pixels is None else _picture(pixels, header)


def rotate_clean(data: bytes, header: JpegHeader) -> tuple[bytes, Grey] | None:
    """A JPEG that is surely sound made upright, without metadata, and the grey picture of the stored one at 1/8 scale.

    None where libjpeg has to decide.
    """
    if extension is None or header.is_odd:
        return None
    made = extension.rotate(data, header.orientation)
    return None if made is None else (made[0], _picture(made[1], header))


def _picture(pixels: bytes, header: JpegHeader) -> Grey:
    return np.frombuffer(pixels, np.uint8).reshape(-(-header.height // SCALE), -(-header.width // SCALE))
