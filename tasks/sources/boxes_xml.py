"""Boxes of XML files: Pascal VOC, a file per image, and CVAT for images, all images in one file.

As in process_bounding_boxes.py a VOC file's own name says which image it is of (`filename` inside is often wrong), and pixels
are divided by the stated size. XML comes from anywhere: defusedxml refuses entities, which could fill the memory.
"""

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from imagerecords.schemas.boxes import CORNERS, FoundBox, FoundBoxes
from imagerecords.tasks.sources.annotations.geometry import around, rotated
from imagerecords.tasks.sources.annotations.xml import parse_xml
from imagerecords.tasks.sources.box_units import with_units
from imagerecords.tasks.storage.folders import Folder

REMOTE_READS = 32  # files read at once from object stores
CVAT_CORNERS = ("xtl", "ytl", "xbr", "ybr")
CVAT = "CVAT for images"


def read_xml_boxes(folder: Folder, paths: Sequence[str]) -> FoundBoxes:
    """The boxes of XML files in a folder, and what is wrong with the others."""
    parts: dict[bool, tuple[list[FoundBox], list[str]]] = {True: ([], []), False: ([], [])}  # by whether it is CVAT's
    with ThreadPoolExecutor(1 if folder.is_local else REMOTE_READS) as threads:
        for is_cvat, found in threads.map(lambda path: _read_file(folder, path), paths):
            boxes, malformed = parts[is_cvat]
            boxes += [box for box in found if isinstance(box, FoundBox)]
            malformed += [problem for problem in found if isinstance(problem, str)]
    voc = with_units(FoundBoxes.of(*parts[False], by_stem=True, form="Pascal VOC XML"), pixels=True)
    cvat = with_units(FoundBoxes.of(*parts[True], form=CVAT), pixels=True)
    if not any(parts[True]):
        return voc
    if not any(parts[False]):
        return cvat
    raise ValueError("both Pascal VOC and CVAT files. Pass the CVAT file and the folder of the others as two bounding_boxes")


def _read_file(folder: Folder, path: str) -> tuple[bool, list[FoundBox | str]]:
    """Whether a file is CVAT's, and each of its objects as a box, or what is wrong with it."""
    place = folder.join(path)
    try:
        root = parse_xml(folder.read(path))
    except ValueError as error:
        return False, [f"a VOC file must be plain XML, got {error}: {place}"]
    if root.tag == "annotations":
        return True, list(_cvat_boxes(root, place))
    if root.tag != "annotation":
        return False, [f"a box file must be Pascal VOC or CVAT XML, got <{root.tag}>: {place}"]
    return False, list(_voc_boxes(root, path.rpartition(".")[0], place))


def _voc_boxes(root: Any, image: str, place: str) -> Iterable[FoundBox | str]:
    size = _size(_number(root.findtext("size/width")), _number(root.findtext("size/height")))
    for number, element in enumerate(root.iter("object"), start=1):
        where = f"{place}, object {number}"
        name = (element.findtext("name") or "").strip() or None
        xmin, ymin, xmax, ymax = pixels = [_number(element.findtext(f"bndbox/{corner}")) for corner in CORNERS]
        points = _polygon(element)
        difficult = (element.findtext("difficult") or "").strip() == "1"
        if not any(map(math.isnan, pixels)):
            yield FoundBox(image, where, (xmin, ymin, xmax, ymax), name, size, difficult=difficult)
        elif points:
            yield FoundBox(image, where, around(points), name, size, difficult=difficult)
        else:
            yield f"an object must have xmin, ymin, xmax and ymax, got {pixels}: {where}"


def _polygon(element: Any) -> list[tuple[float, float]]:
    """The corners of an object's polygon, as labelme (pt/x) and Roboflow (x1, y1, …) write it; none where it has none."""
    points = [(_number(point.findtext("x")), _number(point.findtext("y"))) for point in element.iterfind("polygon/pt")]
    polygon = element.find("polygon")
    for number in range(1, 0 if polygon is None or points else len(polygon) // 2 + 1):
        points.append((_number(polygon.findtext(f"x{number}")), _number(polygon.findtext(f"y{number}"))))
    return [] if any(math.isnan(x + y) for x, y in points) else points


def _cvat_boxes(root: Any, place: str) -> Iterable[FoundBox | str]:
    for number, image in enumerate(root.iterfind("image"), start=1):
        name, size = image.get("name") or "", _size(_number(image.get("width")), _number(image.get("height")))
        for element in (*image.iterfind("box"), *image.iterfind("polygon")):
            where = f"{place}, image {number} {name!r}"
            corners = _cvat_box(element) if element.tag == "box" else _cvat_polygon(element)
            if corners is None or not name:
                yield f"a {element.tag} must have an image's name and numbers: {where}"
            else:
                yield FoundBox(name, where, corners, element.get("label"), size)


def _cvat_box(element: Any) -> tuple[float, float, float, float] | None:
    """The upright box round a box, which CVAT turns about its middle."""
    xmin, ymin, xmax, ymax = (_number(element.get(corner)) for corner in CVAT_CORNERS)
    degrees = _number(element.get("rotation") or "0")
    return None if math.isnan(xmin + ymin + xmax + ymax + degrees) else rotated((xmin, ymin, xmax, ymax), degrees)


def _cvat_polygon(element: Any) -> tuple[float, float, float, float] | None:
    pairs = [point.split(",") for point in (element.get("points") or "").split(";")]
    points = [(_number(pair[0]), _number(pair[-1])) for pair in pairs]
    return None if any(math.isnan(x + y) for x, y in points) else around(points)


def _size(width: float, height: float) -> tuple[float, float]:
    """A size that a file states; 0 where it states none."""
    return (width, height) if width > 0 and height > 0 else (0.0, 0.0)


def _number(text: str | None) -> float:
    """A text as a number; NaN where it is none."""
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan
