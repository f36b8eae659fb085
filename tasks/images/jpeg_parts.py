"""A JPEG taken apart and put together again with fewer segments; its coefficients, and so its pixels, stay as they are."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from imagerecords.tasks.images.jpeg import (
    ADOBE,
    APP0,
    APP13,
    APP14,
    END,
    JFIF,
    KNOWN_TRANSFORMS,
    PILLOW_READS,
    SCAN,
    SEQUENTIAL,
    SKIPPED,
    STANDALONE,
    START,
    STRAY,
    WHOLE_SPECTRUM,
    JpegHeader,
    is_adobe,
    is_jfif,
    segments,
)

# What ends a scan: a marker that is neither a stuffed 0xFF nor a restart. Twenty times slower with a + for fill bytes.
SCANS_END = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
SCANS_START = b"\xff\xda"
BETWEEN = {STRAY, *STANDALONE}  # what has no content
# JFIF 1.01 without a density and without a thumbnail.
PLAIN_JFIF = JFIF + b"\1\1\0\0\1\0\1\0\0"
USUAL = {3: 1, 4: 2}  # Adobe's transform that libjpeg takes an unknown one for, by components


class Part(NamedTuple):
    """A segment: its marker and content, and for a scan's header the coefficients that follow it."""

    marker: int
    content: bytes
    coefficients: bytes = b""

    def written(self) -> bytes:
        """The part as it stands in a file."""
        return b"\xff%c%c%c" % (self.marker, *(len(self.content) + 2).to_bytes(2, "big")) + self.content + self.coefficients


def take_apart(data: bytes) -> tuple[list[Part], bytes]:
    """The segments without stray bytes and markers that have no content, and the rest: the end of image and what follows it.

    The rest is empty where no end of image follows a scan.
    """
    parts: list[Part] = []
    position: int | None = len(START)
    while position is not None:
        at, position = position, None
        for marker, start, end in segments(data, at):
            if marker == SCAN:
                ends = SCANS_END.search(data, end)
                position = ends.start() if ends else None
                parts.append(Part(marker, data[start:end], data[end:position]))
            elif marker == END[1]:
                return parts, data[start - len(END) :]
            elif marker not in BETWEEN:
                parts.append(Part(marker, data[start:end]))
    return parts, b""


def count_scans(data: bytes) -> int:
    """The number of scans."""
    return sum(part.marker == SCAN for part in take_apart(data)[0])


def header_parts(data: bytes) -> list[Part]:
    """The segments before the first scan, without stray bytes and markers that have no content."""
    found = segments(data)
    return [Part(marker, data[at:end]) for marker, at, end in found if marker not in {SCAN, END[1], *BETWEEN}]


def tidy(data: bytes, header: JpegHeader) -> bytes:
    """A JPEG with nothing but what its pixels depend on, said as libjpeg takes it, so that no warning is about its header."""
    kept = []
    parts, rest = take_apart(data)
    for part in parts:
        if part.marker == SCAN and header.process in SEQUENTIAL:
            kept.append(part._replace(content=part.content[:-3] + WHOLE_SPECTRUM))
        elif part.marker not in SKIPPED:
            kept.append(part)
        elif (colour := colour_part(part, header)) is not None:
            kept.append(colour)
    return put_together(kept, rest[: len(END)])


def colour_part(part: Part, header: JpegHeader) -> Part | None:
    """The part with nothing but what it says of the components' colours; None where that is nothing."""
    if part.marker == APP0 and is_jfif(part.content, 0, len(part.content)):
        return Part(APP0, PLAIN_JFIF)
    if part.marker == APP14 and is_adobe(part.content, 0, len(part.content)):
        transform = part.content[11]
        if transform not in KNOWN_TRANSFORMS.get(header.components, {transform}):
            transform = USUAL[header.components]
        return Part(APP14, ADOBE + b"\0\x64\0\0\0\0" + bytes([transform]))
    return None


def repair(data: bytes, opens: Callable[[bytes], bool]) -> bytes | None:
    """A JPEG that `opens` refuses, without its stray bytes and segments that end too early; None where that is no help."""
    parts, rest = take_apart(data)
    parts = [part for part in parts if part.marker == APP13 or not _is_cut_off(part)]
    for kept in (parts, [part for part in parts if part.marker != APP13]):  # Photoshop's resources may end early inside
        if opens(repaired := put_together(kept, rest)):
            return repaired
    return None


def put_together(parts: Iterable[Part], rest: bytes) -> bytes:
    """The JPEG of these parts and what follows them."""
    return b"".join([START, *(part.written() for part in parts), rest])


def _is_cut_off(part: Part) -> bool:
    name, least = PILLOW_READS.get(part.marker, (b"", 0))
    return len(part.content) < least and part.content.startswith(name)
