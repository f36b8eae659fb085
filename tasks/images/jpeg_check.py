"""Whether a JPEG's coefficients are whole: every one is read, at a small scale, and libjpeg's warnings are weighed.

A decision that binds users' data. What libjpeg warns of in a header (an unknown JFIF revision, a profile whose chunks don't
match, Adobe's transform 2, the spectrum of a sequential scan, stray bytes between segments) changes no pixel in any decoder:
such a JPEG is sound, and odd. Every warning about a scan is damage, with one exception: bytes between the last block and the
end of image, with which some cameras pad. They differ from the rest of a stream that lost its place: all blocks stand before
them, the last byte's unused bits are ones, as the standard has it (ITU T.81, F.1.2.3), and they are no further blocks.
"""

import contextlib
import io
import re
from typing import NamedTuple

import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.tasks.images.jpeg import BASELINE, END, EXTENDED, JpegHeader
from imagerecords.tasks.images.jpeg_padding import continues
from imagerecords.tasks.images.jpeg_parts import take_apart, tidy
from imagerecords.tasks.images.jpeg_scan import read_clean
from imagerecords.tasks.images.limits import refuse_scans
from imagerecords.tasks.images.metrics import Grey

HUFFMAN_SEQUENTIAL = {BASELINE, EXTENDED}
PADDED = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
EVEN_PADDING = 2  # bytes of one value: no stream looks so


class Coefficients(NamedTuple):
    """A JPEG's grey picture, reduced, and whether libjpeg warned of what no pixel depends on.

    `plain` are the bytes of which libjpeg does not warn: the JPEG's own, or those that its pixels depend on.
    """

    grey: Grey
    is_odd: bool
    plain: bytes


def read_coefficients(data: bytes, header: JpegHeader, scale: int) -> Coefficients:
    """Read all of a JPEG, and give its picture reduced by 8, 4, 2 or 1.

    Raises Rejected where coefficients are damaged, or in more scans than are read.
    """
    if (grey := read_clean(data, header, scale)) is not None:
        return Coefficients(grey, False, data)
    refuse_scans(data, header)
    try:
        return Coefficients(_decode(data, header, scale), False, data)
    except ValueError as error:
        if "subsampling" in str(error):  # its header call refuses some rare but legal ones, which Pillow reads
            return Coefficients(_decode_by_pillow(data), False, data)
    tidied = tidy(data, header)
    try:
        return Coefficients(_decode(tidied, header, scale), True, tidied)
    except ValueError as error:
        message = str(error)
    if (padded := PADDED.search(message)) and (sound := _without_padding(tidied, header, int(padded[1]))):
        with contextlib.suppress(ValueError):
            return Coefficients(_decode(sound, header, scale), True, sound)
    raise Rejected(Reason.TRUNCATED if "remature end" in message else Reason.CORRUPT, message)


def _decode(data: bytes, header: JpegHeader, scale: int = 8) -> Grey:
    least = {"min_height": -(-header.height // scale), "min_width": -(-header.width // scale)}
    grey: Grey = simplejpeg.decode_jpeg(data, "CMYK" if header.components == 4 else "GRAY", strict=True, **least)[..., 0]
    return grey


def _decode_by_pillow(data: bytes) -> Grey:
    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert("L"))
    except UnidentifiedImageError as error:  # its text has a memory address
        raise Rejected(Reason.CORRUPT, "a JPEG that Pillow does not read") from error
    except Exception as error:  # Pillow's plugins throw anything
        message = " ".join(f"{type(error).__name__}: {error}".split())
        raise Rejected(Reason.TRUNCATED if "runcated" in message else Reason.CORRUPT, message) from error


def _without_padding(data: bytes, header: JpegHeader, count: int) -> bytes | None:
    """A tidied JPEG that ends with its last block; None where what follows that is no padding."""
    end = len(data) - len(END) - count
    if end <= 0 or not _is_whole(data[:end], header):
        return None
    end = _least_whole(data, end, header)
    padding = data[end : -len(END)]
    if len(padding) >= EVEN_PADDING and len(set(padding)) == 1:
        return data[:end] + END
    if header.process not in HUFFMAN_SEQUENTIAL or not _ends_in_ones(data[:end], header):
        return None
    return None if continues(take_apart(data)[0], data[:end], padding) else data[:end] + END


def _least_whole(data: bytes, end: int, header: JpegHeader) -> int:
    """How many bytes of the data have all blocks; fewer than `end` where libjpeg counts fill bytes, or has read ahead."""
    step = 1
    while step < end and _is_whole(data[: end - step], header):
        end -= step
        step *= 2
    too_few = max(0, end - step)
    while end - too_few > 1:
        middle = (end + too_few) // 2
        if _is_whole(data[:middle], header):
            end = middle
        else:
            too_few = middle
    return end


def _is_whole(data: bytes, header: JpegHeader) -> bool:
    """Whether every block is there before the end of image that is put behind the data."""
    try:
        _decode(data + END, header)
    except ValueError as error:
        return PADDED.search(str(error)) is not None
    return True


def _ends_in_ones(data: bytes, header: JpegHeader) -> bool:
    """Whether the bits of the last byte that no block has used are ones: then the last zero among them is used."""
    last = data[-1]
    if data.endswith(b"\xff\0") or last == 0xFF:
        return True
    changed = last | last + 1  # the lowest zero becomes a one
    other = data[:-1] + (b"\xff\0" if changed == 0xFF else bytes([changed]))
    try:
        space = "CMYK" if header.components == 4 else "RGB" if header.components == 3 else "GRAY"
        before, after = (simplejpeg.decode_jpeg(one + END, space, strict=True) for one in (data, other))
    except ValueError:  # the bit is used: what follows reads as another code
        return True
    return not np.array_equal(before, after)
