"""Boxes read from what the setting points at, and laid out as the column of a listing, with their counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.boxes import (
    CORNERS,
    NOT_FINITE,
    PLANNED_BOX,
    RULES,
    SOUND,
    BoxCounts,
    FoundBoxes,
    Policy,
    clamp,
    problems_of,
)
from imagerecords.schemas.messages import first_lines
from imagerecords.tasks.sources.boxes_coco import read_coco_boxes
from imagerecords.tasks.sources.boxes_csv import read_csv_boxes
from imagerecords.tasks.sources.boxes_voc import read_voc_boxes
from imagerecords.tasks.sources.input_files import open_file
from imagerecords.tasks.storage.folders import open_folder

NO_IMAGE = -1  # in place of an image's row


def read_boxes(location: str, storage_options: Mapping[str, Any]) -> FoundBoxes:
    """The boxes at a .csv, a COCO .json, or a folder of Pascal VOC .xml; raises ValueError or OSError where there are none."""
    ending = location.rpartition(".")[2].lower()
    if ending not in ("csv", "json"):
        folder = open_folder(location, storage_options)
        if folder.fs.isdir(folder.path):
            return read_voc_boxes(folder)
        if folder.exists():
            raise ValueError("neither a .csv, nor a COCO .json, nor a folder of Pascal VOC .xml")
        raise FileNotFoundError(location)
    with open_file(location, storage_options) as file:
        return read_csv_boxes(file, location) if ending == "csv" else read_coco_boxes(file.read(), location)


@dataclass(frozen=True)
class PlacedBoxes:
    """Boxes as a listing has them: its column, their counts, and what is wrong."""

    column: pa.Array
    counts: BoxCounts
    errors: tuple[str, ...]


def place_boxes(
    found: FoundBoxes, rows: np.ndarray, image_labels: pa.ChunkedArray, labels: tuple[str, ...], policy: Policy
) -> PlacedBoxes:
    """The boxes as a column: a list for each image, in the order they were found.

    `rows` has the image of each box, or NO_IMAGE. A box whose own name is a label has that label's id, any other its image's.
    """
    corners = found.corners.astype(np.float32)
    faults = problems_of(corners)
    errors: list[str] = []
    if policy == "fail":
        wrong = np.flatnonzero(faults != SOUND)
        places = found.places.take(pa.array(wrong)).to_pylist()
        errors += found.malformed
        errors += [_mistake(found.corners[box], int(faults[box]), place) for box, place in zip(wrong, places, strict=True)]
    mended = clamp(corners) if policy == "clamp" else corners
    kept = (faults != NOT_FINITE) & (problems_of(mended) == SOUND)
    placed = kept & (rows != NO_IMAGE)
    counts = BoxCounts(
        found=len(found) + len(found.malformed),
        planned=int(placed.sum()),
        clamped=int((placed & (mended != corners).any(axis=1)).sum()),
        dropped=len(found.malformed) + int((~kept).sum()),
        of_no_image=int((kept & ~placed).sum()),
    )
    order = np.flatnonzero(placed)[np.argsort(rows[placed], kind="stable")]
    own = pc.index_in(found.names.take(pa.array(order)), value_set=pa.array(labels, pa.string()))
    label = pc.coalesce(pc.add(own, 1), image_labels.combine_chunks().take(pa.array(rows[order]))).cast(pa.int32())
    columns = [pa.array(mended[order, number]) for number in range(len(CORNERS))]
    values = pa.StructArray.from_arrays([*columns, label], fields=list(PLANNED_BOX))
    edges = np.concatenate([[0], np.cumsum(np.bincount(rows[order], minlength=len(image_labels)))])
    return PlacedBoxes(pa.ListArray.from_arrays(pa.array(edges, pa.int32()), values), counts, first_lines(errors))


def _mistake(corners: np.ndarray, fault: int, place: str) -> str:
    numbers = ", ".join(f"{number:g}" for number in corners)
    return f"a box must {RULES[fault]}, got {numbers}: {place}. Correct it, or pass --invalid_boxes clamp"
