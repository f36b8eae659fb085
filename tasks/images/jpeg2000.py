"""JPEG 2000 files: which decoder reads them right, and their ICC profile (ISO/IEC 15444-1, annexes A and I).

Decisions that bind users' data. Pillow decodes 8-bit components in natural order, and grey of 16 bits; imagecodecs, which runs
the whole of OpenJPEG, decodes other depths, palettes, channel definitions and colours of fewer samples. Neither gets the ICC
profile to see: it is read here, and colour.py converts. Pillow fails at tiles of one part more than
they announce, and at a resolution that is cut off: the first go to imagecodecs too, the second is hidden from it.
"""

import struct
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.bands import Bytes, in_bands
from imagerecords.tasks.images.isobmff import walk
from imagerecords.tasks.images.library_words import OPENJPEG, caught_words
from imagerecords.tasks.images.limits import PACKETS, refuse_count
from imagerecords.tasks.images.memory_needed import OPACITY_BAND, Need, refuse_memory
from imagerecords.tasks.images.opening import Decoded, open_image, refuse_size

CODESTREAM = b"\xff\x4f\xff\x51"  # start of codestream, and the size segment that follows it
CODING_STYLE = b"\xff\x52"
START_OF_DATA = b"\xff\x93"
START_OF_TILE, END = b"\xff\x90", b"\xff\xd9"
CMYK, SRGB, GREY, SYCC = 12, 16, 17, 18  # enumerated colour spaces
MOST_CHANNELS = 5
COLOURS = {GREY: 1, SRGB: 3, SYCC: 3}
ENUMERATED, RESTRICTED, ANY_PROFILE = 1, 2, 3  # methods of a colour specification
PROFILE_SPACES = {b"GRAY": GREY, b"RGB ": SRGB}
COLOUR, OPACITY, PREMULTIPLIED, WHOLE = 0, 1, 2, 0  # types of channels, and the association with the whole picture
Samples = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


class Sizes(NamedTuple):
    """Of the codestream's size segment: the picture's size, and each component's bits, sign and subsampling."""

    height: int
    width: int
    bits: tuple[int, ...]
    signed: bool
    subsampled: bool


class Colours(NamedTuple):
    """Of the JP2 header: enumerated space, profile, depth of a palette's entries, and (channel, type, association) by channel.

    `place` is where the colour specification box stands in the file, from its length to its end.
    """

    space: int | None = None
    profile: bytes = b""
    palette_bits: int = 0
    channels: tuple[tuple[int, int, int], ...] = ()
    place: tuple[int, int] | None = None


def read_jpeg2000(data: bytes, settings: BuildSettings) -> Decoded:
    """The picture of a JPEG 2000 file. Raises Rejected, or what a decoder raises."""
    colours = Colours() if data.startswith(CODESTREAM) else _colours(data)
    sizes = _sizes(data)
    refuse_size(sizes.height, sizes.width, settings)
    refuse_count(_packets(data), PACKETS, "packet", " in the JPEG 2000 (tiles × layers × resolutions × channels)")
    if sizes.signed or len(set(sizes.bits)) > 1 or max(sizes.bits) > 16:
        raise Rejected(
            Reason.UNSUPPORTED, f"JPEG 2000 of {sorted(set(sizes.bits))} bits{' with a sign' if sizes.signed else ''}"
        )
    if len(sizes.bits) > MOST_CHANNELS:
        raise Rejected(Reason.UNSUPPORTED, f"JPEG 2000 of {len(sizes.bits)} channels")
    if colours.space not in {None, CMYK, *COLOURS}:
        raise Rejected(Reason.UNSUPPORTED, f"JPEG 2000 in the enumerated colour space {colours.space}")
    refuse_memory(_need(sizes, colours), sizes.height, sizes.width, len(data), settings)
    read = _by_pillow if _pillow_is_right(sizes, colours) else _by_imagecodecs
    image = read(data, sizes, colours)
    if colours.profile:
        image.info["icc_profile"] = colours.profile
    return Decoded(image)


def _need(sizes: Sizes, colours: Colours) -> Need:
    """OpenJPEG has four bytes for each sample; a copy of them and of the picture follow."""
    is_premultiplied = any(kind == PREMULTIPLIED for _, kind, _ in colours.channels)
    return Need(5.5 * len(sizes.bits) + 5, 2, OPACITY_BAND if is_premultiplied else 0)


def _sizes(data: bytes) -> Sizes:
    start = data.find(CODESTREAM)
    if start < 0:
        raise Rejected(Reason.TRUNCATED, "the JPEG 2000 has no codestream")
    if data.find(START_OF_DATA, start) < 0:  # Pillow gives black where the file ends right before it
        raise Rejected(Reason.TRUNCATED, "the JPEG 2000 ends before its pixels")
    x1, y1, x0, y0 = struct.unpack_from(">4I", data, start + 8)
    (count,) = struct.unpack_from(">H", data, start + 40)
    parts = [struct.unpack_from(">BBB", data, start + 42 + 3 * number) for number in range(count)]
    if not parts:
        raise Rejected(Reason.CORRUPT, "the JPEG 2000 has no component")
    bits = tuple((depth & 127) + 1 for depth, _, _ in parts)
    signed = any(depth & 128 for depth, _, _ in parts)
    return Sizes(y1 - y0, x1 - x0, bits, signed, any((across, down) != (1, 1) for _, across, down in parts))


def _packets(data: bytes) -> int:
    """Packets by the main header: each of a tile's layers, resolutions and channels is one, or several."""
    start = data.find(CODESTREAM)
    x1, y1, _, _, across, down, x0, y0, channels = struct.unpack_from(">8IH", data, start + 8)
    style = data.find(CODING_STYLE, start)
    if style < 0 or not across or not down:
        return 0
    (layers,) = struct.unpack_from(">H", data, style + 6)
    tiles: int = -(-(x1 - x0) // across) * -(-(y1 - y0) // down)
    packets: int = tiles * layers * (data[style + 9] + 1) * channels
    return packets


def _colours(data: bytes) -> Colours:
    header = next(((start, end) for name, start, end in walk(data, 0, len(data)) if name == b"jp2h"), None)
    found = Colours()
    if header is None:
        return found
    for name, start, end in walk(data, *header):
        if name == b"colr" and found.place is None:
            found = _specified(found, data, start, end)
        elif name == b"pclr":
            found = found._replace(palette_bits=(data[start + 3] & 127) + 1)
        elif name == b"cdef":
            (count,) = struct.unpack_from(">H", data, start)
            channels = sorted(struct.unpack_from(">HHH", data, start + 2 + 6 * number) for number in range(count))
            found = found._replace(channels=tuple(channels))
    return found


def _specified(colours: Colours, data: bytes, start: int, end: int) -> Colours:
    """The colours with what a colour specification box holds."""
    method = data[start]
    if method == ENUMERATED:
        (space,) = struct.unpack_from(">I", data, start + 3)
        return colours._replace(place=(start - 8, end), space=space)
    if method in {RESTRICTED, ANY_PROFILE}:
        profile = data[start + 3 : end]
        return colours._replace(place=(start - 8, end), profile=profile, space=PROFILE_SPACES.get(profile[16:20]))
    return colours


def _pillow_is_right(sizes: Sizes, colours: Colours) -> bool:
    count = len(sizes.bits)
    depths = {8, 16} if count == 1 else {8}
    if sizes.subsampled or colours.palette_bits or not depths.issuperset(sizes.bits):
        return False
    colour = COLOURS.get(colours.space or 0, count if count in {1, 3} else count - 1)
    natural = [(number, COLOUR, number + 1) for number in range(colour)] + [(colour, OPACITY, WHOLE)]
    return colours.space == CMYK or not colours.channels or colours.channels == tuple(natural[: len(colours.channels)])


def _by_pillow(data: bytes, sizes: Sizes, colours: Colours) -> Image.Image:
    image = open_image(_without_resolution(data))
    try:
        image.load()
    except OSError:
        if not _has_all_parts(data):
            raise
        return _by_imagecodecs(data, sizes, colours)
    return image


def _without_resolution(data: bytes) -> bytes:
    """The file with a free box instead of the one that names its resolution."""
    if not data.startswith(CODESTREAM):
        for name, start, end in walk(data, 0, len(data)):
            for inner, place, _ in walk(data, start, end) if name == b"jp2h" else ():
                if inner == b"res ":
                    return data[: place - 4] + b"free" + data[place:]
    return data


def _has_all_parts(data: bytes) -> bool:
    """Whether the parts of tiles follow one another up to the end of the codestream."""
    start = data.find(CODESTREAM)
    position = data.find(START_OF_TILE, start)
    while data[position : position + 2] == START_OF_TILE and position + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, position + 6)
        if size < 14:
            return False
        position += size
    return data[position : position + 2] == END


def _by_imagecodecs(data: bytes, sizes: Sizes, colours: Colours) -> Image.Image:
    from imagecodecs import jpeg2k_decode  # only few files need it

    if colours.profile and colours.place:
        data = _without_profile(data, colours)
    with caught_words(OPENJPEG) as words:
        samples: Samples = jpeg2k_decode(data, numthreads=1)
    if words:
        raise Rejected(Reason.UNSUPPORTED, f"OpenJPEG: {words[0]}")
    if samples.ndim == 2:
        samples = samples[..., None]
    count = samples.shape[2]
    colour = COLOURS.get(colours.space or 0, 1 if count < 3 else 3)
    if colours.space == CMYK or count < colour or samples.shape[:2] != (sizes.height, sizes.width):
        raise Rejected(Reason.UNSUPPORTED, f"JPEG 2000 of {count} channels that no decoder here reads right")
    most = (1 << (colours.palette_bits or sizes.bits[0])) - 1
    levels = in_bands(lambda band: ((band.astype(np.uint32) * 255 + most // 2) // most).astype(np.uint8), samples)
    kinds = {kind for _, kind, _ in colours.channels} or {OPACITY}
    shown = levels[..., :colour]
    if count > colour and kinds & {OPACITY, PREMULTIPLIED}:
        opacity = levels[..., colour : colour + 1]
        if PREMULTIPLIED in kinds:
            shown = in_bands(partial(_unmultiplied, most=most), samples[..., :colour], samples[..., colour : colour + 1])
        shown = np.concatenate([shown, opacity], axis=-1)
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[shown.shape[2]]
    image = Image.fromarray(np.ascontiguousarray(shown[..., 0] if shown.shape[2] == 1 else shown), mode)
    image.format = "JPEG2000"
    return image


def _unmultiplied(colours: Samples, opacity: Samples, most: int) -> Bytes:
    """Colours of 8 bits that were multiplied with their opacity."""
    share = opacity.astype(np.float64) / most
    full = colours / np.where(share > 0, share, 1) * 255 / most
    return np.clip(np.floor(full + 0.5), 0, 255).astype(np.uint8)


def _without_profile(data: bytes, colours: Colours) -> bytes:
    """The file with an enumerated colour space instead of its profile, which imagecodecs would apply in its own way.

    A free box fills the room, so that nothing moves.
    """
    begin, end = colours.place or (0, 0)
    space = struct.pack(">I4sBBBI", 15, b"colr", ENUMERATED, 0, 0, colours.space or SRGB)
    room = end - begin - len(space)
    free = struct.pack(">I4s", room, b"free").ljust(room, b"\0")
    return data[:begin] + space + free + data[end:]
