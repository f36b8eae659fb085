"""Figures of a picture: brightness, contrast, sharpness and a perceptual hash.

A decision that binds users' data: they are measured on a grid of grey means, the picture reduced until its shorter side
has 32 to 63 pixels, so that they compare across sizes. It comes from the 1/8-scale decode that checking makes anyway. All
sums and products are whole numbers that a float64 holds exactly, so that every machine gets the same.
"""

import functools
import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

Grey = npt.NDArray[np.uint8]
Grid = npt.NDArray[np.float64]
SHORTER_SIDE = 32  # pixels of a grid at least, where the picture has as many
SCALES = (8, 4, 2)
WHITE = 255
ROWS, COLUMNS = 8, 9  # of the difference hash


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
    factor = min(grey.shape) // SHORTER_SIDE
    if factor > 1:
        grey = np.asarray(Image.fromarray(grey).reduce(factor))
    grid = grey.astype(np.float64)
    cells = _cells(grid)
    total = int(cells.sum()) // (ROWS * COLUMNS)  # cheaper than summing the grid
    contrast = math.sqrt(_variance(grid, total)) / WHITE
    sharpness = None
    if min(grid.shape) >= 3:
        laplacian = _laplacian(grid)
        sharpness = _variance(laplacian, int(laplacian.sum())) / WHITE**2
    return Figures(total / grid.size / WHITE, contrast, sharpness, _difference_hash(cells))


def measure_colours(rgb: Image.Image) -> Figures:
    """The figures of an RGB picture."""
    scale = reduction(rgb.height, rgb.width)
    return measure(np.asarray((rgb.reduce(scale) if scale > 1 else rgb).convert("L")))


def _laplacian(grid: Grid) -> Grid:
    """Four times each inner pixel less its four neighbours."""
    inner = grid[1:-1, 1:-1] * 4
    inner -= grid[:-2, 1:-1]
    inner -= grid[2:, 1:-1]
    inner -= grid[1:-1, :-2]
    inner -= grid[1:-1, 2:]
    return inner


def _variance(values: Grid, total: int) -> float:
    """The variance of whole numbers, whose sum is known; exact, whatever the order of summation, up to the last division."""
    flat = values.reshape(-1)
    return (flat.size * int(flat @ flat) - total * total) / flat.size**2


def _difference_hash(cells: Grid) -> int:
    """64 bits, rows from the top, each bit 1 where a cell is brighter than the one to its left."""
    return int.from_bytes(np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes(), "big")


def _cells(grid: Grid) -> Grid:
    """The sums of 8 rows of 9 cells, in which each pixel counts as 72."""
    height, width = grid.shape
    return _shares(height, ROWS) @ grid @ _shares(width, COLUMNS).T


@functools.lru_cache(1024)
def _shares(pixels: int, cells: int) -> Grid:
    """How much of each pixel lies in each cell of a side, in whole parts: a pixel has `cells` of them, a cell `pixels`."""
    edges = np.arange(pixels + 1) * cells
    starts = np.arange(cells)[:, None] * pixels
    overlap = np.minimum(edges[1:], starts + pixels) - np.maximum(edges[:-1], starts)
    shares: Grid = np.maximum(overlap, 0).astype(np.float64)
    return shares
