"""Boxes of a CSV file, a row per box: build_imagenet_data.py's, keras-retinanet's, or with a header as TensorFlow's tutorials.

Without a header the columns are `file,xmin,ymin,xmax,ymax`, relative (build_imagenet_data.py), or `file,x1,y1,x2,y2,class` in
pixels (keras-retinanet, where a row with the file alone is an image without boxes), or Google AutoML's, which begin with a set.
With a header they are found by name. Annotations have another reader of such tables (annotations/tables.py), which gives images
by rows, those without boxes too; this one works on whole columns, in a quarter of the time, for Open Images' 14 million boxes.
"""

from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.boxes import CORNERS, FoundBoxes
from imagerecords.schemas.messages import some
from imagerecords.tasks.sources.box_units import with_units
from imagerecords.tasks.sources.csv_lines import CsvLines, first_row, read_csv_lines

COLUMNS_NAMED = 20  # of a file without those that are needed
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
# What tools call the columns, in small letters without spaces, dashes and underscores.
NAMES = {
    "image": (
        *("filename", "file", "image", "path", "imagepath", "imageid", "imagename", "filepath", "imagefile", "img", "name"),
        *("imgpath", "fname", "idcode", "id"),
    ),
    "xmin": ("xmin", "x1", "left", "bboxxmin", "xtl", "roi.x1"),
    "ymin": ("ymin", "y1", "top", "bboxymin", "ytl", "roi.y1"),
    "xmax": ("xmax", "x2", "right", "bboxxmax", "xbr", "roi.x2"),
    "ymax": ("ymax", "y2", "bottom", "bboxymax", "ybr", "roi.y2"),
    "class": (
        *("classname", "labelname", "categoryname", "class", "label", "category", "name", "labels", "target"),
        *("classid", "categoryid", "labelid"),
    ),
    "width": ("width", "imagewidth", "imgwidth", "w"),
    "height": ("height", "imageheight", "imgheight", "h"),
    "crowd": ("isgroupof", "iscrowd"),
}
CLASSIC = ("image", *CORNERS)
RETINANET = (*CLASSIC, "class")
AUTOML = ("set", "image", "class", "xmin", "ymin", "x2nd", "y2nd", "xmax", "ymax", "x4th", "y4th")
AUTOML_SETS = ("TRAIN", "VALIDATE", "VALIDATION", "TEST", "UNASSIGNED")
SUFFIX = r"\.[A-Za-z]+[A-Za-z0-9]?$"


def read_csv_boxes(file: BinaryIO, name: str) -> FoundBoxes:
    """The boxes of a CSV file, and its other rows by line. Raises ValueError when it is empty or not UTF-8, or has no boxes."""
    head = first_row(file)
    if _is_header(head):
        found, columns = read_csv_lines(file), _columns(head)
        if missing := [column for column in CLASSIC if column not in columns]:
            raise ValueError(f"no column for {', '.join(missing)} among {some(head, COLUMNS_NAMED)}")
        form = f"CSV with the columns {', '.join(columns.values())}"
        has_pixels = {"width", "height"} <= columns.keys()
    else:
        names = AUTOML if head[:1] and head[0] in AUTOML_SETS else RETINANET if len(head) == len(RETINANET) else CLASSIC
        found, columns = read_csv_lines(file, names), {name: name for name in names if name in NAMES}
        form, has_pixels = f"CSV without a header, {','.join(names)}", names == RETINANET
    return _boxes(found, columns, name, form, pixels=has_pixels)


def _is_header(head: list[str]) -> bool:
    """Whether a first line names columns, known ones or not: a text in each, and no number."""
    known = sum(_plain(value) in NAMES[corner] for value in head for corner in CORNERS)
    is_full = len(head) >= len(CLASSIC) and all(head)
    return (known >= 2 or is_full) and not any(pc.match_substring_regex(pa.array(head), NUMBER).to_pylist())


def _columns(head: list[str]) -> dict[str, str]:
    """The file's name of each column that is read; a column is taken once."""
    columns: dict[str, str] = {}
    for wanted, names in NAMES.items():
        by_name = {_plain(column): column for column in reversed(head) if column not in columns.values()}
        if name := next((name for name in names if name in by_name), None):
            columns[wanted] = by_name[name]
    return columns


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter not in " -_")


def _boxes(found: CsvLines, columns: dict[str, str], name: str, form: str, *, pixels: bool) -> FoundBoxes:
    images = found.rows[columns["image"]].combine_chunks()
    corners = np.stack([_numbers(found.rows[columns[corner]]) for corner in CORNERS], axis=1).reshape(-1, 4)
    texts = [found.rows[columns[corner]] for corner in CORNERS]
    without = np.logical_and.reduce([pc.equal(text, "").to_numpy() for text in texts]) & ("class" in columns)
    sound = pc.not_equal(images, "").to_numpy(zero_copy_only=False) & ~np.isnan(corners).any(axis=1)
    wrong = ~sound & ~without
    bad = dict(found.bad) | {
        int(line): f"a box must have an image and four numbers, got {', '.join(row.values())!r}"
        for line, row in zip(found.lines[wrong], found.rows.filter(pa.array(wrong)).to_pylist(), strict=True)
    }
    keep = pa.array(sound)
    rows = found.rows.filter(keep)
    nothing = pa.nulls(rows.num_rows, pa.string())
    names = rows[columns["class"]].combine_chunks() if "class" in columns else nothing
    sides = [_numbers(rows[columns[side]]) if side in columns else np.zeros(rows.num_rows) for side in ("width", "height")]
    crowd = pc.is_in(rows[columns["crowd"]], pa.array(["1", "true", "True"])) if "crowd" in columns else None
    images = images.filter(keep)
    lines = pa.array(found.lines[sound]).cast(pa.string())
    boxes = FoundBoxes(
        images=images,
        places=pc.binary_join_element_wise(f"{name}, line", lines, " "),
        corners=corners[sound],
        names=pc.if_else(pc.equal(names, ""), None, names),
        malformed=tuple(f"{problem}: {name}, line {line}" for line, problem in sorted(bad.items())),
        by_stem=len(images) > 0 and not pc.any(pc.match_substring_regex(images, SUFFIX)).as_py(),
        sizes=_image_sizes(np.nan_to_num(np.stack(sides, axis=1)).reshape(-1, 2), corners[sound]),
        crowd=np.zeros(rows.num_rows, bool) if crowd is None else crowd.to_numpy(),
        form=form,
    )
    return with_units(boxes, pixels=pixels)


def _image_sizes(sizes: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The sizes that rows state of their images, 0 where they are those of the boxes themselves."""
    of_boxes = bool((np.abs(corners[:, 2:] - corners[:, :2] - sizes) <= 1).all())
    return np.zeros_like(sizes) if of_boxes else sizes


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    """Text as float64; NaN where it is no decimal number."""
    decimal = pc.match_substring_regex(column, NUMBER)
    numbers: np.ndarray = pc.cast(pc.if_else(decimal, column, "nan"), pa.float64()).to_numpy()
    return numbers
