"""Boxes of a folder of YOLO's text files: a file per image, a line per box of `class x y width height`, relative to the image.

x and y are the middle. A line with more numbers is an outline (class x y x y …), round which the box is made; with six, the
last is a detector's confidence. Names of classes are the lines of `classes.txt` or `obj.names` in the folder; without them
the objects have no names of their own.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from imagerecords.schemas.boxes import FoundBox, FoundBoxes
from imagerecords.tasks.sources.box_units import with_units
from imagerecords.tasks.storage.folders import Folder

REMOTE_READS = 32  # files read at once from object stores
NAMES = ("classes.txt", "obj.names")
NO_BOXES = {"classes.txt", "readme.txt", "readme.roboflow.txt", "readme.dataset.txt", "labels.txt", "train.txt", "val.txt"}


def is_yolo(path: str) -> bool:
    """Whether a file may be one of YOLO's."""
    name = path.rpartition("/")[2].lower()
    return name.endswith(".txt") and name not in NO_BOXES


def read_yolo_boxes(folder: Folder, paths: Sequence[str]) -> FoundBoxes:
    """The boxes of text files in a folder, and what is wrong with other lines."""
    names = _class_names(folder)
    boxes: list[FoundBox] = []
    malformed: list[str] = []
    with ThreadPoolExecutor(1 if folder.is_local else REMOTE_READS) as threads:
        for found in threads.map(lambda path: list(_read_file(folder, path, names)), paths):
            boxes += [box for box in found if isinstance(box, FoundBox)]
            malformed += [problem for problem in found if isinstance(problem, str)]
    return with_units(FoundBoxes.of(boxes, malformed, by_stem=True, form="YOLO text files"), pixels=False)


def _class_names(folder: Folder) -> list[str]:
    for name in NAMES:
        if folder.exists(name):
            return [line.strip() for line in folder.read(name).decode("utf-8-sig", "replace").splitlines()]
    return []


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
