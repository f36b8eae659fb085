"""A JPEG's markers, read without decoding (ITU T.81, annex B; EXIF 2.3; ICC.1, annex B.4)."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

START = b"\xff\xd8"
END = b"\xff\xd9"
# Start-of-frame markers by coding process; C4, C8 and CC in that range are tables, a reserved code and arithmetic conditioning.
FRAMES = {marker for marker in range(0xC0, 0xD0) if marker not in (0xC4, 0xC8, 0xCC)}
BASELINE, EXTENDED, PROGRESSIVE, ARITHMETIC, ARITHMETIC_PROGRESSIVE = 0xC0, 0xC1, 0xC2, 0xC9, 0xCA
HUFFMAN_CODED = {BASELINE, EXTENDED, PROGRESSIVE}
# The rest are lossless or hierarchical, which neither Pillow nor TensorFlow decodes.
DECODABLE = HUFFMAN_CODED | {ARITHMETIC, ARITHMETIC_PROGRESSIVE}
LONGEST_SIDE = 65_500  # of a JPEG that libjpeg reads or writes
SCAN = 0xDA
STANDALONE = {0x01, *range(0xD0, 0xD8)}  # TEM and RST0-7 have no length
APP0, APP1, APP2, APP13, APP14 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE
EXIF = b"Exif\0\0"
PROFILE = b"ICC_PROFILE\0"  # followed by the chunk's number and the count of chunks, a byte each
# Segments that Pillow reads without checking their ends, by how they start, and the bytes that it needs at least; Photoshop's
# resources may end anywhere.
PILLOW_READS = {APP0: (b"JFIF", 7), APP13: (b"Photoshop 3.0\0", 1 << 16), APP14: (b"Adobe", 7)}
UPRIGHT = 1
ORIENTATION_TAG, SHORT = 0x0112, 3
BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


class JpegHeader(NamedTuple):
    """A JPEG's size in pixels, its components, bits a sample, coding process, and whether an end of image follows the scan.

    `orientation` is EXIF's, 1 to 8, 1 where there is none; `profile` the ICC profile, empty where there is none; `is_odd`
    is true where a segment may make Pillow refuse what every other decoder ignores.
    """

    height: int
    width: int
    components: int
    precision: int
    process: int
    ends: bool
    orientation: int = UPRIGHT
    profile: bytes = b""
    is_odd: bool = False

    @property
    def is_plain_colour(self) -> bool:
        """Three components of 8 bits, Huffman-coded: what every decoder reads as RGB."""
        return self.components == 3 and self.precision == 8 and self.process in HUFFMAN_CODED


def read_jpeg_header(data: bytes) -> JpegHeader | None:
    """The header, or None when the markers do not lead to a frame and a scan."""
    frame: tuple[int, int, int, int, int] | None = None
    orientation: int | None = None
    profile: list[bytes] = []
    is_odd = False
    for marker, start, end in _segments(data):
        if marker in FRAMES and min(end, len(data)) - start >= 6:
            precision, height, width, components = struct.unpack_from(">BHHB", data, start)
            frame = height, width, components, precision, marker
        elif marker == APP1 and orientation is None and data.startswith(EXIF, start):
            orientation = exif_orientation(data[start:end])
        elif marker == APP2 and data.startswith(PROFILE, start):
            profile.append(data[start + len(PROFILE) : end])
        elif marker in PILLOW_READS:
            name, least = PILLOW_READS[marker]
            is_odd |= end - start < least and data.startswith(name, start)
        elif marker == SCAN and frame:
            # Inside a scan 0xFF is always stuffed or a restart, so this is no pixel data and no thumbnail's end.
            ends = data.rfind(END, start) > 0
            return JpegHeader(*frame, ends, orientation or UPRIGHT, _joined(profile), is_odd)
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The marker of each segment, and where its content starts and ends; up to the first scan, or to what is no segment."""
    position, size = 2, len(data)
    while position + 4 <= size and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
        elif marker in STANDALONE:
            position += 2
        else:
            length = data[position + 2] << 8 | data[position + 3]
            if length < 2:
                return
            yield marker, position + 4, position + 2 + length
            if marker == SCAN:
                return
            position += 2 + length


def _joined(chunks: list[bytes]) -> bytes:
    """The profile of all chunks in the order of their numbers; empty when some are missing."""
    chunks.sort()
    return b"".join(chunk[2:] for chunk in chunks) if chunks and chunks[0][1:2] == bytes([len(chunks)]) else b""


def exif_orientation(exif: bytes) -> int:
    """The orientation in an EXIF block's first directory, 1 to 8; 1 where there is none, or none that can be read."""
    tiff = exif.removeprefix(EXIF)
    order = BYTE_ORDERS.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (directory,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, directory)
        for number in range(entries):
            tag, kind, count, value = struct.unpack_from(order + "HHIH", tiff, directory + 2 + 12 * number)
            if tag == ORIENTATION_TAG:
                return value if kind == SHORT and count == 1 and 1 <= value <= 8 else UPRIGHT
    except struct.error:  # it ends too early
        pass
    return UPRIGHT
