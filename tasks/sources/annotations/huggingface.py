"""Hugging Face's imagefolder: metadata.csv, .jsonl or .parquet beside the images, with `file_name` and columns of its own.

`objects` has lists `bbox` and `categories` (or `category`, `label`). How the numbers of a bbox are meant is written nowhere:
they are taken as the documentation writes them (x, y, width, height in pixels), unless that leads out of an image and corners
do not.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from imagerecords.schemas.json_text import parse_json
from imagerecords.schemas.plain_words import kind_of
from imagerecords.tasks.sources.annotations.geometry import are_numbers, from_size
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of_folders
from imagerecords.tasks.sources.annotations.tables import rows_of
from imagerecords.tasks.sources.file_names import ending_of
from imagerecords.tasks.storage.arrow_files import arrow_reader

NAMES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
FILE_COLUMNS = ("file_name", "image_file_name")
LABEL_COLUMNS = ("label", "labels", "class", "category", "text_label", "class_name", "label_name")
OBJECT_COLUMNS = ("objects", "object", "annotations")
CLASS_KEYS = ("categories", "category", "labels", "label", "class", "classes", "category_id", "id")
SPLIT_COLUMN = "split"


class _Entry(NamedTuple):
    """A row of a metadata file."""

    path: str
    place: str
    values: Mapping[str, Any]


def read_huggingface(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files."""
    entries = [entry for path in source.chosen for entry in _entries(source, path)]
    columns = dict.fromkeys(chain.from_iterable(entry.values for entry in entries))
    label = next((name for name in LABEL_COLUMNS if name in columns), None)
    objects = next((name for name in OBJECT_COLUMNS if name in columns), None)
    if label is None and objects is None:
        found = ", ".join(columns) or "none"
        source.refuse(
            source.place(source.chosen[0]), f"a column must be named {', '.join(LABEL_COLUMNS[:4])} or objects, got {found}"
        )
        return
    for name in columns.keys() - {label, objects, SPLIT_COLUMN, *FILE_COLUMNS}:
        source.unread[f"column {name}"] += len(entries)
    corners = _are_corners(source, entries, objects)
    how = "corners (xmin, ymin, xmax, ymax)" if corners else "x, y, width, height, as COCO has it"
    source.remarks[f"row whose objects' bbox is read as {how}"] += len(entries) if objects else 0
    for entry in entries:
        written = _written(entry)
        if not written:
            source.refuse(entry.place, "a row must have a file_name, got none")
            continue
        home = folder_of(entry.path)
        whole = join(home, written.replace("\\", "/"))
        split = str(entry.values.get(SPLIT_COLUMN) or "") or None
        yield AnnotatedImage(
            path=written,
            place=entry.place,
            labels=_labels(entry.values.get(label or "")),
            split=split_of_folders([split]) or split if split else split_of_folders(whole.split("/")[:-1]),
            boxes=tuple(_boxes(source, entry, objects, corners=corners)),
            folders=(home, join(home, "images"), join(home, "data")),
        )


def _entries(source: Source, path: str) -> Iterator[_Entry]:
    if ending_of(path) == ".csv":
        for row in rows_of(source, path):
            yield _Entry(path, source.place(path, f"line {row.line}"), row.values)
        return
    if ending_of(path) == ".parquet":
        table = pq.ParquetFile(arrow_reader(source.folder.read(path))).read()
        for number, values in enumerate(table.to_pylist(), start=1):
            yield _Entry(path, source.place(path, f"row {number}"), values)
        return
    for place, values in source.json_lines(path):
        if isinstance(values, dict):
            yield _Entry(path, place, values)
        else:
            source.refuse(place, f"a line must be a JSON object, got {kind_of(type(values).__name__)}")


def _labels(value: Any) -> tuple[str, ...]:
    """The labels in a value: a text, a number, or a list of them."""
    values = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(text for item in values if (text := _text(item)).strip()))


def _text(value: Any) -> str:
    """A text as it is, a number as one; pandas makes floats of whole numbers with gaps, which are NaN."""
    if isinstance(value, float) and (math.isnan(value) or value.is_integer()):
        return "" if math.isnan(value) else str(int(value))
    return "" if value is None else str(value)


def _parsed(value: Any) -> Any:
    """A value of the column objects; in CSV it is JSON's text."""
    try:
        return parse_json(value) if isinstance(value, str) and value else value
    except ValueError:
        return None


def _objects(value: Any) -> Iterator[tuple[Any, Any]]:
    """The box and class of each object, from lists side by side or a list of objects."""
    value = _parsed(value)
    if isinstance(value, list):
        for item in value:
            yield item.get("bbox"), next((item[key] for key in CLASS_KEYS if key in item), None)
    elif isinstance(value, dict):
        boxes = value.get("bbox") or value.get("bboxes") or []
        classes = next((value[key] for key in CLASS_KEYS if isinstance(value.get(key), list)), [None] * len(boxes))
        yield from zip(boxes, classes, strict=False)


def _are_corners(source: Source, entries: Sequence[_Entry], column: str | None) -> bool:
    """Whether numbers are corners: as widths and heights some lead out of their image, and as corners none does."""
    leads_out = False
    for entry in entries:
        boxes = [box for box, _ in _objects(entry.values.get(column or "")) if are_numbers(box) and len(box) == 4]
        if any(box[2] <= box[0] or box[3] <= box[1] for box in boxes):
            return False
        if boxes and not leads_out:
            path = next((path for path in _ways(entry) if path in source.files_set), "")
            relative = all(max(box) <= 1 and _has_fractions(box) for box in boxes)
            width, height = (1, 1) if relative else (path and source.size_of(path)) or (0, 0)
            leads_out = bool(width) and any(box[0] + box[2] > width or box[1] + box[3] > height for box in boxes)
    return leads_out


def _ways(entry: _Entry) -> list[str]:
    """Where the image of a row may lie."""
    home, written = folder_of(entry.path), _written(entry)
    return [join(home, folder, written.replace("\\", "/")) for folder in ("", "images", "data")]


def _written(entry: _Entry) -> str:
    return next((str(entry.values[name]) for name in FILE_COLUMNS if entry.values.get(name)), "")


def _boxes(source: Source, entry: _Entry, column: str | None, *, corners: bool) -> Iterator[Box]:
    for box, name in _objects(entry.values.get(column or "")):
        if not are_numbers(box) or len(box) != 4:
            source.drop_box(entry.place, f"a bbox must be four numbers, got {box!r}")
            continue
        relative = max(box) <= 1 and _has_fractions(box)
        place = f"{entry.place}, {column}"
        yield Box(tuple(box) if corners else from_size(*box), None if name is None else str(name), place, relative)


def _has_fractions(values: Sequence[float]) -> bool:
    return any(not float(value).is_integer() for value in values)
