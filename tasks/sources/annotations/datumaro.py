"""Datumaro's own JSON: `categories.label.labels`, and `items` with annotations of several types; a file is a subset."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.sources.annotations.geometry import are_numbers, around, from_size, rotated
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of, stem_of


def is_datumaro(content: Any) -> bool:
    """Whether JSON is Datumaro's."""
    return isinstance(content, dict) and isinstance(content.get("items"), list) and isinstance(content.get("categories"), dict)


def read_datumaro(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files."""
    for path in source.chosen:
        content = source.json(path)
        if not is_datumaro(content):
            source.refuse(source.place(path), "a Datumaro file must have categories and a list of items")
            continue
        labels = (content["categories"].get("label") or {}).get("labels") or []
        names = [str(label.get("name")) if isinstance(label, dict) else str(label) for label in labels]
        for number, item in enumerate(content["items"], start=1):
            place = source.place(path, f"item {number}")
            if not isinstance(item, dict):
                source.refuse(place, "an item must be an object")
                continue
            yield _read_item(source, path, item, names, place)


def _read_item(source: Source, path: str, item: Mapping[str, Any], names: Sequence[str], place: str) -> AnnotatedImage:
    media = item.get("image") or item.get("media") or {}
    subset = stem_of(path.rpartition("/")[2])
    labels, boxes = [], []
    for number, annotation in enumerate(item.get("annotations") or [], start=1):
        where = f"{place}, annotation {number}"
        kind, label = annotation.get("type"), annotation.get("label_id")
        source.unread["attribute"] += len(annotation.get("attributes") or {})
        if label is not None and (not isinstance(label, int) or not 0 <= label < len(names)):
            source.refuse(where, f"a label_id must be below {len(names)}, the number of labels, got {label!r}")
        elif kind == "label" and label is not None:
            labels.append(names[label])
        elif kind in SHAPES:
            try:
                attributes = annotation.get("attributes") or {}
                crowd = any(attributes.get(name) is True for name in ("is_crowd", "is_group_of"))
                name, difficult = None if label is None else names[label], attributes.get("difficult") is True
                boxes.append(Box(_corners(source, annotation), name, where, is_crowd=crowd, difficult=difficult))
            except (KeyError, TypeError, ValueError) as error:
                source.drop_box(where, f"a {kind} must have numbers as Datumaro writes them, got {plain_words(error)}")
        else:
            source.leave_object(str(kind))
    height, width = media["size"] if are_numbers(media.get("size")) and len(media["size"]) == 2 else (0, 0)
    top, written = folder_of(folder_of(path)), str(media.get("path") or "")
    below = [f"images/{subset}", "images", subset, "", f"videos/{subset}"]
    return AnnotatedImage(
        path=written or str(item.get("id")),
        place=place,
        labels=tuple(dict.fromkeys(labels)),
        split=split_of(subset),
        boxes=tuple(boxes),
        size=(width, height),
        by_stem=not written,
        folders=tuple(join(top, folder) for folder in below),
        other=str(item.get("id")),
    )


def _corners(source: Source, annotation: Mapping[str, Any]) -> tuple[float, float, float, float]:
    kind = annotation["type"]
    if kind == "bbox":
        corners = from_size(*(float(value) for value in annotation["bbox"]))
        degrees = float((annotation.get("attributes") or {}).get("rotation") or 0)
        source.remarks["rotated box, read as the upright box around it"] += bool(degrees % 360)
        return rotated(corners, degrees)
    source.remarks[f"{kind}, read as the upright box around it"] += 1
    if kind == "rotated_bbox":
        x, y, width, height, degrees = (float(value) for value in annotation["rbox"])
        return rotated((x - width / 2, y - height / 2, x + width / 2, y + height / 2), degrees)
    points = annotation["points"]
    if kind == "ellipse":
        return around([points[:2], points[2:]])
    return around(zip(points[::2], points[1::2], strict=True))


SHAPES = ("bbox", "polygon", "rotated_bbox", "ellipse")
