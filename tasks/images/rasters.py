"""Sun raster, SGI, PCX, DCX and Targa files: what Pillow reads otherwise than ImageMagick and FFmpeg write it.

Decisions that bind users' data. Sun rasters are read here: Pillow 13 takes a palette of fewer than 256 colours, run lengths and
the unused byte of 32 bits wrongly. SGI's rows of run lengths may end with their last pixel, where Pillow asks for a zero behind
it, and grey may have a third dimension. A PCX may be uncompressed, and a fourth plane of 8 bits is opacity. A Targa's run may
go on in the next row, as before its version 2, where Pillow reports an overrun.
"""

import re
import struct
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.memory_needed import BITMAP, need_of_loaded, refuse_memory
from imagerecords.tasks.images.opening import Decoded, open_image, refuse_size

SUN_HEADER = 32  # bytes
OLD, STANDARD, BYTE_ENCODED, RGB_ORDER, FROM_TIFF, FROM_IFF = range(6)  # types of a Sun raster
NO_MAP, RGB_MAP = 0, 1
SUN_RUN = re.compile(rb"\x80(?:\0|([^\0])(.))", re.DOTALL)
TARGA_HEADER, TARGA_RUN = 18, 0x80
SGI_HEADER = 512
PCX_HEADER = 128
PCX_RUN = re.compile(rb"[\xc0-\xff].", re.DOTALL)
LONG = re.compile(rb"[\xc0-\xff]")
UNCOMPRESSED, RUN_LENGTHS = 0, 1
RGBA_PLANES = 4
Bytes = npt.NDArray[np.uint8]


def _expanded(body: bytes, runs: re.Pattern[bytes], expand: Callable[[re.Match[bytes]], bytes], size: int) -> bytes:
    """So many bytes of the pixels, without their runs; what follows them is left alone, however much it would be."""
    made, position = bytearray(), 0
    for run in runs.finditer(body):
        made += body[position : run.start()]
        made += expand(run)
        position = run.end()
        if len(made) >= size:
            return bytes(made[:size])
    return bytes(made + body[position:])


def _sun_run(run: re.Match[bytes]) -> bytes:
    return b"\x80" if run[1] is None else run[2] * (run[1][0] + 1)


def _pcx_run(run: re.Match[bytes]) -> bytes:
    return run[0][1:] * (run[0][0] & 63)


def read_sun(data: bytes, settings: BuildSettings) -> Decoded:
    """The picture of a Sun raster. Raises Rejected, or struct.error where the file ends in its header."""
    width, height, depth, _, kind, map_kind, map_length = struct.unpack_from(">7I", data, 4)
    refuse_size(height, width, settings)
    refuse_memory(BITMAP, height, width, len(data), settings)
    has_map = map_kind == RGB_MAP and map_length > 0
    if kind > FROM_IFF or depth not in {1, 8, 24, 32} or (map_length and not has_map) or (has_map and map_length > 768):
        raise Rejected(Reason.UNSUPPORTED, f"a Sun raster of type {kind}, {depth} bits and a map of type {map_kind}")
    body = data[SUN_HEADER + map_length :]
    row = (width * depth + 15) // 16 * 2
    if kind == BYTE_ENCODED:
        body = _expanded(body, SUN_RUN, _sun_run, row * height)
    if len(body) < row * height - 1 and len(body) < row * (height - 1) + (width * depth + 7) // 8:
        raise Rejected(Reason.TRUNCATED, "the Sun raster ends in its pixels")
    rows = np.frombuffer(body[: row * height].ljust(row * height, b"\0"), np.uint8).reshape(height, row)
    image = Image.fromarray(_sun_pixels(rows, width, depth, kind, data[SUN_HEADER : SUN_HEADER + map_length]))
    image.format = "SUN"
    return Decoded(image)


def _sun_pixels(rows: Bytes, width: int, depth: int, kind: int, colours: bytes) -> Bytes:
    """Rows without their padding, in grey or in colour; `colours` are all reds, then all greens, then all blues."""
    if depth > 8:
        samples = depth // 8
        pixels = rows[:, : width * samples].reshape(len(rows), width, samples)[..., samples - 3 :]  # a byte in front is unused
        return np.ascontiguousarray(pixels if kind == RGB_ORDER else pixels[..., ::-1])
    values = np.unpackbits(rows, axis=1)[:, :width] if depth == 1 else rows[:, :width]
    if not colours:
        return (1 - values) * 255 if depth == 1 else np.ascontiguousarray(values)
    palette = np.zeros((256, 3), np.uint8)
    count = len(colours) // 3
    palette[:count] = np.frombuffer(colours, np.uint8, 3 * count).reshape(3, count).T
    return palette[values]


def without_runs(data: bytes) -> bytes:
    """A Targa of run lengths as one without; runs may go on in the next row. Raises Rejected where its pixels end too early."""
    length, has_map, kind, _, colours, map_depth = struct.unpack_from("<BBBHHB", data)
    width, height, depth = struct.unpack_from("<HHB", data, 12)
    sample = (depth + 7) // 8
    start = TARGA_HEADER + length + (colours * ((map_depth + 7) // 8) if has_map else 0)
    packets, position, size = [], start, width * height * sample
    while size > 0 and position < len(data):
        count = (data[position] & 127) + 1
        stored = sample if data[position] & TARGA_RUN else sample * count
        packet = data[position + 1 : position + 1 + stored]
        packets.append(packet * count if data[position] & TARGA_RUN else packet)
        position += 1 + stored
        size -= count * sample
    body = b"".join(packets)[: width * height * sample]
    if len(body) < width * height * sample:
        raise Rejected(Reason.TRUNCATED, "the Targa ends in its pixels")
    return data[:2] + bytes([kind & ~8]) + data[3:start] + body


def read_sgi(data: bytes, settings: BuildSettings) -> Decoded:
    """The picture of an SGI file. Raises Rejected, or what Pillow raises."""
    image = open_image(_with_ends(data))
    refuse_size(image.height, image.width, settings)
    refuse_memory(need_of_loaded(image), image.height, image.width, 2 * len(data), settings)
    image.load()
    return Decoded(image)


def _with_ends(data: bytes) -> bytes:
    """The file as Pillow reads it: with a zero behind each row's run lengths, and one channel in two dimensions."""
    compression, depth, dimensions, _, height, channels = struct.unpack_from(">BBHHHH", data, 2)
    if (dimensions, channels) == (3, 1):
        data = data[:4] + struct.pack(">H", 2) + data[6:]  # GIMP's grey
    count = height * channels
    if compression != RUN_LENGTHS or depth not in {1, 2} or len(data) < SGI_HEADER + 8 * count:
        return data
    starts, lengths = np.frombuffer(data, ">u4", 2 * count, SGI_HEADER).reshape(2, count).astype(np.int64)
    if (starts + lengths > len(data)).any() or lengths.sum() > 2 * len(data):  # rows may share their bytes, a few of them
        return data
    end = bytes(depth)
    rows = [data[start : start + length] + end for start, length in zip(starts.tolist(), lengths.tolist(), strict=True)]
    sizes = lengths + depth
    table = np.concatenate([SGI_HEADER + 8 * count + np.cumsum(sizes) - sizes, sizes]).astype(">u4").tobytes()
    return data[:SGI_HEADER] + table + b"".join(rows)


def read_dcx(data: bytes, settings: BuildSettings) -> Decoded:
    """The first picture of a DCX, which is a list of PCX files. Raises Rejected, or what Pillow raises."""
    first, second = struct.unpack_from("<II", data, 4)
    decoded = read_pcx(data[first : second or None], settings)
    decoded.image.format = "DCX"
    return decoded


def read_pcx(data: bytes, settings: BuildSettings) -> Decoded:
    """The picture of a PCX. Raises Rejected, or what Pillow raises."""
    encoding, bits = struct.unpack_from("<BB", data, 2)
    planes, row = struct.unpack_from("<BH", data, 65)
    if bits == 8 and planes == RGBA_PLANES:
        return _pcx_with_opacity(data, encoding, row, settings)
    if encoding == UNCOMPRESSED:
        data = _compressed(data, bits, planes)
    image = open_image(data)
    refuse_size(image.height, image.width, settings)
    refuse_memory(need_of_loaded(image), image.height, image.width, 2 * len(data), settings)
    image.load()
    return Decoded(image)


def _pcx_size(data: bytes) -> tuple[int, int]:
    left, top, right, bottom = struct.unpack_from("<4H", data, 4)
    return bottom - top + 1, right - left + 1


def _pcx_with_opacity(data: bytes, encoding: int, row: int, settings: BuildSettings) -> Decoded:
    height, width = _pcx_size(data)
    refuse_size(max(height, 0), max(width, 0), settings)
    refuse_memory(BITMAP, height, width, len(data), settings)
    size = height * RGBA_PLANES * row
    body = data[PCX_HEADER:]
    if encoding != UNCOMPRESSED:
        body = _expanded(body, PCX_RUN, _pcx_run, size)
    if row < width or len(body) < size:
        raise Rejected(Reason.TRUNCATED, "the PCX ends in its pixels")
    rows = np.frombuffer(body, np.uint8, size).reshape(height, RGBA_PLANES, row)[..., :width]
    image = Image.fromarray(np.ascontiguousarray(rows.transpose(0, 2, 1)))
    image.format = "PCX"
    return Decoded(image)


def _compressed(data: bytes, bits: int, planes: int) -> bytes:
    """An uncompressed PCX as one of run lengths, which Pillow reads; the palette behind its pixels stays."""
    height, width = _pcx_size(data)
    (row,) = struct.unpack_from("<H", data, 66)
    end = PCX_HEADER + max(0, height) * planes * row
    if row < (width * bits + 7) // 8 or len(data) < end:
        raise Rejected(Reason.TRUNCATED, "the PCX ends in its pixels")
    body = LONG.sub(lambda byte: b"\xc1" + byte[0], data[PCX_HEADER:end])
    return data[:2] + bytes([RUN_LENGTHS]) + data[3:PCX_HEADER] + body + data[end:]
