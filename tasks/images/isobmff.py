"""Properties of an AVIF's or HEIC's primary picture that decoders leave to their callers (ISO/IEC 14496-12, 23008-12)."""

import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from imagerecords.tasks.images.colour_codes import ColourCodes

NO_BODY_FLAGS = 4  # bytes of version and flags at the start of a full box
Box = tuple[int, int]  # where a box's content starts and ends
Crop = tuple[int, int, int, int]


class Properties(NamedTuple):
    """Colour codes (nclx) and the clean aperture's four fractions: width, height, and offset of its centre, as written."""

    codes: ColourCodes | None = None
    aperture: tuple[Fraction, Fraction, Fraction, Fraction] | None = None

    def crop(self, width: int, height: int) -> Crop | None:
        """Left, top, right and bottom of the clean aperture; None where there is none, or none of whole pixels inside."""
        if self.aperture is None:
            return None
        inner_width, inner_height, across, down = self.aperture
        left = (width - inner_width) / 2 + across
        top = (height - inner_height) / 2 + down
        edges = (left, top, left + inner_width, top + inner_height)
        whole = all(edge.denominator == 1 for edge in edges)
        if not whole or min(left, top) < 0 or edges[2] > width or edges[3] > height or min(inner_width, inner_height) <= 0:
            return None
        return int(left), int(top), int(edges[2]), int(edges[3])


def primary_properties(data: bytes) -> Properties:
    """The properties of the primary item; none where the boxes can't be followed."""
    try:
        return _read(data)
    except (struct.error, IndexError, KeyError, ZeroDivisionError):
        return Properties()


def _read(data: bytes) -> Properties:
    meta_start, meta_end = _boxes(data, 0, len(data))[b"meta"]
    meta = _boxes(data, meta_start + NO_BODY_FLAGS, meta_end)
    start, _ = meta[b"pitm"]
    (primary,) = struct.unpack_from(">H" if data[start] == 0 else ">I", data, start + NO_BODY_FLAGS)
    inner = _boxes(data, *meta[b"iprp"])
    properties = list(walk(data, *inner[b"ipco"]))
    codes: ColourCodes | None = None
    aperture = None
    for number in _associated(data, inner[b"ipma"], primary):
        name, start, _ = properties[number - 1]
        if name == b"colr" and data[start : start + 4] == b"nclx":
            codes = ColourCodes(*struct.unpack_from(">HH", data, start + 4))
        elif name == b"clap":
            width, width_by, height, height_by, x, x_by, y, y_by = struct.unpack_from(">IIIIiIiI", data, start)
            aperture = Fraction(width, width_by), Fraction(height, height_by), Fraction(x, x_by), Fraction(y, y_by)
    return Properties(codes, aperture)


def walk(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The name of each box, and where its content starts and ends."""
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        elif size == 0:
            size = end - start
        if size < head or start + size > end:
            return
        yield name, start + head, start + size
        start += size


def _boxes(data: bytes, start: int, end: int) -> dict[bytes, Box]:
    """The first box of each name."""
    found: dict[bytes, Box] = {}
    for name, begins, ends in walk(data, start, end):
        found.setdefault(name, (begins, ends))
    return found


def _associated(data: bytes, box: Box, item: int) -> list[int]:
    """The numbers, from 1, of an item's properties."""
    position = box[0]
    version, wide = data[position], data[position + 3] & 1
    (entries,) = struct.unpack_from(">I", data, position + 4)
    position += 8
    for _ in range(entries):
        kind = ">H" if version < 1 else ">I"
        (owner,) = struct.unpack_from(kind, data, position)
        position += struct.calcsize(kind)
        count = data[position]
        position += 1
        numbers = [
            struct.unpack_from(">H", data, position + 2 * place)[0] & 0x7FFF if wide else data[position + place] & 0x7F
            for place in range(count)
        ]
        position += count * (2 if wide else 1)
        if owner == item:
            return [number for number in numbers if number]
    return []
