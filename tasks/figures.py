"""Figures that tell a picture's look: brightness, contrast, sharpness and a perceptual hash.

A decision that binds users' data: they are measured on a grid of grey means, the picture reduced until its shorter side
has 32 to 63 pixels, so that they compare across sizes. It comes from the 1/8-scale decode that checking makes anyway. All
sums are of whole numbers that a float64 holds exactly, so that every machine gets the same.
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
    height, width = grey.shape
    # By bytes: Image.fromarray and np.asarray would take as long as all the arithmetic.
    picture = Image.frombuffer("L", (width, height), grey.tobytes(), "raw", "L", 0, 1)
    factor = min(height, width) // SHORTER_SIDE
    if factor > 1:
        picture = picture.reduce(factor)
        grey = _levels(picture)
    grid = grey.astype(np.float64)
    mean, variance = _moments(grid)
    sharpness = None if min(grid.shape) < 3 else _moments(_laplacian(grid))[1] / WHITE**2
    return Figures(mean / WHITE, math.sqrt(variance) / WHITE, sharpness, _difference_hash(picture))


def measure_colours(rgb: Image.Image) -> Figures:
    """The figures of an RGB picture."""
    scale = reduction(rgb.height, rgb.width)
    return measure(_levels((rgb.reduce(scale) if scale > 1 else rgb).convert("L")))


def _levels(picture: Image.Image) -> Grey:
    """The pixels of a grey picture."""
    return np.frombuffer(picture.tobytes(), np.uint8).reshape(picture.height, picture.width)


def _laplacian(grid: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Four times each inner pixel less its four neighbours."""
    inner = grid[1:-1, 1:-1] * 4
    inner -= grid[:-2, 1:-1]
    inner -= grid[2:, 1:-1]
    inner -= grid[1:-1, :-2]
    inner -= grid[1:-1, 2:]
    return inner


def _moments(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Mean and variance of whole numbers; exact, whatever the order of summation, up to the last division."""
    flat = values.ravel()
    total, squares = int(flat.sum()), int(flat @ flat)
    return total / flat.size, (flat.size * squares - total * total) / flat.size**2


def _difference_hash(picture: Image.Image) -> int:
    """64 bits, rows from the top, each bit 1 where a ninth of the width is brighter than the one to its left."""
    cells = _levels(picture.resize((9, 8), Image.Resampling.BOX))
    return int.from_bytes(np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes(), "big")
