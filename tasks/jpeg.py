"""What a JPEG's markers say, read without decoding (ITU T.81, annex B)."""

from typing import NamedTuple

START = b"\xff\xd8"
END = b"\xff\xd9"
# Start-of-frame markers by coding process; C4, C8 and CC in that range are tables, a reserved code and arithmetic conditioning.
FRAMES = {marker for marker in range(0xC0, 0xD0) if marker not in (0xC4, 0xC8, 0xCC)}
BASELINE, EXTENDED, PROGRESSIVE = 0xC0, 0xC1, 0xC2
SCAN = 0xDA
STANDALONE = {0x01, *range(0xD0, 0xD8)}  # TEM and RST0-7 have no length


class JpegHeader(NamedTuple):
    """A JPEG's size in pixels, its components, bits a sample, coding process, and whether an end of image follows the scan."""

    height: int
    width: int
    components: int
    precision: int
    process: int
    ends: bool

    @property
    def is_plain_colour(self) -> bool:
        """Three components of 8 bits, Huffman-coded: what every decoder reads as RGB."""
        return self.components == 3 and self.precision == 8 and self.process in (BASELINE, EXTENDED, PROGRESSIVE)


def read_jpeg_header(data: bytes) -> JpegHeader | None:
    """The header, or None when the markers do not lead to a frame and a scan."""
    frame: JpegHeader | None = None
    position, size = 2, len(data)
    while position + 4 <= size:
        if data[position] != 0xFF:
            return None
        marker = data[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        if marker in STANDALONE:
            position += 2
            continue
        length = data[position + 2] << 8 | data[position + 3]
        if marker in FRAMES and position + 10 <= size:
            height, width = data[position + 5] << 8 | data[position + 6], data[position + 7] << 8 | data[position + 8]
            frame = JpegHeader(height, width, data[position + 9], data[position + 4], marker, ends=False)
        elif marker == SCAN:
            # Inside a scan 0xFF is always stuffed or a restart, so this is no pixel data and no thumbnail's end.
            return frame._replace(ends=data.rfind(END, position) > 0) if frame else None
        if length < 2:
            return None
        position += 2 + length
    return None
