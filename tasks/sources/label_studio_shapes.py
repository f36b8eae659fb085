"""Boxes of the regions that people drew in Label Studio, relative to the image as the browser shows it.

Label Studio turns a rectangle, in pixels, about its upper left corner, and an ellipse about its centre; the box is the upright
one round it. `image_rotation` is how the annotator turned the view: regions stay those of the image that is not turned.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imagerecords.schemas.label_export import NamedBox
from imagerecords.tasks.sources.label_studio_tasks import Result, by_control

GEOMETRY = frozenset(("x", "points", "vertices", "rle", "imageDataURL", "sequence", "ranges", "start", "brush"))
SHAPES = {"rectangle": "rectangle", "ellipse": "ellipse", "polygon": "polygon", "keypoint": "keypoint", "brush": "brush mask"}
SHAPES |= {"vector": "vector", "bitmask": "bitmask", "cuboid": "cuboid", "videorectangle": "video rectangle"}
BOXED = ("rectangle", "ellipse", "polygon")
AROUND = ("ellipse", "polygon")  # shapes of which only the box round them is kept


@dataclass
class ShapeCounts:
    """How many regions became the boxes round them, had several names, or were not read, by what they are."""

    around: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    of_several_names: int = 0


def is_region(result: Result) -> bool:
    """Whether a result is of a part of the image."""
    return not GEOMETRY.isdisjoint(result.value)


def regions_of(results: Sequence[Result]) -> set[str]:
    """The ids of the regions among results."""
    return {result.region for result in results if result.region and is_region(result) and _shape(result)}


def _shape(result: Result) -> str | None:
    """What was drawn, one of SHAPES; None where a result is an answer about a region."""
    kind = result.kind.removesuffix("labels")
    if kind in SHAPES:
        return kind
    if result.kind == "labels" and is_region(result):
        value = result.value
        return (
            "rectangle" if "height" in value else "ellipse" if "radiusX" in value else "polygon" if "points" in value else None
        )
    return None


def boxes_of(results: Sequence[Result], counts: ShapeCounts) -> tuple[NamedBox, ...]:
    """The boxes of an annotation's regions, in the order of their controls' names, then as drawn; the rest is counted."""
    drawn: list[tuple[tuple[float, ...], str, NamedBox]] = []
    for of_control in by_control(results).values():
        for result in of_control:
            shape = _shape(result)
            if shape in BOXED:
                names = _names(result)
                counts.of_several_names += len(names) > 1
                corners = _corners(shape or "", result)
                drawn.append((_numbers(result.value), shape or "", NamedBox(*corners, names[0] if names else None)))
            elif shape:
                counts.unread[SHAPES[shape]] += 1
            elif result.kind == "relation":
                counts.unread["relation"] += 1
    kept = list(_without_shadows(drawn))
    counts.around.update(shape for shape, _ in kept if shape in AROUND)
    return tuple(box for _, box in kept)


def _names(result: Result) -> list[str]:
    """The names of a region, where it has some."""
    value = result.value
    found: Any = next((value[name] for name in (result.kind, *value) if name.endswith("labels") and value.get(name)), [])
    return [found] if isinstance(found, str) else [str(name) for name in found]


def _numbers(value: Mapping[str, Any]) -> tuple[float, ...]:
    """What makes two regions the same one."""
    points = [number for point in value.get("points", ()) for number in point]
    names = ("x", "y", "width", "height", "radiusX", "radiusY", "rotation")
    return tuple(float(number) for number in (*(value.get(name) or 0 for name in names), *points))


def _without_shadows(drawn: list[tuple[tuple[float, ...], str, NamedBox]]) -> Iterator[tuple[str, NamedBox]]:
    """The regions but for those without a name where one with the same corners has one: <Rectangle> and <Labels> give both."""
    named = {numbers for numbers, _, box in drawn if box.name is not None}
    for numbers, shape, box in drawn:
        if box.name is not None or numbers not in named:
            yield shape, box


def _corners(shape: str, result: Result) -> tuple[float, float, float, float]:
    value = result.value
    if shape == "polygon":
        xs, ys = ([float(point[axis]) / 100 for point in value["points"]] for axis in (0, 1))
        return min(xs), min(ys), max(xs), max(ys)
    angle = math.radians(value.get("rotation") or 0)
    x, y = float(value["x"]) / 100, float(value["y"]) / 100
    if shape == "ellipse":
        across, down = float(value["radiusX"]) / 100, float(value["radiusY"]) / 100
        if angle:
            aspect = result.height / result.width
            across, down = (
                math.hypot(across * math.cos(angle), down * aspect * math.sin(angle)),
                math.hypot(across / aspect * math.sin(angle), down * math.cos(angle)),
            )
        return x - across, y - down, x + across, y + down
    width, height = float(value["width"]) / 100, float(value["height"]) / 100
    if not angle:
        return x, y, x + width, y + height
    aspect = result.height / result.width
    edges = [(0.0, 0.0), (width, 0.0), (0.0, height), (width, height)]
    xs = [x + right * math.cos(angle) - down * aspect * math.sin(angle) for right, down in edges]
    ys = [y + right / aspect * math.sin(angle) + down * math.cos(angle) for right, down in edges]
    return min(xs), min(ys), max(xs), max(ys)
