"""The boxes of annotated images as they are planned from: corners relative where sizes are stated, with the row of each."""

import math
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from imagerecords.schemas.boxes import FoundBoxes
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box
from imagerecords.tasks.sources.annotations.notes import ReadSource
from imagerecords.tasks.sources.annotations.recognise import FORMATS
from imagerecords.tasks.sources.annotations.source import OpenedSource
from imagerecords.tasks.sources.boxes import NO_IMAGE


def found_boxes(
    images: Mapping[str, AnnotatedImage], usable: list[str], opened: list[OpenedSource], reads: list[ReadSource]
) -> tuple[FoundBoxes | None, np.ndarray]:
    """The boxes of all images, those that are not used included, and the row of each."""
    row_of = {path: row for row, path in enumerate(usable)}
    of_images = [(path, image, box) for path, image in images.items() for box in image.boxes]
    lost = [(image.path, image, box) for read in reads for image in read.missing for box in image.boxes]
    malformed = tuple(line for each in opened for line in each.source.malformed)
    everything: list[tuple[str, AnnotatedImage, Box]] = [*of_images, *lost]
    if not everything and not malformed:
        return None, np.empty(0, np.int64)
    rows = [row_of.get(path, NO_IMAGE) for path, _, _ in of_images] + [NO_IMAGE] * len(lost)
    found = FoundBoxes(
        images=pa.array([path for path, _, _ in everything], pa.string()),
        places=pa.array([box.place for _, _, box in everything], pa.string()),
        corners=np.array([_corners(image, box) for _, image, box in everything], np.float64).reshape(-1, 4),
        names=pa.array([box.name for _, _, box in everything], pa.string()),
        malformed=malformed,
        sizes=np.array([image.size for _, image, _ in everything], np.float64).reshape(-1, 2),
        in_pixels=np.array([not box.relative and not all(image.size) for _, image, box in everything], bool),
        crowd=np.array([box.is_crowd for _, _, box in everything], bool),
        difficult=np.array([box.difficult for _, _, box in everything], bool),
        areas=np.array([_area(image, box) for _, image, box in everything], np.float64),
        form=", ".join(dict.fromkeys(FORMATS[each.recognised.name].title for each in opened)),
        tool=next((each.source.tool for each in opened if each.source.tool), ""),
    )
    return found, np.array(rows, np.int64)


def _area(image: AnnotatedImage, box: Box) -> float:
    """The object's own area, relative where its corners are."""
    if not all(image.size):
        return math.nan if box.relative else box.area
    return box.area / (image.size[0] * image.size[1])


def _corners(image: AnnotatedImage, box: Box) -> tuple[float, ...]:
    """The corners, relative where the file states the image's size."""
    if box.relative or not all(image.size):
        return box.corners
    return tuple(corner / side for corner, side in zip(box.corners, (*image.size, *image.size), strict=True))
