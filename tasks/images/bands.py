"""Pixels computed in bands of rows, so that what stands between input and result stays small, however large the picture is."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

PIXELS = 1 << 20  # of a band

Array = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]


def in_bands(compute: Callable[..., Bytes], *arrays: Array) -> Bytes:
    """What `compute` returns for arrays of equally many rows. Each pixel of its result must depend on the same pixel alone."""
    height, width = arrays[0].shape[:2]
    rows = _rows(width)
    if height <= rows:
        return compute(*arrays)
    first = compute(*(array[:rows] for array in arrays))
    made = np.empty((height, *first.shape[1:]), np.uint8)
    made[:rows] = first
    for top in range(rows, height, rows):
        made[top : top + rows] = compute(*(array[top : top + rows] for array in arrays))
    return made


def put_on_background(rgb: Image.Image, opacity: Image.Image, colour: tuple[int, ...]) -> None:
    """Put an RGB image on a background of one colour, in place."""
    width, height = rgb.size
    rows = _rows(width)
    for top in range(0, height, rows):
        box = (0, top, width, min(height, top + rows))
        band = rgb.crop(box)
        rgb.paste(Image.composite(band, Image.new("RGB", band.size, colour), opacity.crop(box)), box)


def _rows(width: int) -> int:
    return max(1, PIXELS // max(1, width))
