"""BMP and XPM files: what Pillow reads otherwise than browsers and the X Window System do.

Decisions that bind users' data. A BMP's masks may have any place and width; where they name opacity, and not all of it is 0, it
counts. A palette may have any length: of two colours, black and white, Pillow takes the pixels for single bits. An XPM's
colours of 3, 9 and 12 digits are scaled, and its names are X11's.
"""

import io
import re
import struct
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageColor

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.bands import in_bands
from imagerecords.tasks.images.memory_needed import BITMAP, TEXT, need_of_loaded, refuse_memory
from imagerecords.tasks.images.opening import Decoded, open_image, refuse_size

FILE_HEADER, V1, V2, V5 = 14, 40, 52, 124  # bytes of headers
COLOURS = 256  # of a whole palette
BITFIELDS, ALPHA_BITFIELDS = 3, 6  # compressions
EMBEDDED = 0x4D424544  # "MBED", the colour space of a profile in the file
X11_COLOURS = {"gray": "#bebebe", "grey": "#bebebe", "green": "#00ff00", "maroon": "#b03060", "purple": "#a020f0"}  # not CSS's
XPM_STRING = re.compile(rb'"((?:[^"\\]|\\.)*)"')
XPM_KEYS = {b"c", b"m", b"s", b"g", b"g4"}


def read_bmp(data: bytes, settings: BuildSettings) -> Decoded:
    """The picture of a BMP. Raises Rejected, or what Pillow raises."""
    (header,) = struct.unpack_from("<I", data, FILE_HEADER)
    masks = _masks(data, header)
    if masks is None or _pillow_knows(data, masks):
        image = open_image(_with_whole_palette(data, header))
        refuse_size(image.height, image.width, settings)
        refuse_memory(need_of_loaded(image), image.height, image.width, len(data), settings)
        image.load()
    else:
        width, height = struct.unpack_from("<ii", data, FILE_HEADER + 4)
        refuse_size(abs(height), width, settings)
        refuse_memory(BITMAP, abs(height), width, len(data), settings)
        image = _masked(data, width, height, masks)
    if header >= V5 and struct.unpack_from("<I", data, FILE_HEADER + 56)[0] == EMBEDDED:
        place, size = struct.unpack_from("<II", data, FILE_HEADER + 112)
        image.info["icc_profile"] = data[FILE_HEADER + place : FILE_HEADER + place + size]
    return Decoded(image)


def whole_palette(bitmap: bytes, pixels: int = 0) -> tuple[bytes, int]:
    """A bitmap without its file's header, of 4 or 8 bits, with a palette of 256 colours, and the length of the one it had.

    Others come as they are, with 0. `pixels` is where the pixels start, which may be before the palette's announced end.
    """
    (header,) = struct.unpack_from("<I", bitmap)
    bits = struct.unpack_from("<H", bitmap, 14)[0] if header >= V1 else 0
    if bits not in {4, 8}:
        return bitmap, 0
    (colours,) = struct.unpack_from("<I", bitmap, 32)
    if bits == 8 and colours in {0, COLOURS}:
        return bitmap, 0
    length = 4 * (colours or 1 << bits)
    if header + length > len(bitmap):
        length = 4 << bits  # the count is nonsense
    palette = bitmap[header : header + min(length, 4 << bits)].ljust(4 * COLOURS, b"\0")
    if header < pixels < header + length:
        length = pixels - header
    whole = bitmap[:32] + struct.pack("<I", COLOURS) + bitmap[36:header] + palette + bitmap[header + length :]
    return whole, length


def _with_whole_palette(data: bytes, header: int) -> bytes:
    (start,) = struct.unpack_from("<I", data, 10)
    bitmap, length = whole_palette(data[FILE_HEADER:], start - FILE_HEADER)
    if not length:
        return data
    if start == FILE_HEADER + header:  # as some programs write it, and mean the palette's end
        start += length
    return data[:10] + struct.pack("<I", start + 4 * COLOURS - length) + bitmap


def _masks(data: bytes, header: int) -> tuple[int, ...] | None:
    """The masks of red, green, blue and opacity; None where the file has none."""
    if header < 40:
        return None
    bits, compression = struct.unpack_from("<HI", data, FILE_HEADER + 14)
    if bits not in {16, 32} or compression not in {BITFIELDS, ALPHA_BITFIELDS}:
        return None
    masks = struct.unpack_from("<IIII", data, FILE_HEADER + 40)
    return masks if header > V2 or compression == ALPHA_BITFIELDS else (*masks[:3], 0)


def _pillow_knows(data: bytes, masks: tuple[int, ...]) -> bool:
    bits, compression = struct.unpack_from("<HI", data, FILE_HEADER + 14)
    if compression == ALPHA_BITFIELDS or (bits == 16 and masks[3]):
        return False  # it refuses the first, and drops the opacity of the second
    try:
        Image.open(io.BytesIO(data), formats=["BMP"]).close()
    except OSError as error:
        return "bitfields layout" not in str(error)
    return True


def _masked(data: bytes, width: int, height: int, masks: tuple[int, ...]) -> Image.Image:
    (bits,) = struct.unpack_from("<H", data, FILE_HEADER + 14)
    (start,) = struct.unpack_from("<I", data, 10)
    row = (width * bits + 31) // 32 * 4
    rows = np.frombuffer(data, np.uint8, min(len(data) - start, row * abs(height)), start)
    if rows.size < row * abs(height):
        raise Rejected(Reason.TRUNCATED, "the BMP ends in its pixels")
    pixels = rows.reshape(abs(height), row).view(f"<u{bits // 8}")[:, :width]
    if height > 0:  # from the bottom
        pixels = pixels[::-1]
    channels = [in_bands(partial(_channel, mask=mask), pixels) for mask in masks]
    if not masks[3] or not channels[3].any():
        channels.pop()
    image = Image.fromarray(np.stack(channels, axis=-1))
    image.format = "BMP"
    return image


def _channel(pixels: npt.NDArray[Any], mask: int) -> npt.NDArray[np.uint8]:
    """The bits of a mask, scaled to 8 and rounded; 0 for an empty mask."""
    if not mask:
        return np.zeros(pixels.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    most = mask >> shift
    values = ((pixels.astype(np.uint32) & mask) >> shift).astype(np.uint64)
    return ((values * 255 + most // 2) // most).astype(np.uint8)


def read_xpm(data: bytes, settings: BuildSettings) -> Decoded:
    """The picture of an XPM. Raises Rejected, or what Pillow raises."""
    image = open_image(_plain_xpm(data))
    refuse_size(image.height, image.width, settings)
    refuse_memory(TEXT, image.height, image.width, len(data), settings)
    image.load()
    return Decoded(image)


def _plain_xpm(data: bytes) -> bytes:
    """The file with all colours as six digits, one string per line, as Pillow reads it."""
    strings = XPM_STRING.findall(data)
    try:
        _, _, colours, size = (int(number) for number in strings[0].split()[:4])
    except (IndexError, ValueError) as error:
        raise Rejected(Reason.CORRUPT, "the XPM has no size") from error
    lines = [b" ".join(strings[0].split()[:4])]
    lines += [string[:size] + b" c " + _xpm_colour(string[size:]) for string in strings[1 : 1 + colours]]
    lines += strings[1 + colours :]
    return b"/* XPM */\nstatic char *x[] = {\n" + b"".join(b'"' + line + b'",\n' for line in lines) + b"};\n"


def _xpm_colour(definition: bytes) -> bytes:
    words = definition.split()
    if b"c" not in words:
        raise Rejected(Reason.UNSUPPORTED, f"an XPM's colour without key c: {definition.decode(errors='replace')}")
    value = words[words.index(b"c") + 1 :]
    end = next((place for place, word in enumerate(value) if word in XPM_KEYS), len(value))
    name = "".join(word.decode(errors="replace") for word in value[:end]).lower()
    if name == "none":
        return b"None"
    if re.fullmatch("#[0-9a-f]+", name) and len(name) in {4, 7, 10, 13}:
        width = len(name) // 3
        most = 16**width - 1
        parts = [int(name[1 + width * place : 1 + width * (place + 1)], 16) for place in range(3)]
        return "#{:02x}{:02x}{:02x}".format(*((part * 255 + most // 2) // most for part in parts)).encode()
    if shade := re.fullmatch("gr[ae]y([0-9]{1,3})", name):
        return "#{0:02x}{0:02x}{0:02x}".format(min(int(shade[1]) * 255 + 50, 25500) // 100).encode()
    try:
        red, green, blue = ImageColor.getrgb(X11_COLOURS.get(name, name))[:3]
    except ValueError as error:
        raise Rejected(Reason.UNSUPPORTED, f"an XPM's colour that is not known: {name}") from error
    return f"#{red:02x}{green:02x}{blue:02x}".encode()
