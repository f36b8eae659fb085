"""Figures that tell a picture's look: brightness, contrast, sharpness and a perceptual hash.

A decision that binds users' data: they are measured on a grid of grey means, the picture reduced until its shorter side
has 32 to 63 pixels, so that they compare across sizes. It comes from the 1/8-scale decode that checking makes anyway. All is
integer arithmetic up to one last division, so that every machine gets the same.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

Grey = npt.NDArray[np.uint8]
SHORTER_SIDE = 32  # pixels of a grid at least, where the picture has as many
SCALES = (8, 4, 2)
WHITE = 255


class Figures(NamedTuple):
    """Of grey from 0 (black) to 1 (white): mean, standard deviation, variance of the Laplacian; and a 64-bit difference hash.

    `sharpness` is None for a picture of fewer than three pixels a side.
    """

    brightness: float
    contrast: float
    sharpness: float | None
    dhash: int


def reduction(height: int, width: int) -> int:
    """By how much a picture is reduced when it is decoded for its figures: 8, 4, 2 or 1."""
    return next((scale for scale in SCALES if min(height, width) >= scale * SHORTER_SIDE), 1)


def measure(grey: Grey) -> Figures:
    """The figures of a grey picture, reduced already or not."""
    picture = Image.fromarray(grey)
    factor = min(grey.shape) // SHORTER_SIDE
    if factor > 1:
        picture = picture.reduce(factor)
    grid = np.asarray(picture).astype(np.int32)
    sharpness = None if min(grid.shape) < 3 else _deviation(_laplacian(grid)) ** 2
    return Figures(int(grid.sum()) / grid.size / WHITE, _deviation(grid), sharpness, _difference_hash(picture))


def measure_colours(rgb: Image.Image) -> Figures:
    """The figures of an RGB picture."""
    scale = reduction(rgb.height, rgb.width)
    return measure(np.asarray((rgb.reduce(scale) if scale > 1 else rgb).convert("L")))


def _laplacian(grid: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Four times each inner pixel less its four neighbours."""
    inner = grid[1:-1, 1:-1] * 4
    inner -= grid[:-2, 1:-1]
    inner -= grid[2:, 1:-1]
    inner -= grid[1:-1, :-2]
    inner -= grid[1:-1, 2:]
    return inner


def _deviation(values: npt.NDArray[np.int32]) -> float:
    """The standard deviation of grey levels, in units of white."""
    flat = values.ravel().astype(np.int64)
    total = int(flat.sum())
    return math.sqrt(flat.size * int(flat @ flat) - total * total) / flat.size / WHITE


def _difference_hash(picture: Image.Image) -> int:
    """64 bits, rows from the top, each bit 1 where a ninth of the width is brighter than the one to its left."""
    cells = np.asarray(picture.resize((9, 8), Image.Resampling.BOX))
    return int.from_bytes(np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes(), "big")
