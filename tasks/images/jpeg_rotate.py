"""A JPEG rotated upright without loss: its coefficients change places, and none is rounded.

The extension does it with clean baseline JPEGs (jpeg_scan.py), libjpeg-turbo's tj3Transform with all others, to the same bytes.

Only whole MCUs of 8 or 16 pixels a side can change places, so a side that is mirrored must be a multiple of them. Those of
phones and cameras are. The Huffman tables are made for the picture, so that no source's are better.
"""

from typing import NamedTuple

try:
    import turbojpeg
except ImportError:  # it has no wheel for Linux and Windows on ARM
    turbojpeg = None

from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images import jpeg_scan
from imagerecords.tasks.images.jpeg import (
    APP0,
    BASELINE,
    HUFFMAN_CODED,
    PROGRESSIVE,
    START,
    JpegHeader,
    is_jfif,
    read_jpeg_header,
    segments,
)
from imagerecords.tasks.images.jpeg_metadata import metadata_of_rotated
from imagerecords.tasks.images.jpeg_parts import Part, tidy
from imagerecords.tasks.images.memory import keep_freed_memory
from imagerecords.tasks.images.metrics import Grey

# What rotates a picture upright, by its EXIF orientation: turbojpeg's names.
OPERATIONS = {2: "HFLIP", 3: "ROT180", 4: "VFLIP", 5: "TRANSPOSE", 6: "ROT90", 7: "TRANSVERSE", 8: "ROT270"}
EXCHANGED = {5, 6, 7, 8}  # orientations of pictures that are as wide as they should be high


class Rotated(NamedTuple):
    """An upright JPEG, its size, and how many rows and columns of the stored picture are in it."""

    encoded: bytes
    height: int
    width: int
    rows: int
    columns: int


def rotate_clean(data: bytes, header: JpegHeader, settings: BuildSettings) -> tuple[Rotated, Grey] | None:
    """A surely sound JPEG made upright as `rotate` does, and the stored picture at 1/8 scale; None where libjpeg has to do it.

    Both come from one pass over the coefficients, so the JPEG needs no other check.
    """
    if header.process != BASELINE:
        return None
    keep_freed_memory()
    made = jpeg_scan.rotate_clean(data, header)
    if made is None or (rotated := _finished(made[0], data, header, settings)) is None:
        return None
    return rotated, made[1]


def rotate(data: bytes, plain: bytes, header: JpegHeader, settings: BuildSettings) -> Rotated | None:
    """A JPEG that is not upright made so in its coefficients; None where its sides, sampling or coding do not allow that.

    `plain` are the bytes that libjpeg does not warn of. With partial_blocks=trim the rows and columns beyond the last whole
    MCU go, where they would have to change places.
    """
    if turbojpeg is None or header.process not in HUFFMAN_CODED:
        return None
    trim = settings.partial_blocks == "trim"
    keep_freed_memory()
    try:
        rotated = turbojpeg.transform(
            tidy(plain, header),
            getattr(turbojpeg.OP, OPERATIONS[header.orientation]),
            perfect=not trim,
            trim=trim,
            copynone=True,
            optimize=True,
            progressive=header.process == PROGRESSIVE,
        )
    except RuntimeError:
        return None
    return _finished(rotated, data, header, settings)


def _finished(rotated: bytes, data: bytes, header: JpegHeader, settings: BuildSettings) -> Rotated | None:
    """The rotated JPEG with the metadata of the one before; None where it has no row or column left."""
    size = read_jpeg_header(rotated)
    if size is None or not size.height or not size.width:
        return None
    exchanged = header.orientation in EXCHANGED
    metadata = metadata_of_rotated(data, settings, exchanged=exchanged)
    rows, columns = (size.width, size.height) if exchanged else (size.height, size.width)
    return Rotated(_with_metadata(rotated, metadata), size.height, size.width, rows, columns)


def _with_metadata(rotated: bytes, metadata: list[Part]) -> bytes:
    """The rotated JPEG with the segments that it had; its own JFIF segment only where it had none."""
    _, start, end = next(segments(rotated))
    rest = end if any(part.marker == APP0 for part in metadata) and is_jfif(rotated, start, end) else len(START)
    return b"".join([START, *(part.written() for part in metadata), memoryview(rotated)[rest:]])
