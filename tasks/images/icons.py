"""Icons of Windows and macOS, and cursors: the largest picture, of those of its size the one of most colours, with its mask.

Decisions that bind users' data, as browsers take them: a picture's depth is that of its own header, since the directory's may
be 0 and is a cursor's hot spot; where all opacities of 32 bits are 0, the mask counts.
"""

import io
import struct
from typing import NamedTuple

from PIL import IcoImagePlugin, Image

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.bitmaps import whole_palette
from imagerecords.tasks.images.formats import STARTS
from imagerecords.tasks.images.limits import PICTURES, refuse_count
from imagerecords.tasks.images.memory_needed import BITMAP, need_of_loaded, refuse_memory
from imagerecords.tasks.images.opening import Decoded, load, open_image, refuse_size
from imagerecords.tasks.images.png import read_png

DIRECTORY, ENTRY = 6, 16  # bytes
ICON, CURSOR = 1, 2
BITFIELDS = 3  # a compression
PNG_START = STARTS["PNG"][0]
PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type


class Entry(NamedTuple):
    """A picture in the file; its depth is in bits per pixel."""

    height: int
    width: int
    depth: int
    data: bytes


def read_icon(data: bytes, settings: BuildSettings) -> Decoded:
    """The best picture of an ICO or CUR file. Raises Rejected, or what Pillow raises."""
    _, kind, count = struct.unpack_from("<HHH", data)
    if not count and kind == ICON:
        raise Rejected(Reason.CORRUPT, "an icon without a picture")
    if not count:  # some Targa files begin as a cursor does
        return load(open_image(data), settings)
    refuse_count(count, PICTURES, "picture")
    entries = [_entry(data, DIRECTORY + ENTRY * number) for number in range(count)]
    best = max(entries, key=lambda entry: (entry.height * entry.width, entry.depth))  # the first of equals
    refuse_size(best.height, best.width, settings)
    if best.data.startswith(PNG_START):
        decoded = read_png(best.data, settings)
        image = decoded.image
    else:
        refuse_memory(BITMAP, best.height, best.width, len(data), settings)
        image = _bitmap(best, best.depth)
        if best.depth == 32 and image.getchannel("A").getextrema() == (0, 0):
            image = _bitmap(best, 24)  # Pillow then takes the mask
    image.format = "CUR" if kind == CURSOR else "ICO"
    return Decoded(image)


def read_icns(data: bytes, settings: BuildSettings) -> Decoded:
    """The largest picture of an icon of macOS. Raises Rejected, or what Pillow raises.

    Pillow's own load loses the palette of a picture that is a PNG.
    """
    image = open_image(data)
    refuse_size(image.height, image.width, settings)
    refuse_memory(need_of_loaded(image), image.height, image.width, len(data), settings)
    largest: Image.Image = image.icns.getimage()  # type: ignore[attr-defined]
    largest.load()
    largest.format = image.format
    return Decoded(largest)


def _entry(data: bytes, position: int) -> Entry:
    width, height, _, _, _, _, size, offset = struct.unpack_from("<BBBBHHII", data, position)
    body = data[offset : offset + size]
    if body.startswith(PNG_START):
        if len(body) < max(size, 26):
            raise Rejected(Reason.TRUNCATED, "the icon ends before its pictures")
        width, height, bits, colour_type = struct.unpack_from(">IIBB", body, 16)
        return Entry(height, width, bits * PNG_CHANNELS.get(colour_type, 1), body)
    body, depth = _whole_bitmap(data[offset:])
    return Entry(height or 256, width or 256, depth, body)


def _whole_bitmap(data: bytes) -> tuple[bytes, int]:
    """A picture and its mask, up to their ends whatever the directory's size, and its depth; a missing mask hides nothing."""
    header, width, doubled, _, depth, compression = struct.unpack_from("<IiiHHI", data)
    (colours,) = struct.unpack_from("<I", data, 32)
    height = abs(doubled) // 2
    if width <= 0 or not height:
        raise Rejected(Reason.CORRUPT, f"an icon of {width}×{height} pixels")
    palette = 4 * (colours or 1 << depth) if depth <= 8 else 12 if compression == BITFIELDS and header == 40 else 0
    pixels = header + palette + (width * depth + 31) // 32 * 4 * height
    if len(data) < pixels:
        raise Rejected(Reason.TRUNCATED, "the icon ends in its pixels")
    whole = pixels + (width + 31) // 32 * 4 * height
    return whole_palette(data[:whole].ljust(whole, b"\0"))[0], depth


def _bitmap(entry: Entry, depth: int) -> Image.Image:
    """A picture without a file's header, as RGBA by Pillow, from an icon of its own."""
    head = struct.pack("<HHHBBBBHHII", 0, ICON, 1, entry.width & 255, entry.height & 255, 0, 0, 1, depth, len(entry.data), 22)
    image = IcoImagePlugin.IcoFile(io.BytesIO(head + entry.data)).frame(0)
    image.load()
    return image.convert("RGBA")
