"""Reads Label Studio's exports, JSON and JSON-MIN, and CSV files of its kind: an image's label, and its rectangles as boxes.

Rectangles are percentages of the image as the browser shows it, upright whatever its EXIF orientation says.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, urlparse

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.label_export import LabelledPath, NamedBox
from imagerecords.schemas.labels import name_problems

# Columns in which Label Studio's CSV, its JSON-MIN, and people's own files name the image and its label.
IMAGE_NAMES = ("image", "path", "file")
LABEL_NAMES = ("choice", "label")


def read_export(text: str, file: str, *, with_boxes: bool = True) -> Iterator[LabelledPath | str]:
    """Each image of an export, without a label where nobody gave it one yet; or what is wrong with its row."""
    if PurePosixPath(file).suffix.lower() == ".csv":
        rows: Iterable[Any] = csv.DictReader(io.StringIO(text))
        first = 2  # line 1 is the header
    else:
        rows = json.loads(text)
        first = 1
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise BadLayout(f"a Label Studio export must be a list of tasks, got {type(rows).__name__}: {file}")
    for number, row in enumerate(rows, first):
        yield _read_row(row, f"{file}, {'line' if first == 2 else 'task'} {number}", with_boxes=with_boxes)


def _read_row(row: Mapping[str, Any], place: str, *, with_boxes: bool) -> LabelledPath | str:
    path = _image(row)
    try:
        labels, boxes = _labels(row), tuple(_boxes(row)) if with_boxes else ()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        return f"a task must be as Label Studio exports it, got {type(error).__name__}: {error}: {place}"
    if labels is None:
        return LabelledPath(path or "", None, place)
    if not path:
        return f"a row must name its image in one of {', '.join(IMAGE_NAMES)}, got none: {place}"
    if len(labels) != 1:
        return f"an image must have one label, got {sorted(labels) or 'none'}: {place}"
    label = labels.pop()
    if problems := list(name_problems(label)):
        return f"{problems[0]}: {place}"
    return LabelledPath(path, label, place, boxes)


def _image(row: Mapping[str, Any]) -> str | None:
    data = row.get("data", row)
    value = next((data[name] for name in IMAGE_NAMES if data.get(name)), None)
    return str(value) if value else None


def _labels(row: Mapping[str, Any]) -> set[str] | None:
    """The labels of a row; None where nobody labelled it."""
    if "annotations" not in row:
        value = next((row[name] for name in LABEL_NAMES if row.get(name) and not isinstance(row[name], list)), None)
        if value is None:
            return None
        return set(value["choices"]) if isinstance(value, dict) else {str(value)}
    results = _results(row)
    return {choice for result in results if result.get("type") == "choices" for choice in result["value"]["choices"]} or (
        set() if results else None
    )


def _results(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was drawn and chosen in the annotations that were not cancelled."""
    kept = (annotation for annotation in row["annotations"] if not annotation.get("was_cancelled"))
    return [result for annotation in kept for result in annotation.get("result", [])]


def _boxes(row: Mapping[str, Any]) -> Iterator[NamedBox]:
    """The rectangles of a row as relative boxes; those of several annotators together, as the choices are."""
    if "annotations" in row:
        drawn = [result for result in _results(row) if result.get("type") == "rectanglelabels"]
        yield from (_box(result["value"], result) for result in drawn)
        return
    for value in row.values():
        for item in value if isinstance(value, list) else ():
            if isinstance(item, dict) and "rectanglelabels" in item:
                yield _box(item, item)


def _box(value: Mapping[str, Any], sizes: Mapping[str, Any]) -> NamedBox:
    """The upright box round a rectangle, which Label Studio turns, in pixels, about its upper left corner."""
    x, y, width, height = (float(value[name]) / 100 for name in ("x", "y", "width", "height"))
    name = value["rectanglelabels"][0] if value["rectanglelabels"] else None
    if not value.get("rotation"):
        return NamedBox(x, y, x + width, y + height, name)
    angle = math.radians(value["rotation"])
    aspect = sizes["original_height"] / sizes["original_width"]
    edges = [(0.0, 0.0), (width, 0.0), (0.0, height), (width, height)]
    xs = [x + across * math.cos(angle) - down * aspect * math.sin(angle) for across, down in edges]
    ys = [y + across / aspect * math.sin(angle) + down * math.cos(angle) for across, down in edges]
    return NamedBox(min(xs), min(ys), max(xs), max(ys), name)


def image_path(path: str) -> str:
    """Where an image lies, relative to the export: Label Studio serves local files and uploads under paths of its own."""
    url = urlparse(path)
    if url.path == "/data/local-files/":
        return parse_qs(url.query).get("d", [path])[0]
    if url.path.startswith("/data/upload/"):
        return PurePosixPath(url.path).name
    return path
