"""V7 Darwin: a JSON per image, with its `item` and annotations by name: boxes, polygons, ellipses, and tags of the image."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.sources.annotations.geometry import Corners, around, from_size, no_of, numbers_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of_folders


def is_darwin(content: Any) -> bool:
    """Whether JSON is Darwin's, of version 2 or 1."""
    if not isinstance(content, dict) or not isinstance(content.get("annotations"), list):
        return False
    item, image = content.get("item"), content.get("image")
    return (isinstance(item, dict) and "name" in item) or (isinstance(image, dict) and "filename" in image)


def read_darwin(source: Source) -> Iterator[AnnotatedImage]:
    """The image of each chosen file."""
    for path, content in source.json_files(is_darwin, "a Darwin file must have an item and annotations"):
        yield _read_file(source, path, content)


def _read_file(source: Source, path: str, content: Mapping[str, Any]) -> AnnotatedImage:
    item = content.get("item") or content["image"]
    slots = [slot for slot in item.get("slots") or () if isinstance(slot, dict)]
    sides = slots[0] if slots else item
    labels: list[str] = []
    boxes: list[Box] = []
    for number, annotation in enumerate(content["annotations"], start=1):
        name, where = str(annotation.get("name") or "") or None, source.place(path, f"annotation {number}")
        if "tag" in annotation:
            labels += [name] if name else []
            continue
        try:
            corners = _corners(source, annotation)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            source.drop_box(where, f"an annotation must have numbers as Darwin writes them, got {plain_words(error)}")
            continue
        if corners:
            boxes.append(Box(corners, name, where))
    home = folder_of(path)
    written = join(str(item.get("path") or ""), str(item.get("name") or item.get("filename")))
    return AnnotatedImage(
        path=written,
        place=source.place(path),
        labels=tuple(dict.fromkeys(labels)),
        split=split_of_folders(path.split("/")[:-1]),
        boxes=tuple(boxes),
        size=numbers_of((sides.get("width"), sides.get("height")), 2) or (0, 0),  # type: ignore[arg-type]
        folders=tuple(dict.fromkeys([join(home, "../images"), home, join(home, "images"), folder_of(home)])),
    )


def _corners(source: Source, annotation: Mapping[str, Any]) -> Corners | None:
    if box := annotation.get("bounding_box"):
        source.remarks["polygon, read as the box that stands beside it"] += "polygon" in annotation
        return from_size(*(no_of(box[name]) for name in ("x", "y", "w", "h")))
    if ellipse := annotation.get("ellipse"):
        source.remarks["ellipse, read as the upright box around it"] += 1
        x, y = no_of(ellipse["center"]["x"]), no_of(ellipse["center"]["y"])
        across, down, angle = no_of(ellipse["radius"]["x"]), no_of(ellipse["radius"]["y"]), no_of(ellipse.get("angle") or 0)
        half_x = math.hypot(across * math.cos(angle), down * math.sin(angle))
        half_y = math.hypot(across * math.sin(angle), down * math.cos(angle))
        return x - half_x, y - half_y, x + half_x, y + half_y
    polygon = annotation.get("polygon")
    if polygon is None:
        known = (
            "id",
            "name",
            "slot_names",
            "properties",
            "annotators",
            "reviewers",
            "ranges",
            "attributes",
            "text",
            "instance_id",
        )
        source.leave_object(next((key for key in annotation if key not in known), "annotation without a shape"))
        return None
    source.remarks["polygon, read as the upright box around it"] += 1
    rings = polygon.get("paths") or [polygon["path"]]
    return around((point["x"], point["y"]) for ring in rings for point in ring)
