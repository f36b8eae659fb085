"""YOLO's label files: where an image's may lie, and their lines of a class and numbers relative to the image.

Ultralytics' rules: an image's file is the one that its path leads to when its last folder `images` becomes `labels`; a line of
five numbers is a box (centre and size), of seven or more an outline, or with `kpt_shape` in the YAML a box with keypoints.
"""

import re
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from imagerecords.schemas.messages import some
from imagerecords.tasks.sources.annotations.geometry import around, no_of
from imagerecords.tasks.sources.annotations.model import Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, stem_of
from imagerecords.tasks.sources.file_names import ending_of

CUBS = "image_class_labels.txt"  # one of CUB-200's tables, which are numbers too
LEAST_NUMBERS = 5  # in a line: a class and a box
MOST_TEXTS = 5  # looked into, to know whether they are labels


class Layout(NamedTuple):
    """The names of classes by id, the images with their splits, and whether lines have keypoints behind the box."""

    names: dict[int, str]
    images: list[tuple[str, str | None]]
    keypoints: bool


def label_files(image: str) -> list[str]:
    """Where an image's labels may stand: below `labels` in place of `images`, in a folder `labels` beside it, or beside it."""
    parts = stem_of(image).split("/")
    found = []
    for number in reversed([number for number, part in enumerate(parts[:-1]) if part.lower() == "images"]):
        found += ["/".join([*parts[:number], name, *parts[number + 1 :]]) + ".txt" for name in ("labels", "Labels")]
    beside = [join(folder_of(image), "labels", parts[-1]), join(folder_of(folder_of(image)), "labels", parts[-1])]
    return [*found, stem_of(image) + ".txt", *(f"{path}.txt" for path in beside)]


def is_label_file(source: Source, path: str) -> bool:
    """Whether a text that no image led to has lines of numbers; lists of images and of classes have none."""
    lines = [line.split() for line in source.text(path).splitlines() if line.strip()]
    numbers = all(re.fullmatch(r"[-+0-9.eE]+", word) for words in lines for word in words)
    return bool(lines) and numbers and all(len(words) >= LEAST_NUMBERS for words in lines)


def lines_of(source: Source, path: str, text: str, layout: Layout) -> Iterable[Box]:
    """The objects in a label file's text; what can't be read is noted."""
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        place = source.place(path, f"line {number}")
        try:
            values = [no_of(word) for word in words[1:]]
            number_of_class = int(no_of(words[0]))
            name = layout.names.get(number_of_class) if source.only_boxes else layout.names[number_of_class]
            yield Box(_corners(source, values, layout), name, place, relative=True)
        except KeyError:
            known = some([f"{key} ({name})" for key, name in layout.names.items()])
            source.refuse(place, f"a class must be one of {known}, got {words[0]}")
        except (ValueError, IndexError):
            source.drop_box(place, f"a line must be a class and 4 numbers, or 6 and more of an outline, got {line[:80]!r}")


def _corners(source: Source, values: list[float], layout: Layout) -> tuple[float, float, float, float]:
    if len(values) in (4, 5) or (layout.keypoints and len(values) > 4):
        source.unread["keypoints"] += layout.keypoints and len(values) > 5
        source.unread["confidence"] += len(values) == 5
        x, y, width, height = values[:4]
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2
    if len(values) < 6 or len(values) % 2:
        raise ValueError("neither a box nor an outline")
    what = "rotated box" if len(values) == 8 else "outline"
    source.remarks[f"{what}, read as the upright box around it"] += 1
    return around(zip(values[::2], values[1::2], strict=True))


def looks_like_labels(source: Source, files: Iterable[str]) -> bool:
    """Whether texts of numbers go with images, of the same stem beside them or in `labels`, or with names; not captions."""
    texts = {path for path in files if ending_of(path) == ".txt"}
    if any(path.rpartition("/")[2] == CUBS for path in texts):
        return False
    of_images = (text for image in source.pictures for text in label_files(image) if text in texts)
    first = list(islice(of_images, MOST_TEXTS))
    if first and not any(source.text(path).split() for path in first):
        return True  # images without objects
    return any(is_label_file(source, path) for path in first or sorted(texts)[:MOST_TEXTS])
