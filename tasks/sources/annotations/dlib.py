"""dlib's XML, as imglab writes it: `<dataset><images><image file=…><box left=… top=… width=… height=…><label>`."""

from collections.abc import Iterator
from typing import Any

from imagerecords.tasks.sources.annotations.geometry import from_size, no_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of_path
from imagerecords.tasks.sources.annotations.xml import read_xml


def read_dlib(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files."""
    for path in source.chosen:
        root = read_xml(source, path)
        for number, image in enumerate(() if root is None else root.iter("image"), start=1):
            place, home = source.place(path, f"image {number}"), folder_of(path)
            yield AnnotatedImage(
                path=image.get("file") or "",
                place=place,
                split=split_of_path(path),
                boxes=tuple(_boxes(source, image, place)),
                size=(_number(image.get("width")), _number(image.get("height"))),
                folders=tuple(dict.fromkeys([home, join(home, "images"), folder_of(home)])),
            )


def _boxes(source: Source, image: Any, place: str) -> Iterator[Box]:
    for number, element in enumerate(image.findall("box"), start=1):
        where = f"{place}, box {number}"
        source.unread["part of an object"] += len(element.findall("part"))
        if element.get("ignore") == "1":
            source.leave_object("box marked ignore")
            continue
        try:
            corners = from_size(*(no_of(element.get(name)) for name in ("left", "top", "width", "height")))
        except (TypeError, ValueError):
            source.drop_box(where, "a box must have left, top, width and height")
            continue
        name, hard = (element.findtext("label") or "").strip() or None, element.get("difficult") == "1"
        yield Box(corners, name, where, difficult=hard, is_crowd=False)


def _number(text: str | None) -> float:
    try:
        return no_of(text or 0)
    except ValueError:
        return 0
