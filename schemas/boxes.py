"""Boxes of the objects in an image: what can be wrong with one, and its corners after a rotation of the image.

A decision that binds users' data: corners are relative to the image's width and height, 0 to 1, kept as float32, the type of
`image/object/bbox/*`; pixels are divided by the size that their file states, without a shift for formats that count from 1,
as process_bounding_boxes.py does. The policy's rules bind too: parts outside are cut off, inverted sides are swapped, and a box
without an area is dropped.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from imagerecords.schemas.messages import plural

Policy = Literal["clamp", "drop", "fail"]
Orientation = Literal["auto", "stored", "display"]
ObjectLabels = Literal["image", "own", "drop"]
CORNERS = ("xmin", "ymin", "xmax", "ymax")

# The column `boxes` of listing and plan: null where the data set has no boxes, an empty list where an image has none.
PLANNED_BOX = pa.struct([*((corner, pa.float32()) for corner in CORNERS), ("label", pa.int32())])
PLANNED_BOXES = pa.list_(PLANNED_BOX)
# The column `objects`: what records for object detection say of each of an image's boxes, in their order; null in others.
# `area` is a share of the image's, null where it is the box's own.
PLANNED_OBJECT = pa.struct([("label", pa.int32()), ("is_crowd", pa.bool_()), ("difficult", pa.bool_()), ("area", pa.float32())])
PLANNED_OBJECTS = pa.list_(PLANNED_OBJECT)

# A region with many objects; an object whose name is no label; one without a name; one with neither a label nor its image's.
KEPT, CROWD, OTHER_OBJECT, NAMELESS, OF_UNLABELLED = range(5)
SOUND, NOT_FINITE, OUTSIDE, INVERTED, EMPTY = range(5)
RULES = ("", "be numbers", "lie in 0 to 1", "have xmin < xmax and ymin < ymax", "have an area")


class FoundBox(NamedTuple):
    """A box as its file has it: the image by path or base name, its place in the file, corners, and the object's own name.

    `size` is the image's width and height as the file states them, 0 where it states none; `area` the object's own in square
    pixels, NaN where none is stated.
    """

    image: str
    place: str
    corners: tuple[float, float, float, float]
    name: str | None
    size: tuple[float, float] = (0, 0)
    is_crowd: bool = False
    difficult: bool = False
    area: float = math.nan


@dataclass(frozen=True)
class FoundBoxes:
    """The boxes of a file or folder, column by column; `corners` is float64 [n, 4], relative unless `in_pixels` (bool [n]).

    `sizes` (float64 [n, 2]) are the images' widths and heights as the file states them, 0 where it states none; `left_out`
    (int8 [n]) is KEPT, or why a box is not written. `crowd` and `difficult` (bool [n]) are the file's marks, `areas` (float64
    [n]) the stated areas, relative to the image's unless `in_pixels`, NaN where none is stated. `malformed` has a line for each
    row that is no box. With `by_stem` images are named without their ending. `form` says what the file was read as, `tool`
    which one wrote it, where it says so, `note` the decisions on how to read it; with `drawn_displayed` that tool shows images
    upright.
    """

    images: pa.Array
    places: pa.Array
    corners: np.ndarray
    names: pa.Array
    malformed: tuple[str, ...] = ()
    by_stem: bool = False
    sizes: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    in_pixels: np.ndarray = field(default_factory=lambda: np.empty(0, bool))
    left_out: np.ndarray = field(default_factory=lambda: np.empty(0, np.int8))
    crowd: np.ndarray = field(default_factory=lambda: np.empty(0, bool))
    difficult: np.ndarray = field(default_factory=lambda: np.empty(0, bool))
    areas: np.ndarray = field(default_factory=lambda: np.empty(0))
    form: str = ""
    tool: str = ""
    note: str = ""
    drawn_displayed: bool = False

    def __post_init__(self) -> None:
        boxes = len(self)
        defaults = {"sizes": np.zeros((boxes, 2)), "in_pixels": np.zeros(boxes, bool), "left_out": np.zeros(boxes, np.int8)}
        defaults |= {"crowd": np.zeros(boxes, bool), "difficult": np.zeros(boxes, bool), "areas": np.full(boxes, math.nan)}
        for name, default in defaults.items():
            if len(getattr(self, name)) != boxes:
                object.__setattr__(self, name, default)

    @classmethod
    def of(cls, boxes: Sequence[FoundBox], malformed: Sequence[str], *, by_stem: bool = False, form: str = "") -> Self:
        """The columns of boxes in their order."""
        images, places, corners, names, sizes, crowds, difficult, areas = zip(*boxes, strict=True) if boxes else ((),) * 8
        image, place, name = (pa.array(column, pa.string()) for column in (images, places, names))
        return cls(
            images=image,
            places=place,
            corners=np.array(corners, np.float64).reshape(-1, 4),
            names=name,
            malformed=tuple(malformed),
            by_stem=by_stem,
            sizes=np.array(sizes, np.float64).reshape(-1, 2),
            crowd=np.array(crowds, bool),
            difficult=np.array(difficult, bool),
            areas=np.array(areas, np.float64),
            form=form,
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The boxes of several files, one after the other; `form` and `tool` where they agree."""
        none = pa.array([], pa.string())
        forms, tools = {part.form for part in parts}, {part.tool for part in parts}
        return cls(
            form=" and ".join(sorted(forms)),
            tool=tools.pop() if len(tools) == 1 else "",
            images=pa.concat_arrays([none, *(part.images for part in parts)]),
            places=pa.concat_arrays([none, *(part.places for part in parts)]),
            corners=np.concatenate([np.empty((0, 4)), *(part.corners for part in parts)]),
            names=pa.concat_arrays([none, *(part.names for part in parts)]),
            malformed=tuple(line for part in parts for line in part.malformed),
            sizes=np.concatenate([np.empty((0, 2)), *(part.sizes for part in parts)]),
            in_pixels=np.concatenate([np.empty(0, bool), *(part.in_pixels for part in parts)]),
            left_out=np.concatenate([np.empty(0, np.int8), *(part.left_out for part in parts)]),
            crowd=np.concatenate([np.empty(0, bool), *(part.crowd for part in parts)]),
            difficult=np.concatenate([np.empty(0, bool), *(part.difficult for part in parts)]),
            areas=np.concatenate([np.empty(0), *(part.areas for part in parts)]),
        )

    def __len__(self) -> int:
        return len(self.images)


class BoxReason(BaseModel):
    """A reason why boxes are not written, or not as in their file: their number, and the first of them.

    With `of_names`, `first` has the most frequent names of objects instead, each with its count.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str
    count: int
    first: tuple[str, ...]
    of_names: bool = False

    def line(self) -> str:
        """The reason as a line of a plan or summary."""
        more = f" and {self.count - len(self.first):,} more" if self.count > len(self.first) and not self.of_names else ""
        return f"{plural(self.count, 'box', 'boxes')} {self.reason}: {', '.join(self.first)}{more}"


class BoxTotals(BaseModel):
    """Counts of boxes, one per field with a number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def line(self) -> str:
        """The counts in a line, without those that are 0."""
        counts = {name.replace("_", " "): count for name, count in self if isinstance(count, int) and count}
        found = plural(counts.pop("found", 0), "box", "boxes")
        with_boxes = counts.pop("images with boxes", 0)
        parts = [f"{found} found", *(f"{count:,} {name}" for name, count in counts.items())]
        return ", ".join([*parts, *[plural(with_boxes, "image with boxes", "images with boxes")] * bool(with_boxes)])


class BoxCounts(BoxTotals):
    """The counts of the boxes in a plan: found = planned + dropped + of no image + excluded; clamped ones are planned too.

    `dropped` can't be used, `excluded` are crowd regions and, with object_labels=drop, objects whose name is no label.
    """

    found: int
    planned: int
    clamped: int
    dropped: int
    of_no_image: int
    excluded: int = 0
    reasons: tuple[BoxReason, ...] = ()


def problems_of(corners: np.ndarray) -> np.ndarray:
    """What is wrong with each box of float [n, 4], xmin, ymin, xmax, ymax: SOUND or the first that applies."""
    low, high = corners[:, :2], corners[:, 2:]
    problems = np.full(len(corners), SOUND, np.int8)
    with np.errstate(invalid="ignore"):
        problems[(low == high).any(axis=1)] = EMPTY
        problems[(low > high).any(axis=1)] = INVERTED
        problems[((corners < 0) | (corners > 1)).any(axis=1)] = OUTSIDE
    problems[~np.isfinite(corners).all(axis=1)] = NOT_FINITE
    return problems


def clamp(corners: np.ndarray) -> np.ndarray:
    """The boxes cut off at the image's edges, inverted ones swapped; those without an area or with NaN stay as they are."""
    low, high = corners[:, :2], corners[:, 2:]
    clamped: np.ndarray = np.clip(np.concatenate([np.minimum(low, high), np.maximum(low, high)], axis=1), 0, 1)
    return clamped


# For each EXIF orientation: which corner of the image as stored each of xmin, ymin, xmax, ymax of the upright image comes from,
# and whether it counts from the other edge.
ROTATION: dict[int, tuple[tuple[int, bool], ...]] = {
    1: ((0, False), (1, False), (2, False), (3, False)),
    2: ((2, True), (1, False), (0, True), (3, False)),  # mirrored left to right
    3: ((2, True), (3, True), (0, True), (1, True)),  # rotated by 180°
    4: ((0, False), (3, True), (2, False), (1, True)),  # mirrored top to bottom
    5: ((1, False), (0, False), (3, False), (2, False)),  # mirrored at the main diagonal
    6: ((3, True), (0, False), (1, True), (2, False)),  # rotated by 90° clockwise
    7: ((3, True), (2, True), (1, True), (0, True)),  # mirrored at the other diagonal
    8: ((1, False), (2, True), (3, False), (0, True)),  # rotated by 90° counter-clockwise
}


INVERSE_ROTATION = {6: 8, 8: 6}  # the orientation that undoes another; all others undo themselves


def rotate(corners: np.ndarray, orientation: int) -> np.ndarray:
    """The corners [n, 4] of boxes in an image that was stored with this EXIF orientation and is now shown upright."""
    columns = [(1 - corners[:, source]) if mirrored else corners[:, source] for source, mirrored in ROTATION[orientation]]
    return np.stack(columns, axis=1)


@dataclass(frozen=True, slots=True)
class Objects:
    """What detection's records say of an image's boxes: class ids and marks, int64 [n], and shares of the image's area.

    `shares` is float32 [n], NaN where the area is the box's own.
    """

    labels: np.ndarray
    is_crowd: np.ndarray
    difficult: np.ndarray
    shares: np.ndarray

    @classmethod
    def planned(cls, rows: Sequence[Mapping[str, Any]]) -> Self:
        """The objects of a row of the plan."""
        labels, is_crowd, difficult = (
            np.array([row[name] for row in rows], np.int64) for name in ("label", "is_crowd", "difficult")
        )
        areas = [math.nan if row["area"] is None else row["area"] for row in rows]
        return cls(labels, is_crowd, difficult, np.array(areas, np.float32))


@dataclass(frozen=True, slots=True)
class Boxes:
    """The boxes of one image: `corners` float32 [n, 4] as xmin, ymin, xmax, ymax, and the label id of each, int64 [n]."""

    corners: np.ndarray
    labels: np.ndarray
    objects: Objects | None = None

    @classmethod
    def planned(cls, rows: Sequence[Mapping[str, Any]], objects: Sequence[Mapping[str, Any]] | None = None) -> Self:
        """The boxes of a row of the plan."""
        corners = np.array([[row[corner] for corner in CORNERS] for row in rows], np.float32).reshape(-1, 4)
        labels = np.array([row["label"] for row in rows], np.int64)
        return cls(corners, labels, None if objects is None else Objects.planned(objects))

    def rotated(self, orientation: int) -> Self:
        """The same boxes in the upright image."""
        return replace(self, corners=rotate(self.corners, orientation))

    def cropped(self, height: float, width: float) -> Self:
        """The same boxes in an image of which these shares, from the top left corner on, are kept."""
        corners = np.minimum(self.corners / np.array([width, height, width, height], np.float32), np.float32(1))
        shares = replace(self.objects, shares=self.objects.shares / np.float32(height * width)) if self.objects else None
        return replace(self, corners=corners, objects=shares)

    def areas(self, height: int, width: int) -> np.ndarray:
        """The area of each object in square pixels, float32 [n], in an image of this size: at most its box's."""
        sides = self.corners[:, 2:] - self.corners[:, :2]
        areas: np.ndarray = sides[:, 0] * sides[:, 1] * np.float32(height * width)
        return np.fmin(areas, self.objects.shares * np.float32(height * width)) if self.objects else areas

    def features(self) -> dict[str, np.ndarray]:
        """The classic features of boxes by key."""
        corners = {f"image/object/bbox/{corner}": self.corners[:, number] for number, corner in enumerate(CORNERS)}
        return corners | {"image/object/bbox/label": self.labels}
