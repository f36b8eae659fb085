"""BDD100K's and Scalabel's JSON: a list of images, or `frames` of it, each with `name` and `labels` of category and box2d."""

from collections.abc import Iterator, Sequence
from typing import Any

from imagerecords.tasks.sources.annotations.geometry import Corners, around, no_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of_path


def _frames(content: Any) -> Sequence[Any]:
    frames = content.get("frames") if isinstance(content, dict) else content
    return frames if isinstance(frames, list) else ()


def is_bdd(content: Any) -> bool:
    """Whether JSON is BDD100K's."""
    frames = _frames(content)[:5]
    labelled = [label for frame in _frames(content)[:50] if isinstance(frame, dict) for label in frame.get("labels") or ()]
    return (
        bool(frames)
        and all(isinstance(frame, dict) and isinstance(frame.get("name"), str) for frame in frames)
        and bool(labelled)
        and all(isinstance(label, dict) and "category" in label for label in labelled)
    )


def read_bdd(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files."""
    for path in source.chosen:
        content = source.json(path)
        home, split = folder_of(path), split_of_path(path)
        inner = {"train": "train", "validation": "val", "test": "test"}.get(split or "", "")
        tops = [home, folder_of(home), folder_of(folder_of(home))]
        below = ["", "data", "images", inner, f"images/{inner}", f"images/100k/{inner}"]
        for number, frame in enumerate(_frames(content), start=1):
            place = source.place(path, f"image {number}")
            source.unread["attribute of an image"] += len(frame.get("attributes") or {})
            yield AnnotatedImage(
                path=str(frame.get("name") or ""),
                place=place,
                split=split,
                boxes=tuple(_boxes(source, frame.get("labels") or (), place)),
                folders=tuple(dict.fromkeys([join(top, folder) for top in tops for folder in below])),
            )


def _boxes(source: Source, labels: Sequence[Any], place: str) -> Iterator[Box]:
    for number, label in enumerate(labels, start=1):
        where = f"{place}, label {number}"
        name = str(label.get("category") or "") or None
        try:
            corners = _corners(source, label)
        except (KeyError, TypeError, ValueError, IndexError):
            source.drop_box(where, "a label must have a box2d of x1, y1, x2 and y2")
            continue
        if corners:
            yield Box(corners, name, where, is_crowd=bool((label.get("attributes") or {}).get("crowd")))


def _corners(source: Source, label: Any) -> Corners | None:
    if box := label.get("box2d"):
        return no_of(box["x1"]), no_of(box["y1"]), no_of(box["x2"]), no_of(box["y2"])
    shapes = [shape for shape in label.get("poly2d") or () if isinstance(shape, dict)]
    if not shapes or not all(shape.get("closed") for shape in shapes):
        source.leave_object("line, mask or label without a box2d")
        return None
    source.remarks["polygon, read as the upright box around it"] += 1
    return around(vertex for shape in shapes for vertex in shape["vertices"])
