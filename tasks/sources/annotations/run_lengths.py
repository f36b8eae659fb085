"""COCO's masks as run lengths: pixels column by column, background first, as a list of counts or as the text of its C code."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from imagerecords.tasks.sources.annotations.geometry import Corners

FIRST, LAST = "0", "o"  # the characters of the text: six bits from 48
MORE, SIGN, BITS = 0x20, 0x10, 5
LARGEST_COUNT = 1 << 40


class Mask(NamedTuple):
    """What of a mask is needed: the width and height of its image, and the upright box around its pixels."""

    size: tuple[int, int]
    corners: Corners


def is_mask(outline: Any) -> bool:
    """Whether a segmentation is run lengths."""
    return isinstance(outline, Mask) or (isinstance(outline, dict) and "counts" in outline)


def mask_of(outline: Mapping[str, Any] | Mask) -> Mask:
    """The mask of run lengths; raises ValueError where they are not as COCO has them, or no pixel is the object's."""
    if isinstance(outline, Mask):
        return outline
    size, counts = outline.get("size"), outline["counts"]
    if not (isinstance(size, list) and len(size) == 2 and all(type(side) is int and 0 < side < 1 << 20 for side in size)):
        raise ValueError(f"a mask must have a size of height and width, got {str(size)[:60]}")
    runs = _parsed(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(type(run) is int and 0 <= run < LARGEST_COUNT for run in runs):
        raise ValueError(f"a mask must have counts of pixels, got {str(counts)[:60]}")
    height, width = size
    if sum(runs) != height * width:
        raise ValueError(f"a mask's counts must be its size together, {height * width:,} pixels, got {sum(runs):,}")
    ends = np.cumsum(np.array(runs, np.int64))
    starts, ends = ends[:-1:2], ends[1::2]
    starts, lasts = starts[ends > starts], ends[ends > starts] - 1
    if not len(starts):
        raise ValueError("a mask must have a pixel of its object, got none")
    left, right = starts // height, lasts // height
    across = bool((left < right).any())  # such a run has the last pixel of one column and the first of the next
    top, bottom = (0, height - 1) if across else (int((starts % height).min()), int((lasts % height).max()))
    return Mask((width, height), (float(left.min()), float(top), float(right.max() + 1), float(bottom + 1)))


def _parsed(text: str) -> list[int]:
    """The counts of COCO's text: numbers of 5 bits a character, from the third on as differences to the one before the last."""
    runs: list[int] = []
    number = shift = 0
    for letter in text:
        if not FIRST <= letter <= LAST:
            raise ValueError(f"a mask's text must be COCO's run lengths, got {letter!r} in {text[:40]!r}")
        bits = ord(letter) - ord(FIRST)
        number |= (bits & (MORE - 1)) << shift
        shift += BITS
        if bits & MORE:
            if shift > 60:
                raise ValueError(f"a mask's text must be COCO's run lengths, got {text[:40]!r}")
            continue
        if bits & SIGN:
            number -= 1 << shift
        runs.append(number + runs[-2] if len(runs) > 2 else number)
        number = shift = 0
    if shift:
        raise ValueError(f"a mask's text must be COCO's run lengths, got one that is cut short: {text[-40:]!r}")
    return runs
