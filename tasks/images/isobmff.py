"""What an AVIF or HEIC says of its primary picture that decoders leave to their callers (ISO/IEC 14496-12, 23008-12)."""

import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from imagerecords.tasks.images.colour_codes import ColourCodes

NO_BODY_FLAGS = 4  # bytes of version and flags at the start of a full box
IN_FILE = 0  # a construction method: offsets count from the file's start
PARTS = {b"dimg", b"auxl"}  # references from a grid to its tiles, and from an opacity to its picture
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
    primary = _primary(data, meta)
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


def with_one_association(data: bytes) -> bytes:
    """The file with one box of associations for those that are there twice, which early AVIF writers did and libavif refuses.

    A free box behind the properties fills the room, so that nothing moves.
    """
    try:
        start, end = _boxes(data, 0, len(data))[b"meta"]
        start, end = _boxes(data, start + NO_BODY_FLAGS, end)[b"iprp"]
    except KeyError:
        return data
    boxes = list(walk(data, start, end))
    found = [(begins, ends) for name, begins, ends in boxes[1:] if name == b"ipma"]
    heads = {data[begins : begins + NO_BODY_FLAGS] for begins, _ in found}
    if len(found) < 2 or len(heads) > 1 or len(boxes) != 1 + len(found):
        return data
    entries = sum(struct.unpack_from(">I", data, begins + NO_BODY_FLAGS)[0] for begins, _ in found)
    body = heads.pop() + struct.pack(">I", entries) + b"".join(data[begins + 8 : ends] for begins, ends in found)
    inner = data[start : boxes[0][2]] + struct.pack(">I4s", 8 + len(body), b"ipma") + body
    free = end - start - len(inner)
    properties = struct.pack(">I4s", 8 + len(inner), b"iprp") + inner
    return data[: start - 8] + properties + struct.pack(">I4s", free, b"free").ljust(free, b"\0") + data[end:]


def end_of_pixels(data: bytes) -> int:
    """Where the coded pixels of the primary picture, its tiles and its opacity end; 0 where the boxes can't be followed."""
    try:
        start, end = _boxes(data, 0, len(data))[b"meta"]
        meta = _boxes(data, start + NO_BODY_FLAGS, end)
        wanted = {_primary(data, meta)}
        references = list(_references(data, meta[b"iref"])) if b"iref" in meta else []
        for _ in references:  # as deep as they may go
            further = {item for kind, one, others in references for item in _parts(kind, one, others, wanted)}
            if further <= wanted:
                break
            wanted |= further
        return max((end for item, end in _extents(data, meta[b"iloc"][0]) if item in wanted), default=0)
    except (struct.error, IndexError, KeyError):
        return 0


def _primary(data: bytes, meta: dict[bytes, Box]) -> int:
    start, _ = meta[b"pitm"]
    item: int = struct.unpack_from(">H" if data[start] == 0 else ">I", data, start + NO_BODY_FLAGS)[0]
    return item


def _parts(kind: bytes, one: int, others: tuple[int, ...], wanted: set[int]) -> tuple[int, ...]:
    """The items that belong to the wanted ones by a reference."""
    if kind == b"dimg":
        return others if one in wanted else ()
    return (one,) if wanted.intersection(others) else ()


def _references(data: bytes, box: Box) -> Iterator[tuple[bytes, int, tuple[int, ...]]]:
    """The kind of each reference to parts, the item that has it, and the items that it names."""
    number = "H" if data[box[0]] == 0 else "I"
    size = struct.calcsize(number)
    for kind, start, _ in walk(data, box[0] + NO_BODY_FLAGS, box[1]):
        if kind in PARTS:
            one, count = struct.unpack_from(f">{number}H", data, start)
            yield kind, one, struct.unpack_from(f">{count}{number}", data, start + size + 2)


def _extents(data: bytes, position: int) -> Iterator[tuple[int, int]]:
    """The number of each item in the file's body, and where each of its extents ends."""
    version = data[position]
    sizes = data[position + 4], data[position + 5]
    offsets, lengths, bases, indices = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4, sizes[1] & 15 if version else 0
    number = ">H" if version < 2 else ">I"
    (items,) = struct.unpack_from(number, data, position + 6)
    position += 6 + struct.calcsize(number)
    for _ in range(items):
        (item,) = struct.unpack_from(number, data, position)
        position += struct.calcsize(number)
        method = data[position + 1] & 15 if version else IN_FILE
        position += 4 if version else 2
        base = int.from_bytes(data[position : position + bases], "big")
        (extents,) = struct.unpack_from(">H", data, position + bases)
        position += bases + 2
        for _ in range(extents):
            position += indices
            offset = int.from_bytes(data[position : position + offsets], "big")
            length = int.from_bytes(data[position + offsets : position + offsets + lengths], "big")
            position += offsets + lengths
            if method == IN_FILE:
                yield item, base + offset + length
