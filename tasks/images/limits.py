"""Limits of the work that one image may cost, by what its header says; no photo comes near them.

`max_pixels` limits memory, and with it the work per pixel. What multiplies that work is limited here: scans that each visit
all pixels, tiles and packets that each cost the decoder its own overhead, pictures in one icon.
"""

from imagerecords.schemas.messages import plural
from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.tasks.images.jpeg import JpegHeader
from imagerecords.tasks.images.jpeg_parts import SCANS_START, count_scans

MOST_BYTES = 2_000_000_000  # of a file; a record, whatever is in it, has less than 2 GiB
PIXELS_OF_SCANS = 10_000_000_000  # 55 scans of the largest image, 400 of 24 megapixels; encoders write up to 25
SCAN_BYTES = 10  # the shortest header of a scan
SEGMENTS = 262_144  # strips or tiles of a TIFF
PACKETS = 10_000_000  # of a JPEG 2000; 179 megapixels in tiles of 256 pixels a side have a million
PICTURES = 256  # of an icon


def refuse_scans(data: bytes, header: JpegHeader) -> None:
    """Raise Rejected for a JPEG whose scans visit too many pixels."""
    pixels = header.height * header.width
    if len(data) // SCAN_BYTES * pixels <= PIXELS_OF_SCANS:
        return
    if data.count(SCANS_START) * pixels > PIXELS_OF_SCANS and (scans := count_scans(data)) * pixels > PIXELS_OF_SCANS:
        refuse_count(scans, PIXELS_OF_SCANS // pixels, "scan", f" of {header.width}×{header.height} pixels")


def refuse_count(count: int, most: int, what: str, of: str = "", several: str = "") -> None:
    """Raise Rejected where there are more parts than any photo has."""
    if count > most:
        raise Rejected(Reason.TOO_COMPLEX, f"{plural(count, what, several)}{of}, at most {most:,} are read")
