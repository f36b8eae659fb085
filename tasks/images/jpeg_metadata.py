"""What a JPEG says beside its pixels: counted, made true for a picture that was rotated, or left out.

Decisions that bind users' data. `metadata=keep` is the default, as whatever passes through does so byte for byte: TFDS,
webdataset, Hugging Face's imagefolder and build_image_data.py keep files as they are, and a record's SHA-256 is the
file's. `strip` keeps what decides pixels and how they are to be seen: JFIF and Adobe's colours, the profile with icc=keep,
and with exif=keep an EXIF block that has nothing but the orientation. What stands behind the end of image goes too.

Of a rotated picture all segments stay but those that describe further pictures (gain maps, an MPO's views, motion photos),
which go with the pictures behind the end of image: those are not rotated, and their offsets no longer hold. The orientation
becomes 1, in EXIF and XMP, and the sides that EXIF gives are exchanged. EXIF's thumbnail stays as it is stored.
"""

import re
import struct
from typing import NamedTuple

from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.jpeg import (
    APP0,
    APP1,
    APP2,
    APP13,
    APP14,
    BYTE_ORDERS,
    DNL,
    END,
    EXIF,
    ORIENTATION_TAG,
    PHOTOSHOP,
    PROFILE,
    SHORT,
    SKIPPED,
    UPRIGHT,
    JpegHeader,
    is_jfif,
    segments,
)
from imagerecords.tasks.images.jpeg_parts import Part, colour_part, header_parts, put_together, take_apart

EXIF_POINTER, GPS_POINTER, LATITUDE, THUMBNAIL_LENGTH = 0x8769, 0x8825, 2, 0x0202
SIDES, EXIF_SIDES = (0x0100, 0x0101), (0xA002, 0xA003)  # width and height, in the first directory and in EXIF's own
XMP, EXTENDED_XMP = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"
XMP_GPS, XMP_THUMBNAIL = b"GPSLatitude", b"xmp:Thumbnails"
XMP_ORIENTATION = re.compile(rb"""(?<=tiff:Orientation)(=["']|>)\s*[2-8]\s*(?=["'<])""")
PHOTOSHOP_THUMBNAILS = (b"8BIM\x04\x09", b"8BIM\x04\x0c")
JFIF_EXTENSION = b"JFXX\0"
# Of further pictures: MPO's index, ISO's and Google's gain maps, motion photos.
FURTHER = (b"MPF\0", b"urn:iso:std:iso:ts:21496:-1\0")
XMP_FURTHER = re.compile(rb"hdrgm:Version|HDRGainMap|Container:Directory|GCamera:MicroVideo|MotionPhoto")
DIRECTORY_ENTRY = 12  # bytes


class Private(NamedTuple):
    """Whether a JPEG has a GPS position, and whether it has a thumbnail, which may show what it was before it was edited."""

    has_gps: bool = False
    has_thumbnail: bool = False


def find_private(data: bytes) -> Private:
    """What of a JPEG's metadata people may not mean to give away."""
    gps = thumbnail = False
    for marker, start, end in segments(data):
        if marker == APP1 and data.startswith(EXIF, start):
            in_exif = _find_in_exif(data[start + len(EXIF) : end])
            gps |= in_exif.has_gps
            thumbnail |= in_exif.has_thumbnail
        elif marker == APP1:
            gps |= data.find(XMP_GPS, start, end) >= 0
            thumbnail |= data.find(XMP_THUMBNAIL, start, end) >= 0
        elif marker == APP0 and is_jfif(data, start, end):
            thumbnail |= data[start + 12] * data[start + 13] > 0
        elif marker == APP0:
            thumbnail |= data.startswith(JFIF_EXTENSION, start)
        elif marker == APP13 and data.startswith(PHOTOSHOP, start):
            thumbnail |= any(data.find(name, start, end) >= 0 for name in PHOTOSHOP_THUMBNAILS)
    return Private(gps, thumbnail)


def strip(data: bytes, header: JpegHeader, settings: BuildSettings) -> bytes:
    """A JPEG with nothing but what decides its pixels, and how they are to be seen."""
    parts, rest = take_apart(data)
    kept = (part if part.marker not in SKIPPED or _is_kept(part, settings) else colour_part(part, header) for part in parts)
    orientation = [_orientation_alone(header.orientation)] if settings.exif == "keep" and header.orientation != UPRIGHT else []
    return put_together([*orientation, *(part for part in kept if part)], rest[: len(END)])


def metadata_of_rotated(data: bytes, settings: BuildSettings, *, exchanged: bool) -> list[Part]:
    """The segments that a rotated JPEG has beside its coefficients; `exchanged` where its height has become its width."""
    parts = [part for part in header_parts(data) if part.marker in SKIPPED and part.marker not in (APP14, DNL)]
    if settings.metadata == "strip":
        return [part for part in parts if _is_kept(part, settings)]
    return [_upright(part, exchanged=exchanged) for part in parts if not _is_further(part)]


def _is_kept(part: Part, settings: BuildSettings) -> bool:
    return settings.icc == "keep" and part.marker == APP2 and part.content.startswith(PROFILE)


def _is_further(part: Part) -> bool:
    """Whether a segment is about other pictures in the file, or is one that is not rotated."""
    if part.marker == APP0:
        return not is_jfif(part.content, 0, len(part.content))
    if part.marker == APP2:
        return part.content.startswith(FURTHER)
    return part.marker == APP1 and part.content.startswith((XMP, EXTENDED_XMP)) and bool(XMP_FURTHER.search(part.content))


def _upright(part: Part, *, exchanged: bool) -> Part:
    """A segment that says of the rotated picture what it said of the one before."""
    content = part.content
    if part.marker == APP0:
        across, down = content[8:10], content[10:12]
        content = content[:8] + (down + across if exchanged else across + down) + b"\0\0"  # and no thumbnail
    elif part.marker == APP1 and content.startswith(EXIF):
        content = EXIF + _upright_exif(content[len(EXIF) :], exchanged=exchanged)
    elif part.marker == APP1 and content.startswith(XMP):
        content = XMP_ORIENTATION.sub(rb"\g<1>1", content)
    return part._replace(content=content)


def _upright_exif(tiff: bytes, *, exchanged: bool) -> bytes:
    order = BYTE_ORDERS.get(tiff[:4])
    if order is None:
        return tiff
    changed = bytearray(tiff)
    main = _directory(tiff, order, 4)
    if place := main.entries.get(ORIENTATION_TAG):
        changed[place + 8 : place + 10] = struct.pack(order + "H", UPRIGHT)
    if exchanged:
        inner = _directory(tiff, order, main.entries[EXIF_POINTER] + 8) if EXIF_POINTER in main.entries else main
        for entries, (width, height) in ((main.entries, SIDES), (inner.entries, EXIF_SIDES)):
            if width in entries and height in entries:
                one, other = (slice(entries[tag] + 2, entries[tag] + DIRECTORY_ENTRY) for tag in (width, height))
                changed[one], changed[other] = changed[other], changed[one]
    return bytes(changed)


def _find_in_exif(tiff: bytes) -> Private:
    order = BYTE_ORDERS.get(tiff[:4])
    if order is None:
        return Private()
    main = _directory(tiff, order, 4)
    pointer = main.entries.get(GPS_POINTER)
    gps = pointer is not None and LATITUDE in _directory(tiff, order, pointer + 8).entries
    return Private(gps, main.end is not None and THUMBNAIL_LENGTH in _directory(tiff, order, main.end).entries)


class _Directory(NamedTuple):
    """A directory of a TIFF: where the entry of each tag stands, and where its end does, with the pointer to the next."""

    entries: dict[int, int]
    end: int | None


def _directory(tiff: bytes, order: str, pointer: int) -> _Directory:
    """The directory that a pointer in the TIFF leads to; an empty one where it does not."""
    try:
        (start,) = struct.unpack_from(order + "I", tiff, pointer)
        (count,) = struct.unpack_from(order + "H", tiff, start) if start else (0,)
    except struct.error:
        return _Directory({}, None)
    end = start + 2 + DIRECTORY_ENTRY * count
    if not start or end > len(tiff):
        return _Directory({}, None)
    places = range(start + 2, end, DIRECTORY_ENTRY)
    return _Directory({struct.unpack_from(order + "H", tiff, place)[0]: place for place in places}, end)


def _orientation_alone(orientation: int) -> Part:
    """An EXIF segment with one entry."""
    return Part(APP1, EXIF + b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, ORIENTATION_TAG, SHORT, 1, orientation, 0, 0))
