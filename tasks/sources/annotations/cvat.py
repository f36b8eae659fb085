"""CVAT for images 1.1: `<image>` with tags, boxes and shapes. Tracks of videos are not read."""

import math
from collections.abc import Iterator
from typing import Any

from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.sources.annotations.geometry import around, no_of, rotated
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of, split_of_path
from imagerecords.tasks.sources.annotations.xml import read_xml

OUTLINES = ("polygon", "ellipse", "cuboid", "mask")
UNREAD = ("polyline", "points", "skeleton")


def read_cvat(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files."""
    for path in source.chosen:
        root = read_xml(source, path)
        if root is None:
            continue
        source.unread["track of a video"] += len(root.findall("track"))
        yield from images_of(source, path, root)


def images_of(source: Source, path: str, root: Any) -> Iterator[AnnotatedImage]:
    """The images of a file's root."""
    split = split_of_path(path)
    return (_read_image(source, path, image, split) for image in root.iter("image"))


def _read_image(source: Source, path: str, image: Any, split: str | None) -> AnnotatedImage:
    name, subset = image.get("name") or "", image.get("subset") or ""
    place = source.place(path, f"image {image.get('id') or name!r}")
    labels: list[str] = []
    boxes: list[Box] = []
    for number, element in enumerate(image, start=1):
        label = (element.get("label") or "").strip()
        source.unread["attribute"] += len(element.findall("attribute"))
        where = f"{place}, element {number}"
        if element.tag == "tag":
            labels.append(label)
        elif element.get("outside") == "1":
            source.unread["shape outside the image"] += 1
        elif element.tag == "box" or element.tag in OUTLINES:
            try:
                boxes.append(Box(_corners(source, element), label or None, where))
            except (TypeError, ValueError) as error:
                source.drop_box(where, f"a {element.tag} must have numbers as CVAT writes them, got {plain_words(error)}")
        elif element.tag in UNREAD:
            source.leave_object(element.tag)
    size = _number(image.get("width")), _number(image.get("height"))
    home = folder_of(path)
    below = [*(("images/" + subset, subset) if subset else ()), "images", "", "data"]
    return AnnotatedImage(
        path=name,
        place=place,
        labels=tuple(dict.fromkeys(labels)),
        split=split_of(subset) if subset else split,
        boxes=tuple(boxes),
        size=size,
        folders=tuple(join(home, folder) for folder in below),
    )


def _corners(source: Source, element: Any) -> tuple[float, float, float, float]:
    degrees = no_of(element.get("rotation") or 0)
    if element.tag == "box":
        xmin, ymin, xmax, ymax = (no_of(element.get(name)) for name in ("xtl", "ytl", "xbr", "ybr"))
        source.remarks["rotated box, read as the upright box around it"] += bool(degrees % 360)
        return rotated((xmin, ymin, xmax, ymax), degrees)
    source.remarks[f"{element.tag}, read as the upright box around it"] += 1
    if element.tag == "mask":
        return _around_mask(element)
    if element.tag == "ellipse":
        x, y, across, down = (no_of(element.get(name)) for name in ("cx", "cy", "rx", "ry"))
        cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        half_x, half_y = math.hypot(across * cosine, down * sine), math.hypot(across * sine, down * cosine)
        return x - half_x, y - half_y, x + half_x, y + half_y
    if element.tag == "cuboid":
        names = [name for name in element.keys() if name[:2] in ("xt", "xb", "yt", "yb")]  # noqa: SIM118 (not a mapping)
        return around((no_of(element.get(name)), no_of(element.get("y" + name[1:]))) for name in names if name.startswith("x"))
    return around([no_of(value) for value in point.split(",")] for point in (element.get("points") or "").split(";"))


def _around_mask(element: Any) -> tuple[float, float, float, float]:
    """The box around a mask: lengths of runs, row by row, of what is not it and what is, in a frame of its own."""
    left, top, width, height = (int(no_of(element.get(name))) for name in ("left", "top", "width", "height"))
    runs, end = [], 0
    for number, length in enumerate((element.get("rle") or "").split(",")):
        start, end = end, end + int(length)
        if number % 2 and end > start:
            runs.append((start, end - 1))
    if not runs or end > width * height:
        raise ValueError(f"runs of {end:,} pixels in a frame of {width * height:,}")
    rows = [start // width for start, _ in runs] + [last // width for _, last in runs]
    whole = any(start // width != last // width for start, last in runs)
    columns = [0, width - 1] if whole else [point % width for run in runs for point in run]
    return left + min(columns), top + min(rows), left + max(columns) + 1, top + max(rows) + 1


def _number(text: str | None) -> float:
    try:
        return no_of(text or 0)
    except ValueError:
        return 0
