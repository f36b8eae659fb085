"""Photoshop files (PSD and PSB): the merged picture (Adobe Photoshop File Formats Specification).

Decisions that bind users' data. A channel beyond the colours is opacity where the count of layers is negative, else a saved
selection, which is no part of the picture. The colours under opacity were merged with white, which is undone; not where more
than 1 % of them are too dark for that, as ImageMagick writes them. A file that has no merged picture is refused. Pillow and
psd-tools take a selection for opacity, and Pillow reads no 16 bits.
"""

import struct
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.bands import in_bands
from imagerecords.tasks.images.memory_needed import OPACITY_BAND, Need, refuse_memory
from imagerecords.tasks.images.opening import Decoded, refuse_size

HEADER = 26  # bytes
BITMAP, GREY, INDEXED, RGB, CMYK, DUOTONE, LAB = 0, 1, 2, 3, 4, 8, 9
# Channels, the mode of the picture, and the stored values of white.
MODES = {
    BITMAP: (1, "L", (255,)),
    GREY: (1, "L", (255,)),
    INDEXED: (1, "P", (255,)),
    RGB: (3, "RGB", (255, 255, 255)),
    CMYK: (4, "CMYK", (255, 255, 255, 255)),
    DUOTONE: (1, "L", (255,)),
    LAB: (3, "LAB", (255, 128, 128)),
}
PROFILE, TRANSPARENT_INDEX, VERSION_INFO = 1039, 1047, 1057  # resources
RAW, RLE, ZIPPED = 0, 1, {2, 3}  # compressions
LAYERS, MERGED_OPACITY = {b"Lr16", b"Lr32"}, {b"Mtrn", b"Mt16", b"Mt32"}
LONG_BLOCKS = {
    b"LMsk",
    b"Lr16",
    b"Lr32",
    b"Layr",
    b"Mt16",
    b"Mt32",
    b"Mtrn",
    b"Alph",
    b"FMsk",
    b"lnk2",
    b"FEid",
    b"FXid",
    b"PxSD",
}
ROUNDED, MOST_TOO_DARK = 2, 0.01  # levels; the share of pixels that are not opaque
Bytes = npt.NDArray[np.uint8]


class Header(NamedTuple):
    """The file's header; `large` is PSB."""

    large: bool
    channels: int
    height: int
    width: int
    depth: int
    mode: int


def read_psd(data: bytes, settings: BuildSettings) -> Decoded:
    """The merged picture of a Photoshop file. Raises Rejected, or struct.error where the file is cut short."""
    header = _header(data)
    refuse_size(header.height, header.width, settings)
    count, mode, white = MODES[header.mode]
    refuse_memory(_need(header, count), header.height, header.width, len(data), settings)
    palette, position = _block(data, HEADER)
    block, position = _block(data, position)
    resources = _resources(block)
    if resources.get(VERSION_INFO, b"\0\0\0\0\1")[4:5] == b"\0":
        raise Rejected(Reason.UNSUPPORTED, "the PSD was saved without a merged picture. Save it with maximum compatibility")
    layers, position = _block(data, position, ">Q" if header.large else ">I")
    wanted = count + (header.channels > count and _has_opacity(layers, header.large))
    channels = _channels(data, position, header, wanted)
    colours, opacity = channels[..., :count], channels[..., count:]
    if opacity.size and mode != "P" and _is_merged(colours, opacity, white):
        colours = in_bands(partial(_unmerged, white=white), colours, opacity)
    image = _image(colours, mode, palette)
    image.format = "PSD"
    if PROFILE in resources:
        image.info["icc_profile"] = resources[PROFILE]
    if mode == "P" and len(resources.get(TRANSPARENT_INDEX, b"")) == 2:
        image.info["transparency"] = struct.unpack(">H", resources[TRANSPARENT_INDEX])[0]
    return Decoded(image, opacity=Image.fromarray(opacity[..., 0]) if opacity.size else None)


def _need(header: Header, count: int) -> Need:
    """Rows, and the same side by side; or these with the colours before the merging, and Pillow's image of four bytes."""
    channels = min(header.channels, count + 1)
    has_more = channels > count
    made = channels + count * (has_more + (header.mode in {CMYK, LAB})) + has_more
    return Need(max(2 * channels, made + 4, 8) + 0.5, 1, OPACITY_BAND if has_more else 0)


def _header(data: bytes) -> Header:
    version, channels, height, width, depth, mode = struct.unpack_from(">H6xHIIHH", data, 4)
    if version not in {1, 2}:
        raise Rejected(Reason.CORRUPT, f"a PSD of version {version}")
    if mode not in MODES or depth not in {1, 8, 16} or (depth == 1) != (mode == BITMAP) or (mode == INDEXED and depth != 8):
        raise Rejected(Reason.UNSUPPORTED, f"a PSD of colour mode {mode} and {depth} bits")
    if channels < MODES[mode][0]:
        raise Rejected(Reason.CORRUPT, f"a PSD of colour mode {mode} with {channels} channels")
    return Header(version == 2, channels, height, width, depth, mode)


def _block(data: bytes, position: int, kind: str = ">I") -> tuple[bytes, int]:
    """A block with its length in front, and where the next begins."""
    (length,) = struct.unpack_from(kind, data, position)
    start = position + struct.calcsize(kind)
    if start + length > len(data):
        raise Rejected(Reason.TRUNCATED, f"the PSD has {len(data):,} bytes, and a block ends at {start + length:,}")
    return data[start : start + length], start + length


def _resources(block: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    position = 0
    while position + 12 <= len(block):
        number, name = struct.unpack_from(">HB", block, position + 4)
        position += 6 + (name + 2) // 2 * 2  # a Pascal string, padded
        (size,) = struct.unpack_from(">I", block, position)
        found.setdefault(number, block[position + 4 : position + 4 + size])
        position += 4 + (size + 1) // 2 * 2
    return found


def _has_opacity(layers: bytes, large: bool) -> bool:
    """Whether the first channel beyond the colours is opacity."""
    kind = ">Q" if large else ">I"
    if not layers:
        return False
    info, position = _block(layers, 0, kind)
    if len(info) >= 2:
        return bool(struct.unpack_from(">h", info)[0] < 0)
    _, position = _block(layers, position) if position + 4 <= len(layers) else (b"", len(layers))
    while position + 12 <= len(layers):  # of 16 bits, the layers are in a tagged block
        key = layers[position + 4 : position + 8]
        size = ">Q" if large and key in LONG_BLOCKS else ">I"
        (length,) = struct.unpack_from(size, layers, position + 8)
        start = position + 8 + struct.calcsize(size)
        if key in MERGED_OPACITY:
            return True
        if key in LAYERS and length >= 2:
            return bool(struct.unpack_from(">h", layers, start)[0] < 0)
        position = start + (length + 3) // 4 * 4
    return False


def _channels(data: bytes, position: int, header: Header, wanted: int) -> Bytes:
    """The first channels of the merged picture, of 8 bits."""
    (compression,) = struct.unpack_from(">H", data, position)
    row = (header.width * header.depth + 7) // 8
    if compression == RAW:
        size = wanted * header.height * row
        flat: bytes | memoryview = memoryview(data)[position + 2 : position + 2 + size]
        if len(flat) < size:
            raise Rejected(Reason.TRUNCATED, "the PSD ends in its merged picture")
    elif compression == RLE:
        flat = _unpacked(data, position + 2, header, wanted, row)
    else:
        reason = Reason.UNSUPPORTED if compression in ZIPPED else Reason.CORRUPT
        raise Rejected(reason, f"a PSD whose merged picture has compression {compression}")
    rows = np.frombuffer(flat, np.uint8).reshape(wanted, header.height, row)
    if header.depth == 1:
        rows = (1 - np.unpackbits(rows, axis=-1)[..., : header.width]) * 255  # 1 is black
    elif header.depth == 16:
        samples = rows.view(">u2")
        rows = np.stack([in_bands(_of_16_bits, channel) for channel in samples])
    return np.ascontiguousarray(rows.transpose(1, 2, 0))


def _of_16_bits(samples: npt.NDArray[np.uint16]) -> Bytes:
    return ((samples.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def _unpacked(data: bytes, position: int, header: Header, wanted: int, row: int) -> bytes:
    """PackBits row by row; each has its length in a table, and may be padded."""
    from imagecodecs import packbits_decode

    total = header.channels * header.height
    lengths = np.frombuffer(data, ">u4" if header.large else ">u2", total, position).astype(np.int64)
    starts = position + total * (4 if header.large else 2) + np.concatenate([[0], np.cumsum(lengths)])
    rows = []
    for number in range(wanted * header.height):
        if starts[number + 1] > len(data):
            raise Rejected(Reason.TRUNCATED, "the PSD ends in its merged picture")
        unpacked = packbits_decode(data[starts[number] : starts[number + 1]])[:row]
        if len(unpacked) < row:
            raise Rejected(Reason.CORRUPT, f"a row of the PSD has {len(unpacked)} bytes of {row}")
        rows.append(unpacked)
    return b"".join(rows)


def _is_merged(colours: Bytes, opacity: Bytes, white: tuple[int, ...]) -> bool:
    """Whether colours were merged with white, which leaves none of them darker than its share of white."""
    bright = [place for place, level in enumerate(white) if level == 255]
    too_dark = in_bands(partial(_too_dark, bright=bright), colours, opacity)
    return bool(np.count_nonzero(too_dark) <= np.count_nonzero(opacity < 255) * MOST_TOO_DARK)


def _too_dark(colours: Bytes, opacity: Bytes, bright: list[int]) -> Bytes:
    darkest = colours[..., bright].min(axis=-1).astype(np.int16)
    is_too_dark: Bytes = (darkest + ROUNDED < 255 - opacity[..., 0].astype(np.int16)).astype(np.uint8)
    return is_too_dark


def _unmerged(colours: Bytes, opacity: Bytes, white: tuple[int, ...]) -> Bytes:
    """Colours as they were before they were merged with white by their opacity."""
    share = np.maximum(opacity, 1).astype(np.float64) / 255
    away = colours.astype(np.float64) - white
    full = np.where(opacity == 0, colours, away / share + white)
    return np.clip(np.floor(full + 0.5), 0, 255).astype(np.uint8)


def _image(colours: Bytes, mode: str, palette: bytes) -> Image.Image:
    height, width = colours.shape[:2]
    if mode == "CMYK":
        colours = 255 - colours
    elif mode == "LAB":
        colours = colours ^ np.array([0, 128, 128], np.uint8)
    image = Image.frombuffer(mode, (width, height), np.ascontiguousarray(colours), "raw", mode, 0, 1)
    image.load()
    if mode == "P":
        if len(palette) < 768:
            raise Rejected(Reason.CORRUPT, "an indexed PSD without its 256 colours")
        image.putpalette(np.frombuffer(palette[:768], np.uint8).reshape(3, 256).T.tobytes())
    return image
