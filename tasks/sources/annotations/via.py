"""VGG Image Annotator (VIA 1 and 2): its project, its annotations as JSON, and as CSV; regions with attributes by name."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.sources.annotations.class_attribute import CLASS_NAMES, class_attribute
from imagerecords.tasks.sources.annotations.geometry import around, from_size, no_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of_path
from imagerecords.tasks.sources.annotations.tables import rows_of
from imagerecords.tasks.sources.file_names import ending_of

COLUMNS = {"region_shape_attributes", "region_attributes"}
IMAGES = "_via_img_metadata"


def is_via(content: Any) -> bool:
    """Whether JSON is one of VIA's: a project, or its images by keys of name and size."""
    if not isinstance(content, dict) or not content:
        return False
    images = content.get(IMAGES, content)
    return isinstance(images, dict) and all(
        isinstance(image, dict) and "filename" in image and "regions" in image for image in list(images.values())[:5]
    )


def read_via(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files."""
    for path in source.chosen:
        table = ending_of(path) != ".json"
        content = {} if table else source.json(path)
        images = _rows(source, path) if table else list(content.get(IMAGES, content).values())
        attributes = content.get("_via_attributes") or {}
        inner = str((content.get("_via_settings") or {}).get("core", {}).get("default_filepath") or "")
        regions = [region for image in images for region in _regions(image)]
        of_regions = class_attribute(source, path, _counts(region.get("region_attributes") for region in regions))
        of_images = class_attribute(source, path, _counts(image.get("file_attributes") for image in images), CLASS_NAMES[:3])
        home = folder_of(path)
        for number, image in enumerate(images, start=1):
            place = source.place(path, f"image {number}")
            values = _values(image.get("file_attributes"), of_images, attributes.get("file"))
            boxes: list[Box] = []
            for count, region in enumerate(_regions(image), start=1):
                names = _values(region.get("region_attributes"), of_regions, attributes.get("region"))
                boxes += _boxes(source, region.get("shape_attributes") or {}, names, f"{place}, region {count}")
            yield AnnotatedImage(
                path=str(image.get("filename") or ""),
                place=place,
                labels=values,
                split=split_of_path(path),
                boxes=tuple(boxes),
                folders=tuple(dict.fromkeys([home, join(home, inner), join(home, "images"), folder_of(home)])),
            )


def _regions(image: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """An image's regions: a list, or in VIA 1 a mapping."""
    regions = image.get("regions") or ()
    return list(regions.values()) if isinstance(regions, dict) else regions


def _rows(source: Source, path: str) -> list[Mapping[str, Any]]:
    """The images of a CSV, which has a row per region."""
    images: dict[str, dict[str, Any]] = {}
    for row in rows_of(source, path):
        name = row.values.get("filename") or row.values.get("#filename") or ""
        try:
            shape, own, whole = (
                json.loads(row.values.get(column) or "{}")
                for column in ("region_shape_attributes", "region_attributes", "file_attributes")
            )
        except json.JSONDecodeError as error:
            source.refuse(source.place(path, f"line {row.line}"), f"attributes must be JSON, got {error}")
            continue
        image = images.setdefault(name, {"filename": name, "file_attributes": whole, "regions": []})
        if shape:
            image["regions"].append({"shape_attributes": shape, "region_attributes": own})
    return list(images.values())


def _counts(found: Iterable[Any]) -> Counter[str]:
    """How often each attribute has a value."""
    return Counter(name for values in found if isinstance(values, dict) for name, value in values.items() if value)


def _values(attributes: Any, name: str | None, declared: Any) -> tuple[str, ...]:
    """The values of an attribute: a text, or the names of the options that are ticked."""
    value = attributes.get(name) if isinstance(attributes, dict) and name else None
    ticked = [key for key, is_set in value.items() if is_set] if isinstance(value, dict) else [value] if value else []
    options = ((declared or {}).get(name) or {}).get("options") or {}
    return tuple(dict.fromkeys(str(options.get(str(key)) or key).strip() for key in ticked))


def _boxes(source: Source, shape: Mapping[str, Any], names: Sequence[str], place: str) -> Iterator[Box]:
    kind = str(shape.get("name"))
    if kind in ("point", "polyline", "line"):
        source.leave_object(kind)
        return
    try:
        corners = _corners(kind, shape)
    except (KeyError, TypeError, ValueError) as error:
        source.drop_box(place, f"a {kind} must have numbers as VIA writes them, got {plain_words(error)}")
        return
    source.remarks[f"{kind}, read as the upright box around it"] += kind != "rect"
    yield from (Box(corners, name, place) for name in names or (None,))


def _corners(kind: str, shape: Mapping[str, Any]) -> tuple[float, float, float, float]:
    if kind == "rect":
        return from_size(*(no_of(shape[name]) for name in ("x", "y", "width", "height")))
    if kind == "polygon":
        return around(zip(shape["all_points_x"], shape["all_points_y"], strict=True))
    if kind == "circle":
        x, y, across, down, angle = no_of(shape["cx"]), no_of(shape["cy"]), no_of(shape["r"]), no_of(shape["r"]), 0.0
    elif kind == "ellipse":
        x, y, across, down = (no_of(shape[name]) for name in ("cx", "cy", "rx", "ry"))
        angle = no_of(shape.get("theta") or 0)  # in radians
    else:
        raise ValueError(f"shape {kind!r}")
    half_x = math.hypot(across * math.cos(angle), down * math.sin(angle))
    half_y = math.hypot(across * math.sin(angle), down * math.cos(angle))
    return x - half_x, y - half_y, x + half_x, y + half_y
