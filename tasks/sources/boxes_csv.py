"""Boxes of a CSV file as build_imagenet_data.py reads it: no header, `file,xmin,ymin,xmax,ymax`, relative, a row a box."""

from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.boxes import CORNERS, FoundBoxes
from imagerecords.tasks.sources.csv_lines import read_csv_lines

NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


def read_csv_boxes(file: BinaryIO, name: str) -> FoundBoxes:
    """The boxes of a CSV file, and its other rows by line. Raises ValueError when it is empty or not UTF-8."""
    found = read_csv_lines(file, ("image", *CORNERS))
    columns = {corner: _numbers(found.rows[corner]) for corner in CORNERS}
    images = pc.utf8_trim_whitespace(found.rows["image"])
    sound = pc.not_equal(images, "").to_numpy()
    for numbers in columns.values():
        sound = sound & ~np.isnan(numbers)
    bad = dict(found.bad) | {
        int(line): f"a box must have an image and four numbers, got {', '.join(row.values())!r}"
        for line, row in zip(found.lines[~sound], found.rows.filter(pa.array(~sound)).to_pylist(), strict=True)
    }
    lines = pa.array(found.lines[sound]).cast(pa.string())
    return FoundBoxes(
        images=images.combine_chunks().filter(pa.array(sound)),
        places=pc.binary_join_element_wise(f"{name}, line", lines, " "),
        corners=np.stack([numbers[sound] for numbers in columns.values()], axis=1),
        names=pa.nulls(int(sound.sum()), pa.string()),
        malformed=tuple(f"{problem}: {name}, line {line}" for line, problem in sorted(bad.items())),
    )


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    """Text as float64; NaN where it is no decimal number."""
    text = pc.utf8_trim_whitespace(column)
    decimal = pc.match_substring_regex(text, NUMBER)
    numbers: np.ndarray = pc.cast(pc.if_else(decimal, text, "nan"), pa.float64()).to_numpy()
    return numbers
