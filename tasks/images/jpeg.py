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
SEQUENTIAL = {BASELINE, EXTENDED, ARITHMETIC}
JPEG_LS = 0xF7  # the frame of another standard (ITU T.87) with the same start
# The rest are lossless or hierarchical, which neither Pillow nor TensorFlow decodes.
DECODABLE = HUFFMAN_CODED | {ARITHMETIC, ARITHMETIC_PROGRESSIVE}
LONGEST_SIDE = 65_500  # of a JPEG that libjpeg reads or writes
SCAN = 0xDA
STRAY = 0x00  # no marker: bytes between two segments, which libjpeg skips with a warning
TEM = 0x01
STANDALONE = {TEM, *range(0xD0, 0xD8)}  # TEM and RST0-7 have no length
APP0, APP1, APP2, APP13, APP14 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE
COMMENT, DNL = 0xFE, 0xDC
SKIPPED = {*range(0xE0, 0xF0), COMMENT, DNL}  # by libjpeg, where it does not know their content
JFIF, ADOBE, EXIF, PHOTOSHOP = b"JFIF\0", b"Adobe", b"Exif\0\0", b"Photoshop 3.0\0"
PROFILE = b"ICC_PROFILE\0"  # followed by the chunk's number and the count of chunks, a byte each
JFIF_BYTES, ADOBE_BYTES, PROFILE_BYTES = 14, 12, 14  # with fewer libjpeg does not take a segment for one of these
WHOLE_SPECTRUM = b"\0\x3f\0"  # how the header of a sequential scan ends
# Segments that Pillow reads with no care for their ends, by how they start, and the bytes that it needs at least; Photoshop's
# resources may end anywhere.
PILLOW_READS = {APP0: (b"JFIF", 7), APP2: (PROFILE, PROFILE_BYTES), APP13: (PHOTOSHOP, 1 << 16), APP14: (ADOBE, 7)}
UPRIGHT = 1
ORIENTATION_TAG, SHORT = 0x0112, 3
BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}


class JpegHeader(NamedTuple):
    """A JPEG's size in pixels, its components, bits a sample, coding process, and whether an end of image follows the scan.

    `orientation` is EXIF's, 1 to 8, 1 where there is none; `profile` the ICC profile, empty where there is none.
    `may_be_refused` says that Pillow may refuse a segment that every other decoder skips, `is_odd` that libjpeg warns of the
    header, though no pixel depends on it; `has_metadata` that a segment may hold a position or a thumbnail.
    """

    height: int
    width: int
    components: int
    precision: int
    process: int
    ends: bool
    orientation: int = UPRIGHT
    profile: bytes = b""
    may_be_refused: bool = False
    is_odd: bool = False
    has_metadata: bool = False

    @property
    def is_plain_colour(self) -> bool:
        """Three components of 8 bits, Huffman-coded: what every decoder reads as RGB."""
        return self.components == 3 and self.precision == 8 and self.process in HUFFMAN_CODED


def read_jpeg_header(data: bytes) -> JpegHeader | None:
    """The header, or None when the markers do not lead to a frame and a scan."""
    frame: tuple[int, int, int, int, int] | None = None
    orientation: int | None = None
    profile: list[bytes] = []
    transforms: list[int] = []
    may_be_refused = is_odd = has_metadata = False
    for marker, start, end in segments(data):
        has_metadata |= marker in (APP1, APP13) or (marker == APP0 and end - start != JFIF_BYTES)
        if marker in FRAMES and min(end, len(data)) - start >= 6:
            precision, height, width, components = struct.unpack_from(">BHHB", data, start)
            frame = height, width, components, precision, marker
        elif marker == APP1 and orientation is None and data.startswith(EXIF, start):
            orientation = exif_orientation(data[start:end])
        elif marker in PILLOW_READS:
            name, least = PILLOW_READS[marker]
            if data.startswith(name, start):
                may_be_refused |= end - start < least
                is_odd |= end - start < least and marker != APP13
            if marker == APP2 and data.startswith(PROFILE, start):
                profile.append(data[start + len(PROFILE) : end])
            elif marker == APP0 and is_jfif(data, start, end):
                is_odd |= data[start + len(JFIF)] != 1  # the version
            elif marker == APP14 and is_adobe(data, start, end):
                transforms.append(data[start + 11])
        elif marker in (STRAY, TEM):
            if start == len(START):
                return None  # no decoder takes it for a JPEG
            is_odd = True
            may_be_refused |= marker == TEM
        elif marker == SCAN and frame:
            # Inside a scan 0xFF is always stuffed or a restart, so this is no pixel data and no thumbnail's end.
            ends = data.rfind(END, start) > 0
            joined = _joined(profile)
            is_odd |= frame[-1] in SEQUENTIAL and data[end - 3 : end] != WHOLE_SPECTRUM
            is_odd |= bool(profile) and not joined
            is_odd |= any(transform not in KNOWN_TRANSFORMS.get(frame[2], {transform}) for transform in transforms)
            return JpegHeader(*frame, ends, orientation or UPRIGHT, joined, may_be_refused, is_odd, has_metadata)
    return None


KNOWN_TRANSFORMS = {3: {0, 1}, 4: {0, 2}}  # Adobe's, by components; libjpeg takes others for 1 and 2


def is_jfif(data: bytes, start: int, end: int) -> bool:
    """Whether libjpeg takes the content of an APP0 segment for JFIF's."""
    return min(end, len(data)) - start >= JFIF_BYTES and data.startswith(JFIF, start)


def is_adobe(data: bytes, start: int, end: int) -> bool:
    """Whether libjpeg takes the content of an APP14 segment for Adobe's."""
    return min(end, len(data)) - start >= ADOBE_BYTES and data.startswith(ADOBE, start)


def segments(data: bytes, position: int = len(START)) -> Iterator[tuple[int, int, int]]:
    """The marker of each segment, and where its content starts and ends; up to the next scan, the end, or what is no segment.

    Bytes before a marker come as STRAY, as libjpeg counts them: fill bytes are none, a stuffed 0xFF is.
    """
    size = len(data)
    while position + 2 <= size:
        if data[position] != 0xFF or data[position + 1] == 0:
            stray = position
            while data[position : position + 1] != b"\xff" or data[position + 1 : position + 2] == b"\0":
                position = data.find(b"\xff", position + 1)
                if position < 0:
                    return
            yield STRAY, stray, position
            continue
        marker = data[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
        elif marker in STANDALONE or marker == END[1]:
            position += 2
            yield marker, position, position
            if marker == END[1]:
                return
        else:
            length = int.from_bytes(data[position + 2 : position + 4], "big")
            if length < 2 and marker in SKIPPED:
                length = 2  # as libjpeg has it
            if length < 2:
                return
            yield marker, position + 4, position + 2 + length
            if marker == SCAN:
                return
            position += 2 + length


def _joined(chunks: list[bytes]) -> bytes:
    """The profile of all chunks in the order of their numbers; empty when some are missing, or there more than once."""
    chunks.sort()
    if [tuple(chunk[:2]) for chunk in chunks] != [(number, len(chunks)) for number in range(1, len(chunks) + 1)]:
        return b""
    return b"".join(chunk[2:] for chunk in chunks)


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
