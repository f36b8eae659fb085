"""A JPEG rotated upright without loss: its coefficients change places, and none is rounded (libjpeg-turbo's tj3Transform).

Only whole MCUs of 8 or 16 pixels a side can change places, so a side that is mirrored must be a multiple of them. Those of
phones and cameras are. The Huffman tables are the standard's where the source has those, else made for the picture.
"""

from typing import NamedTuple

try:
    import turbojpeg
except ImportError:  # it has no wheel for Linux and Windows on ARM
    turbojpeg = None

from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.jpeg import (
    APP0,
    HUFFMAN_CODED,
    PROGRESSIVE,
    START,
    JpegHeader,
    is_jfif,
    read_jpeg_header,
    segments,
)
from imagerecords.tasks.images.jpeg_metadata import metadata_of_rotated
from imagerecords.tasks.images.jpeg_parts import Part, header_parts, tidy
from imagerecords.tasks.images.jpeg_tables import has_usual_codes
from imagerecords.tasks.images.memory import keep_freed_memory

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


def rotate(data: bytes, plain: bytes, header: JpegHeader, settings: BuildSettings) -> Rotated | None:
    """A JPEG that is not upright made so in its coefficients; None where its sides, sampling or coding do not allow that.

    `plain` are the bytes that libjpeg does not warn of. With partial_blocks=trim the rows and columns beyond the last whole
    MCU go, where they would have to change places.
    """
    if turbojpeg is None or header.process not in HUFFMAN_CODED:
        return None
    trim = settings.partial_blocks == "trim"
    bare = tidy(plain, header)
    keep_freed_memory()
    try:
        rotated = turbojpeg.transform(
            bare,
            getattr(turbojpeg.OP, OPERATIONS[header.orientation]),
            perfect=not trim,
            trim=trim,
            copynone=True,
            optimize=not has_usual_codes(header_parts(bare)),
            progressive=header.process == PROGRESSIVE,
        )
    except RuntimeError:
        return None
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
