"""Boxes of a COCO JSON file: annotations with x, y, width and height, in pixels of the size that the file states."""

import json
from collections.abc import Mapping
from typing import Any

from imagerecords.schemas.boxes import FoundBox, FoundBoxes


def read_coco_boxes(data: bytes, name: str) -> FoundBoxes:
    """The boxes of a COCO file, and what is wrong with its other annotations. Raises ValueError when it is not COCO."""
    content = json.loads(data, object_hook=_without_outline)
    if not isinstance(content, dict) or not all(isinstance(content.get(key), list) for key in ("images", "annotations")):
        raise ValueError("no lists of images and annotations")
    images = {image.get("id"): image for image in content["images"] if isinstance(image, dict)}
    names = {category.get("id"): category.get("name") for category in content.get("categories", [])}
    boxes: list[FoundBox] = []
    malformed: list[str] = []
    for number, annotation in enumerate(content["annotations"], start=1):
        found = _box(annotation, images, names, f"{name}, annotation {number}")
        if isinstance(found, str):
            malformed.append(found)
        else:
            boxes.append(found)
    return FoundBoxes.of(boxes, malformed)


def _without_outline(item: dict[str, Any]) -> dict[str, Any]:
    """An annotation without its outline, nine tenths of a COCO file, which else would stay in memory."""
    item.pop("segmentation", None)
    return item


def _box(annotation: Any, images: Mapping[Any, Any], names: Mapping[Any, Any], place: str) -> FoundBox | str:
    match annotation:
        case {"image_id": image_id, "bbox": [x, y, width, height]} if _are_numbers(x, y, width, height):
            pass
        case _:
            return f"an annotation must have an image_id and a bbox of four numbers: {place}"
    match images.get(image_id):
        case {"file_name": str(file), "width": sides_x, "height": sides_y} if _are_numbers(sides_x, sides_y):
            if sides_x <= 0 or sides_y <= 0:
                return f"an image must have a size, got {sides_x} × {sides_y} for {file!r}: {place}"
        case image:
            return f"an annotation's image must be listed with file_name, width and height, got {image!r}: {place}"
    corners = x / sides_x, y / sides_y, (x + width) / sides_x, (y + height) / sides_y
    category = names.get(annotation.get("category_id"))
    return FoundBox(file, place, corners, category if isinstance(category, str) else None)


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
