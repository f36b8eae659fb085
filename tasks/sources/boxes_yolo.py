"""Boxes of a folder of YOLO's text files: a file per image, a line per box of `class x y width height`, relative to the image.

x and y are the middle. A line with more numbers is an outline (class x y x y …), round which the box is made; with six, the
last is a detector's confidence. Names of classes are the lines of `classes.txt` or `obj.names`, or `names` in
`data.yaml`, beside the text file or nearest above it; without them the objects have no names of their own.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import yaml

from imagerecords.schemas.boxes import FoundBox, FoundBoxes
from imagerecords.tasks.sources.box_units import with_units
from imagerecords.tasks.storage.folders import Folder

REMOTE_READS = 32  # files read at once from object stores
NAMES = ("classes.txt", "obj.names")
DATA_FILES = ("data.yaml", "dataset.yaml", "data.yml")
NO_BOXES = {"classes.txt", "readme.txt", "readme.roboflow.txt", "readme.dataset.txt", "labels.txt", "train.txt", "val.txt"}


def is_yolo(path: str) -> bool:
    """Whether a file may be one of YOLO's."""
    name = path.rpartition("/")[2].lower()
    return name.endswith(".txt") and name not in NO_BOXES


def read_yolo_boxes(folder: Folder, paths: Sequence[str]) -> FoundBoxes:
    """The boxes of text files in a folder, and what is wrong with other lines."""
    names = {place: _class_names(folder, place) for place in {_folder_of(path) for path in paths}}
    boxes: list[FoundBox] = []
    malformed: list[str] = []
    with ThreadPoolExecutor(1 if folder.is_local else REMOTE_READS) as threads:
        for found in threads.map(lambda path: list(_read_file(folder, path, names[_folder_of(path)])), paths):
            boxes += [box for box in found if isinstance(box, FoundBox)]
            malformed += [problem for problem in found if isinstance(problem, str)]
    return with_units(FoundBoxes.of(boxes, malformed, by_stem=True, form="YOLO text files"), pixels=False)


def _folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def _class_names(folder: Folder, place: str) -> list[str]:
    """The names for text files in a place below the folder: those there, or nearest above it."""
    while True:
        start = f"{place}/" if place else ""
        for name in NAMES:
            if folder.exists(start + name):
                return [line.strip() for line in folder.read(start + name).decode("utf-8-sig", "replace").splitlines()]
        for name in DATA_FILES:
            if folder.exists(start + name):
                return _names_in(folder.read(start + name))
        if not place:
            return []
        place = _folder_of(place)


def _names_in(data: bytes) -> list[str]:
    """The names in a data.yaml: a list, or a mapping from numbers; none where it has none."""
    try:
        content = yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, RecursionError):
        return []
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict):
        names = [names.get(number) for number in range(len(names))]
    return list(map(str, names)) if isinstance(names, list) else []


def _read_file(folder: Folder, path: str, names: Sequence[str]) -> Iterable[FoundBox | str]:
    place, image = folder.join(path), path.rpartition(".")[0]
    for number, line in enumerate(folder.read(path).decode("utf-8-sig", "replace").splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{place}, line {number}"
        try:
            kind, *numbers = line.split()
            values = np.array(numbers, np.float64)
            name = names[int(float(kind))] if 0 <= int(float(kind)) < len(names) else None
        except (ValueError, OverflowError):
            values, name = np.empty(0), None
        if len(values) in (4, 5):
            x, y, width, height = map(float, values[:4])
            yield FoundBox(image, where, (x - width / 2, y - height / 2, x + width / 2, y + height / 2), name)
        elif len(values) >= 6 and len(values) % 2 == 0:
            xs, ys = values[0::2], values[1::2]
            yield FoundBox(image, where, (float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max())), name)
        else:
            yield f"a line must be a class and four numbers, got {line[:60]!r}: {where}"
