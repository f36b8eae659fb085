"""Supervisely: a JSON per image, `ann/photo.jpg.json` of `img/photo.jpg`, with objects and tags of the image.

Whole numbers are pixels that belong to the object, the last one too, as its SDK has them; others are places between pixels.
"""

import base64
import io
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from PIL import Image, UnidentifiedImageError

from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.sources.annotations.geometry import Corners, around, numbers_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import SPLIT_OF, folder_of, join, split_of_folders

OUTLINES = ("rectangle", "polygon", "bitmap", "alpha_mask")
LARGEST_MASK = 64 << 20  # bytes of a mask's PNG


def is_supervisely(content: Any) -> bool:
    """Whether JSON is Supervisely's, of one image."""
    return (
        isinstance(content, dict)
        and isinstance(content.get("objects"), list)
        and isinstance(content.get("tags"), list)
        and isinstance(content.get("size"), dict)
    )


def read_supervisely(source: Source) -> Iterator[AnnotatedImage]:
    """The image of each chosen file."""
    for path, content in source.json_files(is_supervisely, "a Supervisely file must have size, tags and objects"):
        yield _read_file(source, path, content)


def _read_file(source: Source, path: str, content: Mapping[str, Any]) -> AnnotatedImage:
    place, home = source.place(path), folder_of(path)
    name = path.rpartition("/")[2].removesuffix(".json")
    boxes = []
    for number, item in enumerate(content["objects"], start=1):
        kind, where = str(item.get("geometryType") or "polygon"), f"{place}, object {number}"
        source.unread["tag of an object"] += len(item.get("tags") or ())
        if kind not in OUTLINES:
            source.leave_object(kind)
            continue
        try:
            boxes.append(Box(_corners(kind, item), str(item.get("classTitle") or "") or None, where))
        except (KeyError, TypeError, ValueError, zlib.error, UnidentifiedImageError) as error:
            source.drop_box(where, f"a {kind} must be as Supervisely writes it, got {plain_words(error)}")
            continue
        source.remarks[f"{kind}, read as the upright box around it"] += kind != "rectangle"
    tags = [tag for tag in content["tags"] if isinstance(tag, dict)]
    named = [str(tag.get("name")) for tag in tags if tag.get("value") in (None, "")]
    source.leave_object("tag with a value", len(tags) - len(named))
    splits = {SPLIT_OF[tag.lower()] for tag in named if tag.lower() in SPLIT_OF}
    size = content["size"]
    return AnnotatedImage(
        path=name,
        place=place,
        labels=tuple(dict.fromkeys(tag for tag in named if tag.lower() not in SPLIT_OF)),
        split=splits.pop() if len(splits) == 1 else split_of_folders(path.split("/")[:-1]),
        boxes=tuple(boxes),
        size=numbers_of((size.get("width"), size.get("height")), 2) or (0, 0),  # type: ignore[arg-type]
        folders=(join(folder_of(home), "img"), home, folder_of(home), join(folder_of(home), "images")),
    )


def _corners(kind: str, item: Mapping[str, Any]) -> Corners:
    if kind in ("bitmap", "alpha_mask"):
        mask = item["bitmap"]
        left, top = mask["origin"]
        data = zlib.decompressobj().decompress(base64.b64decode(mask["data"]), LARGEST_MASK)
        with Image.open(io.BytesIO(data)) as picture:
            return left, top, left + picture.width, top + picture.height
    points = item["points"]["exterior"]
    xmin, ymin, xmax, ymax = around(points)
    whole = all(float(number).is_integer() for point in points for number in point)
    return xmin, ymin, xmax + whole, ymax + whole
