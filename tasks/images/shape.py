"""An image's size as it is stored and its EXIF orientation, read from its header where the format has one."""

from collections.abc import Callable
from typing import NamedTuple

from imagerecords.schemas.receipt import Rejected
from imagerecords.tasks.images.decode import open_image
from imagerecords.tasks.images.jpeg import ORIENTATION_TAG, START, UPRIGHT, exif_orientation, read_jpeg_header

HEAD = 64 << 10  # bytes that hold the header of nearly all JPEGs
TIFF_WIDTH, TIFF_HEIGHT = 256, 257  # tags; Pillow's size of a TIFF may be the upright one
PNG_EXIF = b"eXIf"  # may stand behind the pixels


class Shape(NamedTuple):
    """The width and height of the stored pixels, and the EXIF orientation by which they are shown."""

    width: int
    height: int
    orientation: int


def read_shape(read: Callable[[int | None], bytes]) -> Shape | None:
    """The shape of an image; None where it can't be read as one. `read` returns so many first bytes, or all with None."""
    head = read(HEAD)
    if head.startswith(START):
        header = read_jpeg_header(head) or (read_jpeg_header(read(None)) if len(head) == HEAD else None)
        return Shape(header.width, header.height, header.orientation) if header else None
    try:
        return _shape_of(read(None) if len(head) == HEAD else head)
    except Exception:  # Pillow's plugins raise whatever they like; such an image is rejected when it is converted
        return None


def _shape_of(data: bytes) -> Shape | None:
    try:
        image = open_image(data)
    except Rejected:
        return None
    with image:
        if image.format == "TIFF":
            tags = image.tag_v2  # type: ignore[attr-defined]
            orientation = image.getexif().get(ORIENTATION_TAG, UPRIGHT)
            return Shape(tags[TIFF_WIDTH], tags[TIFF_HEIGHT], orientation if orientation in range(1, 9) else UPRIGHT)
        if image.format == "PNG" and PNG_EXIF in data:
            image.load()
        return Shape(image.width, image.height, exif_orientation(image.info.get("exif") or b""))
