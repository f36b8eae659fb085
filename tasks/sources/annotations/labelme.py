"""labelme: a JSON file per image, whose true `flags` are labels of the image and whose shapes have boxes around them."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.sources.annotations.geometry import are_numbers, around
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of_folders, stem_of

UNREAD = ("point", "points", "line", "linestrip")


def is_labelme(content: Any) -> bool:
    """Whether JSON is labelme's."""
    return isinstance(content, dict) and isinstance(content.get("shapes"), list) and "imagePath" in content


def read_labelme(source: Source) -> Iterator[AnnotatedImage]:
    """The image of each chosen file."""
    for path, content in source.json_files(is_labelme, "a labelme file must have imagePath and shapes"):
        yield _read_file(source, path, content)


def _read_file(source: Source, path: str, content: Mapping[str, Any]) -> AnnotatedImage:
    place = source.place(path)
    flags = content.get("flags") or {}
    labels = [name for name, value in flags.items() if value is True] if isinstance(flags, dict) else []
    boxes = []
    for number, shape in enumerate(content["shapes"], start=1):
        where = f"{place}, shape {number}"
        kind = shape.get("shape_type") or "polygon"  # version 3 had no types
        source.unread["flag of a shape"] += sum(1 for value in (shape.get("flags") or {}).values() if value is True)
        if kind in UNREAD:
            source.leave_object(kind)
            continue
        try:
            boxes.append(Box(_corners(source, kind, shape["points"]), str(shape.get("label") or "") or None, where))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            source.drop_box(where, f"a {kind} must have points of two numbers, got {plain_words(error)}")
    size = (content.get("imageWidth"), content.get("imageHeight"))
    home = folder_of(path)
    folders = (home, *(join(home, "..", name) for name in ("images", "JPEGImages", "data", "")), "")
    return AnnotatedImage(
        path=str(content.get("imagePath") or stem_of(path.rpartition("/")[2])),
        place=place,
        labels=tuple(labels),
        split=split_of_folders(path.split("/")[:-1]),
        boxes=tuple(boxes),
        size=size if are_numbers(size) else (0, 0),  # type: ignore[arg-type]
        by_stem=not content.get("imagePath"),
        folders=tuple(dict.fromkeys(folders)),
        other=stem_of(path.rpartition("/")[2]),
    )


def _corners(source: Source, kind: str, points: Any) -> tuple[float, float, float, float]:
    if kind == "circle":
        (x, y), edge = points
        radius = math.dist((x, y), edge)
        source.remarks["circle, read as the upright box around it"] += 1
        return x - radius, y - radius, x + radius, y + radius
    if kind != "rectangle":
        source.remarks[f"{kind}, read as the upright box around it"] += 1
    return around(points)
