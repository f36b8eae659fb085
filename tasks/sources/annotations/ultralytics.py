"""Ultralytics' NDJSON, which its platform exports: a line of the data set with its classes, then a line per image."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from imagerecords.tasks.sources.annotations.geometry import Corners, around, no_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import SPLIT_OF, folder_of, join

CENTRED = ("boxes", "pose")  # class, centre and size; keypoints behind
OUTLINED = ("segments", "obb")  # class and the points of an outline


def is_ultralytics(content: Any) -> bool:
    """Whether a first line is that of a data set."""
    return isinstance(content, dict) and content.get("type") == "dataset" and isinstance(content.get("class_names"), dict)


def read_ultralytics(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files."""
    beside = Counter(path.rpartition("/")[2] for path in source.pictures)
    for path in source.chosen:
        names: dict[int, str] = {}
        home = folder_of(path)
        for place, content in source.json_lines(path):
            if is_ultralytics(content):
                names = {int(key): str(name) for key, name in content["class_names"].items()}
            elif isinstance(content, dict) and isinstance(content.get("file"), str):
                split = str(content.get("split") or "")
                labels, boxes = _annotations(source, content.get("annotations") or {}, names, place)
                file, url = content["file"], content.get("url")
                yield AnnotatedImage(
                    path=str(url) if url and not beside[file.rpartition("/")[2]] else file,
                    place=place,
                    labels=tuple(dict.fromkeys(labels)),
                    split=SPLIT_OF.get(split.lower()),
                    boxes=tuple(boxes),
                    size=(no_of(content.get("width") or 0), no_of(content.get("height") or 0)),
                    folders=tuple(join(home, folder) for folder in (f"images/{split}", "images", split, "")),
                )


def _annotations(
    source: Source, annotations: Mapping[str, Any], names: Mapping[int, str], place: str
) -> tuple[list[str], list[Box]]:
    labels: list[str] = []
    boxes: list[Box] = []
    for kind, items in annotations.items():
        for count, item in enumerate(items, start=1):
            number, *values = item if isinstance(item, list) else [item]
            if number not in names:
                source.refuse(place, f"a class must be one of the {len(names)} of the first line, got {number}")
            elif kind == "classification":
                labels.append(names[number])
            elif kind in CENTRED or kind in OUTLINED:
                boxes.append(Box(_corners(source, kind, values), names[number], f"{place}, {kind} {count}", relative=True))
            else:
                source.leave_object(kind)
    return labels, boxes


def _corners(source: Source, kind: str, values: list[float]) -> Corners:
    if kind in CENTRED:
        source.unread["keypoints"] += kind == "pose"
        x, y, width, height = map(no_of, values[:4])
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2
    source.remarks[f"{'outline' if kind == 'segments' else 'rotated box'}, read as the upright box around it"] += 1
    return around(zip(values[::2], values[1::2], strict=True))
