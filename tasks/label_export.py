"""Reads the exports of labelling tools, and lays the labelled images out as label folders.

Local images are linked, remote ones copied. The split is partition's keyed hash of the image's path, so an image keeps
its split from export to export.
"""

import csv
import hashlib
import io
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, urlparse

from schemas.errors import BadLayout
from schemas.label_export import LabelExport, LabelledPath
from schemas.labels import name_problems
from schemas.layout import LABELS
from tasks.partition import group_position
from tasks.storage import Folder, open_folder

# Columns in which Label Studio's CSV, its JSON-MIN, and people's own files name the image and its label.
IMAGE_NAMES = ("image", "path", "file")
LABEL_NAMES = ("choice", "label")
LAID_OUT = ".laid_out.json"  # what the last export put here, so that the next removes only that


def lay_out_labels(export: LabelExport) -> dict[str, int]:
    """Lay an export's images out below labelled_directory; returns the number of images by `split/label`.

    Raises BadLayout, with a line for each bad row, when an image has no one label, or two rows give it different ones.
    """
    parent, _, name = export.export_file.rpartition("/")
    text = open_folder(parent or ".", export.storage_options).read(name).decode("utf-8-sig")
    images = _checked(list(read_export(text, export.export_file)), export.export_file)
    target = open_folder(export.labelled_directory, export.storage_options)
    base = export.images_directory or parent or "."
    placed = {}
    for image in images:
        split = "validation" if group_position(image.path) < export.validation_fraction else "train"
        folder = f"{split}/{image.label}"
        placed[_place(image.path, base, target, folder, export.storage_options)] = folder
    _remove_gone(target, set(placed))
    target.write(LABELS, "".join(f"{label}\n" for label in sorted({image.label for image in images})).encode())
    return dict(Counter(placed.values()))


def read_export(text: str, file: str) -> Iterator[LabelledPath | str]:
    """Each labelled image of an export, or what is wrong with its row; images that nobody labelled yet are left out."""
    if PurePosixPath(file).suffix.lower() == ".csv":
        rows: Iterable[Any] = csv.DictReader(io.StringIO(text))
        first = 2  # line 1 is the header
    else:
        rows = json.loads(text)
        first = 1
        if not isinstance(rows, list):
            raise BadLayout(f"a Label Studio export must be a list of tasks, got {type(rows).__name__}: {file}")
    for number, row in enumerate(rows, first):
        place = f"{file}, {'line' if first == 2 else 'task'} {number}"
        labels = _labels(row)
        path = _image(row)
        if labels is None:
            continue
        if not path:
            yield f"a row must name its image in one of {', '.join(IMAGE_NAMES)}, got none: {place}"
        elif len(labels) != 1:
            yield f"an image must have one label, got {sorted(labels) or 'none'}: {place}"
        elif problems := list(name_problems(next(iter(labels)))):
            yield f"{problems[0]}: {place}"
        else:
            yield LabelledPath(path, labels.pop(), place)


def _checked(rows: list[LabelledPath | str], file: str) -> list[LabelledPath]:
    mistakes = [row for row in rows if isinstance(row, str)]
    images: dict[str, LabelledPath] = {}
    for row in rows:
        if isinstance(row, LabelledPath):
            before = images.setdefault(row.path, row)
            if before.label != row.label:
                mistakes.append(
                    f"an image must have one label, got {before.label!r} at {before.place} and {row.label!r}: {row.place}"
                )
    if not images and not mistakes:
        mistakes.append(f"an export must hold labelled images, got none: {file}")
    if mistakes:
        raise BadLayout("\n".join(mistakes))
    return list(images.values())


def _labels(row: Mapping[str, Any]) -> set[str] | None:
    """The labels of a row; None where nobody labelled it."""
    if "annotations" not in row:
        value = next((row[name] for name in LABEL_NAMES if row.get(name)), None)
        if value is None:
            return None
        return set(value["choices"]) if isinstance(value, dict) else {str(value)}
    results = [
        result
        for annotation in row["annotations"]
        if not annotation.get("was_cancelled")
        for result in annotation.get("result", [])
        if result.get("type") == "choices"
    ]
    return {choice for result in results for choice in result["value"]["choices"]} if results else None


def _image(row: Mapping[str, Any]) -> str | None:
    data = row.get("data", row)
    value = next((data[name] for name in IMAGE_NAMES if data.get(name)), None)
    return str(value) if value else None


def _source(path: str, base: str) -> str:
    """Where an image really lies: Label Studio serves local files and uploads under paths of its own."""
    url = urlparse(path)
    if url.path == "/data/local-files/":
        path = parse_qs(url.query)["d"][0]
    elif url.path.startswith("/data/upload/"):
        path = PurePosixPath(url.path).name
    if "://" in path or path.startswith("/"):
        return path
    return f"{base.rstrip('/')}/{path}"


def _place(path: str, base: str, target: Folder, folder: str, storage_options: Mapping[str, Any]) -> str:
    """Put an image into its label's folder, under a name with a digest of its path; returns its place."""
    source = _source(path, base)
    parent, _, name = source.rpartition("/")
    place = f"{folder}/{hashlib.sha256(path.encode()).hexdigest()[:8]}-{name}"
    origin = open_folder(parent or "/", storage_options)
    if not origin.exists(name):
        raise BadLayout(f"an image of the export must exist, got none: {source}. Check images_directory")
    if origin.is_local and target.is_local:
        link = target.join(place)
        os.makedirs(os.path.dirname(link), exist_ok=True)
        if not os.path.lexists(link):
            os.symlink(origin.join(name), link)
    else:
        target.write(place, origin.read(name))
    return place


def _remove_gone(target: Folder, placed: set[str]) -> None:
    """Remove what an earlier export laid out and this one does not: images relabelled or withdrawn."""
    before = json.loads(target.read(LAID_OUT)) if target.exists(LAID_OUT) else []
    for place in set(before) - placed:
        target.remove(place)
    target.write(LAID_OUT, json.dumps(sorted(placed), indent=0).encode())
