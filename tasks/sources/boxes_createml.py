"""Boxes of a CreateML JSON file, as labelImg and Roboflow write it: a list of images with middles and sides in pixels."""

import math
from collections.abc import Iterable
from typing import Any

from imagerecords.schemas.boxes import FoundBox, FoundBoxes
from imagerecords.tasks.sources.box_units import with_units
from imagerecords.tasks.sources.boxes_coco import number

SIDES = ("x", "y", "width", "height")


def is_createml(content: Any) -> bool:
    """Whether a JSON file's content is a list of images with annotations."""
    return isinstance(content, list) and any(
        isinstance(item, dict) and "annotations" in item and "image" in item for item in content
    )


def read_createml_boxes(content: list[Any], name: str) -> FoundBoxes:
    """The boxes of such a list, and what is wrong with its other annotations."""
    found = [box for position, item in enumerate(content, start=1) for box in _boxes(item, f"{name}, image {position}")]
    boxes = [box for box in found if isinstance(box, FoundBox)]
    return with_units(FoundBoxes.of(boxes, [line for line in found if isinstance(line, str)], form="CreateML"), pixels=True)


def _boxes(item: Any, place: str) -> Iterable[FoundBox | str]:
    image = item.get("image") if isinstance(item, dict) else None
    annotations = item.get("annotations") if isinstance(item, dict) else None
    if not isinstance(image, str) or not isinstance(annotations, list):
        yield f"an item must have an image and annotations: {place}"
        return
    for annotation in annotations:
        coordinates = annotation.get("coordinates") if isinstance(annotation, dict) else None
        x, y, width, height = (number(coordinates.get(side)) if isinstance(coordinates, dict) else math.nan for side in SIDES)
        if math.isnan(x + y + width + height):
            yield f"an annotation must have coordinates of four numbers: {place}"
        else:
            label = annotation.get("label")
            corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            yield FoundBox(image, place, corners, label if isinstance(label, str) else None)
