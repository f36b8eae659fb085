"""Apple's Create ML, as Roboflow and supervision write it: a list of images, boxes by their centre in pixels."""

from collections.abc import Iterator, Mapping
from typing import Any

from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of_path


def is_createml(content: Any) -> bool:
    """Whether JSON is Create ML's."""
    return (
        isinstance(content, list)
        and bool(content)
        and all(
            isinstance(item, dict) and _name(item) and not {"annotations", "annotation", "label"}.isdisjoint(item)
            for item in content[:5]
        )
        and not any("data" in item for item in content[:5])  # Label Studio's tasks
    )


def _name(item: Mapping[str, Any]) -> str | None:
    name = item.get("image") or item.get("imagefilename")
    return name if isinstance(name, str) else None


def read_createml(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files."""
    for path in source.chosen:
        content = source.json(path)
        if not isinstance(content, list):
            source.refuse(source.place(path), "a Create ML file must be a list of images")
            continue
        for number, item in enumerate(content, start=1):
            place = source.place(path, f"image {number}")
            written = _name(item) if isinstance(item, dict) else None
            if not written:
                source.refuse(place, "an image must be named, got none")
                continue
            home = folder_of(path)
            annotations = item.get("annotations") or item.get("annotation") or []
            yield AnnotatedImage(
                path=written,
                place=place,
                labels=(str(item["label"]),) if item.get("label") else (),
                split=split_of_path(path),
                boxes=tuple(_boxes(source, annotations, place)),
                folders=(home, join(home, "images"), folder_of(home)),
            )


def _boxes(source: Source, annotations: Any, place: str) -> Iterator[Box]:
    for number, annotation in enumerate(annotations, start=1):
        where = f"{place}, annotation {number}"
        try:
            inner = annotation["coordinates"]
            x, y, width, height = (float(inner[name]) for name in ("x", "y", "width", "height"))
        except (KeyError, TypeError, ValueError, OverflowError):
            source.drop_box(where, "an annotation must have coordinates x, y, width and height")
            continue
        corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        yield Box(corners, str(annotation.get("label") or "") or None, where)
