"""Whether a file's boxes are relative or in pixels: decided for the whole file by its values, never box by box.

A decision that binds users' data: no relative box goes beyond 2, and hardly a box in pixels stays below it. A file whose format
is relative is in pixels when most of its boxes go beyond 2; one whose format is in pixels is relative when no value is above 1
and some are fractions. What contradicts the file's own unit is reported with its place, not guessed at.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from imagerecords.schemas.boxes import FoundBoxes
from imagerecords.schemas.messages import plural

MOST_RELATIVE = 2.0  # what is farther out than a whole image is no box of it


def with_units(found: FoundBoxes, *, pixels: bool) -> FoundBoxes:
    """The boxes with `in_pixels`, relative where the file states a size; `pixels` is what the format asks for."""
    return _settled(found, pixels=pixels)[0]


def with_units_and_rows(found: FoundBoxes, rows: np.ndarray) -> tuple[FoundBoxes, np.ndarray]:
    """The same for boxes of a relative format whose images' rows are known already."""
    settled, kept = _settled(found, pixels=False)
    return settled, rows[kept]


def _settled(found: FoundBoxes, *, pixels: bool) -> tuple[FoundBoxes, np.ndarray]:
    """The boxes that agree with their file's unit, and which those are."""
    corners = found.corners
    finite = np.isfinite(corners).all(axis=1)
    beyond = finite & (np.abs(corners) > MOST_RELATIVE).any(axis=1)
    whole = finite & (corners == np.round(corners)).all(axis=1)
    if pixels:
        in_pixels = np.full(len(found), not _are_fractions(corners[finite]))
        wrong = np.zeros(len(found), bool)
        why = ""
    elif beyond.sum() * 2 > (finite & ~(whole & ~beyond)).sum():
        wrong = finite & ~beyond & ~whole
        in_pixels = np.ones(len(found), bool)
        why = "a box must be in pixels as most boxes of its file"
    else:
        in_pixels = beyond & whole & (corners >= 0).all(axis=1)
        wrong = beyond & ~in_pixels
        why = "a box must be relative as most boxes of its file"
    found = replace(found, in_pixels=in_pixels, note=_note(in_pixels & ~wrong, ~in_pixels & ~wrong & finite, pixels=pixels))
    return _without(_divided(found), wrong, why), ~wrong


def _note(in_pixels: np.ndarray, relative: np.ndarray, *, pixels: bool) -> str:
    """What to report where boxes are in another unit than the format's."""
    other = relative if pixels else in_pixels
    if not other.any():
        return ""
    which = (
        "boxes are"
        if other.sum() == (in_pixels | relative).sum()
        else f"{plural(int(other.sum()), 'box', 'boxes')} taken to be"
    )
    return f"{which} relative to the image's size, by their values" if pixels else f"{which} in pixels, by their values"


def _are_fractions(corners: np.ndarray) -> bool:
    """Whether values that should be pixels are relative ones."""
    inside = bool(len(corners)) and bool((corners >= 0).all()) and bool((corners <= 1).all())
    return inside and bool((corners != np.round(corners)).any())


def _divided(found: FoundBoxes) -> FoundBoxes:
    """Pixels divided by the size that the file states; the others stay in pixels."""
    sized = found.in_pixels & (found.sizes > 0).all(axis=1)
    corners = found.corners.copy()
    corners[sized] = corners[sized] / np.tile(found.sizes[sized], 2)
    areas = np.divide(found.areas, found.sizes.prod(axis=1), out=found.areas.copy(), where=sized)
    return replace(found, corners=corners, areas=areas, in_pixels=found.in_pixels & ~sized)


def _without(found: FoundBoxes, wrong: np.ndarray, why: str) -> FoundBoxes:
    if not wrong.any():
        return found
    rows = np.flatnonzero(wrong)
    places = found.places.take(pa.array(rows)).to_pylist()
    lines = [f"{why}, got {_numbers(found.corners[row])}: {place}" for row, place in zip(rows, places, strict=True)]
    return replace(chosen(found, ~wrong), malformed=(*found.malformed, *lines))


def chosen(found: FoundBoxes, mask: np.ndarray) -> FoundBoxes:
    """Some of the boxes."""
    keep = pa.array(mask)
    return replace(
        found,
        images=found.images.filter(keep),
        places=found.places.filter(keep),
        corners=found.corners[mask],
        names=found.names.filter(keep),
        sizes=found.sizes[mask],
        in_pixels=found.in_pixels[mask],
        left_out=found.left_out[mask],
        crowd=found.crowd[mask],
        difficult=found.difficult[mask],
        areas=found.areas[mask],
    )


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
