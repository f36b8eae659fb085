"""The format of an image file by its first bytes, and the size in its header; nothing is decoded."""

import io

from PIL import Image

from imagerecords.tasks.images.jpeg import START, read_jpeg_header

STARTS = {
    "JPEG": (START,),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
    "TIFF": (b"II*\x00", b"MM\x00*"),
    "WEBP": (b"RIFF",),
}


def image_format(data: bytes) -> str:
    """The image format that bytes begin as, by Pillow's name; empty where it is not one of the usual."""
    for name, starts in STARTS.items():
        if data.startswith(starts) and (name != "WEBP" or data[8:12] == b"WEBP"):
            return name
    return ""


def image_size(data: bytes) -> tuple[int, int] | tuple[None, None]:
    """Height and width in pixels by an image file's header, or None twice."""
    if data.startswith(START) and (header := read_jpeg_header(data)):
        return header.height, header.width
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.height, image.width
    except Exception:  # Pillow's plugins raise anything
        return None, None
