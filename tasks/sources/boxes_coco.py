"""Boxes of a COCO JSON file: annotations with x, y, width and height, in pixels of the size that the file states.

Read as tools write it: ids and numbers may be texts, an annotation may have polygons and no bbox, an image no size.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from imagerecords.schemas.boxes import FoundBox, FoundBoxes
from imagerecords.schemas.json_text import parse_json
from imagerecords.tasks.sources.annotations.geometry import IS_CROWD
from imagerecords.tasks.sources.box_units import with_units

Corners = tuple[float, float, float, float]


def read_json(data: bytes) -> Any:
    """The content of a JSON file, without COCO's outlines."""
    return parse_json(data.decode("utf-8-sig"), _without_outline)


def read_coco_boxes(content: Any, name: str) -> FoundBoxes:
    """The boxes of a COCO file, and what is wrong with its other annotations. Raises ValueError when it is not COCO."""
    if not isinstance(content, dict) or not all(isinstance(content.get(key), list) for key in ("images", "annotations")):
        keys = f"an object with {', '.join(map(str, list(content)[:6]))}" if isinstance(content, dict) else "a list"
        raise ValueError(f"no COCO file: no lists of images and annotations, but {keys}")
    images = {str(image.get("id")): image for image in content["images"] if isinstance(image, dict)}
    listed = content.get("categories")
    categories = (category for category in (listed if isinstance(listed, list) else ()) if isinstance(category, dict))
    names = {str(category.get("id")): category.get("name") for category in categories}
    boxes: list[FoundBox] = []
    malformed: list[str] = []
    for position, annotation in enumerate(content["annotations"], start=1):
        found = _box(annotation, images, names, f"{name}, annotation {position}")
        if isinstance(found, str):
            malformed.append(found)
        else:
            boxes.append(found)
    info = content.get("info")
    tool = str(info.get("contributor") or "") if isinstance(info, dict) else ""
    if tool == "Label Studio" and (twice := _annotated_twice(content["images"], boxes, content["annotations"])):
        remedy = "Export the project as JSON and pass --label_studio"
        raise ValueError(f"Label Studio lists {twice} once per annotation, each with boxes of the same objects. {remedy}")
    return replace(with_units(FoundBoxes.of(boxes, malformed, form="COCO"), pixels=True), tool=tool)


def _annotated_twice(images: list[Any], boxes: list[FoundBox], annotations: list[Any]) -> str | None:
    """The first file that is listed as several images with boxes; None where there is none."""
    with_boxes = {str(annotation.get("image_id")) for annotation in annotations if isinstance(annotation, dict)}
    files = {box.image for box in boxes}
    seen: set[str] = set()
    for image in images:
        if isinstance(image, dict) and str(image.get("id")) in with_boxes and (file := image.get("file_name")) in files:
            if file in seen:
                return str(file)
            seen.add(str(file))
    return None


def _without_outline(item: dict[str, Any]) -> dict[str, Any]:
    """An annotation without its outline, nine tenths of a COCO file, which else would stay in memory; a box is made of it."""
    outline = item.pop("segmentation", None)
    box = item.get("bbox")
    if isinstance(outline, list) and "image_id" in item and not (isinstance(box, list) and any(box)):
        item["bbox"] = _around(outline) or box
    return item


def _around(polygons: list[Any]) -> list[float] | None:
    """The box round polygons, each a list of x, y, x, y, …; None where there is none."""
    values = [polygon for polygon in polygons if isinstance(polygon, list)] or [polygons]
    numbers = [[number(value) for value in polygon] for polygon in values]
    xs = [x for polygon in numbers for x in polygon[0::2]]
    ys = [y for polygon in numbers for y in polygon[1::2]]
    if not ys or not all(map(math.isfinite, (*xs, *ys))):
        return None
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


def _box(annotation: Any, images: Mapping[str, Any], names: Mapping[str, Any], place: str) -> FoundBox | str:
    corners = _corners(annotation.get("bbox")) if isinstance(annotation, dict) else None
    if corners is None or annotation.get("image_id") is None:
        return f"an annotation must have an image_id and a bbox of four numbers: {place}"
    image = images.get(str(annotation["image_id"]))
    file = image.get("file_name") if image else None
    if image is None or not isinstance(file, str) or not file:
        return f"an annotation's image must be listed with its file_name, got {image!r}: {place}"
    sides = number(image.get("width")), number(image.get("height"))
    stated = sides if all(side > 0 for side in sides) else (0.0, 0.0)  # NaN is not above 0
    category = names.get(str(annotation.get("category_id")))
    name = str(category) if isinstance(category, str | int) else None
    area = number(annotation.get("area"))
    return FoundBox(file, place, corners, name, stated, str(annotation.get("iscrowd")) in IS_CROWD, area=area)


def _corners(bbox: Any) -> Corners | None:
    if not isinstance(bbox, list) or len(bbox) != 4:
        return None
    x, y, width, height = map(number, bbox)
    return None if math.isnan(x + y + width + height) else (x, y, x + width, y + height)


def number(value: Any) -> float:
    """A JSON value as a number, or a text that is one; NaN for all else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan
