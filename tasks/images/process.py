"""One image: recognised by its content, passed through when it is a sound RGB JPEG, else re-encoded, or rejected with a reason.

A decision that binds users' data: a JPEG passes through when it is RGB of 8 bits and Huffman-coded, which every decoder
reads, and neither its EXIF orientation, its ICC profile nor its size ask for other pixels. One that is only not upright is
rotated without loss (jpeg_rotate.py). All else is re-encoded (jpeg_encode.py). docs/images.md lists the outcomes.
"""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images import jpeg_scan
from imagerecords.tasks.images.colour import is_srgb
from imagerecords.tasks.images.decode import decode_image
from imagerecords.tasks.images.jpeg import (
    DECODABLE,
    JPEG_LS,
    LONGEST_SIDE,
    START,
    UPRIGHT,
    JpegHeader,
    read_jpeg_header,
    segments,
)
from imagerecords.tasks.images.jpeg_check import Coefficients, read_coefficients
from imagerecords.tasks.images.jpeg_encode import encode_jpeg
from imagerecords.tasks.images.jpeg_metadata import find_private, strip
from imagerecords.tasks.images.jpeg_parts import count_scans, header_parts, repair
from imagerecords.tasks.images.jpeg_rotate import EXCHANGED, Rotated, rotate, rotate_clean
from imagerecords.tasks.images.jpeg_tables import components
from imagerecords.tasks.images.limits import MOST_BYTES, refuse_scans
from imagerecords.tasks.images.memory import refused_for_memory
from imagerecords.tasks.images.memory_needed import OTHER_MODES, PLAIN, TURNED, Need, may_need_too_much, refuse_memory
from imagerecords.tasks.images.metrics import Figures, Grey, measure, measure_colours, reduction
from imagerecords.tasks.images.normalise import ROTATION, normalise
from imagerecords.tasks.images.opening import open_image, refuse_size


@dataclass(frozen=True, slots=True)
class RgbJpeg:
    """An RGB JPEG that is ready to be written.

    `source_format` is what the file was before (Pillow's name), `orientation` the EXIF orientation that was baked into the
    pixels (boxes must be turned by it), `figures` those of the written picture, None with check_pixels=none. `kept` are the
    shares of the stored picture's height and width that are in the written one, less than 1 where partial_blocks=trim has cut.
    `is_odd` says of a source that libjpeg warns of it, though no pixel depends on that; `has_gps` and `has_thumbnail` say
    what else the written JPEG gives away.
    """

    encoded: bytes
    height: int
    width: int
    source_format: str
    orientation: int = UPRIGHT
    figures: Figures | None = None
    kept: tuple[float, float] = (1, 1)
    is_odd: bool = False
    has_gps: bool = False
    has_thumbnail: bool = False


def process_image(data: bytes, settings: BuildSettings) -> RgbJpeg:
    """An image file's bytes as an RGB JPEG; the same bytes when they are one.

    Raises Rejected, or MemoryError where the machine has too little memory for it, which is no reason to reject an image.
    """
    try:
        return _process(data, settings)
    except MemoryError:
        raise
    except Exception as error:
        if refused_for_memory(error, data):
            raise MemoryError(str(error)) from error
        raise


def _process(data: bytes, settings: BuildSettings) -> RgbJpeg:
    if not data:
        raise Rejected(Reason.EMPTY_FILE, "the file has no bytes")
    refuse_bytes(len(data), settings)
    if not data.startswith(START):
        return _re_encode(data, settings)
    header = read_jpeg_header(data)
    if header is None:
        if any(marker == JPEG_LS for marker, _, _ in segments(data)):
            raise Rejected(Reason.UNSUPPORTED, "JPEG-LS is not read here. Convert it to PNG or JPEG")
        raise Rejected(Reason.CORRUPT, "the JPEG has no frame and scan")
    _refuse_jpeg(header, settings)
    if may_need_too_much(header.height, header.width, len(data), settings):
        refuse_memory(_need(data, header, settings), header.height, header.width, len(data), settings)
    if (upright := _rotate_clean(data, header, settings)) is not None:
        return upright
    read = _check(data, header, settings)
    readable = _readable(data) if header.may_be_refused else data
    is_odd = header.is_odd or readable is not data or (read is not None and read.is_odd)
    jpeg = None
    if _keeps_pixels(header, settings):
        jpeg = _pass_through(readable, header, read, settings)
    if jpeg is None:
        jpeg = _re_encode(readable, settings)
    return replace(jpeg, is_odd=True) if is_odd else jpeg


def refuse_bytes(size: int, settings: BuildSettings) -> None:
    """Raise Rejected for a file of more bytes than the settings allow."""
    most = min(settings.max_bytes or MOST_BYTES, MOST_BYTES)
    if size > most:
        raise Rejected(Reason.TOO_MANY_BYTES, f"{size:,} bytes, at most {most:,} are read")


def _refuse_jpeg(header: JpegHeader, settings: BuildSettings) -> None:
    """Raise Rejected where the markers alone rule the JPEG out."""
    if header.precision != 8 or header.process not in DECODABLE or header.components not in {1, 3, 4} or not header.height:
        raise Rejected(
            Reason.UNSUPPORTED,
            f"a JPEG of {header.precision} bits, {header.components} components, process SOF{header.process - 0xC0} and "
            f"{header.height} lines, which neither Pillow nor TensorFlow decodes",
        )
    refuse_size(header.height, header.width, settings)
    if max(header.height, header.width) > LONGEST_SIDE:
        raise Rejected(Reason.UNSUPPORTED, _too_long(header.height, header.width))
    if not header.ends:
        raise Rejected(Reason.TRUNCATED, "the JPEG has no end of image")
    if settings.exif == "reject" and header.orientation != UPRIGHT:
        raise Rejected(Reason.ORIENTED, f"EXIF orientation {header.orientation}")


def _keeps_pixels(header: JpegHeader, settings: BuildSettings) -> bool:
    """Whether a sound JPEG can be written with the pixels that it has, at most rotated."""
    return (
        header.is_plain_colour
        and (settings.icc == "keep" or is_srgb(header.profile))
        and (settings.resize_shorter_side is None or min(header.height, header.width) <= settings.resize_shorter_side)
    )


def _need(data: bytes, header: JpegHeader, settings: BuildSettings) -> Need:
    """The memory of a JPEG: its coefficients where it has several scans, twice where it is rotated; and its pixels."""
    found = components(header_parts(data))
    whole = max((one.across for one in found), default=1) * max((one.down for one in found), default=1)
    coefficients = 2 * sum(one.across * one.down for one in found) / max(1, whole) + 0.3
    has_scans = coefficients if count_scans(data) > 1 else 0.3
    is_turned = _is_rotated(header, settings)
    if _keeps_pixels(header, settings):
        return Need(max(2 * coefficients, TURNED), 5) if is_turned else Need(has_scans, 3)
    pixels = max(OTHER_MODES["CMYK"] if header.components == 4 else PLAIN, TURNED if is_turned else 0)
    return Need(max(has_scans + 4, pixels), 3)


def _check(data: bytes, header: JpegHeader, settings: BuildSettings) -> Coefficients | None:
    """All coefficients read, and the picture reduced for its figures; None with check_pixels=none."""
    if settings.check_pixels == "none":
        refuse_scans(data, header)
        return None
    return read_coefficients(data, header, reduction(header.height, header.width))


def _readable(data: bytes) -> bytes:
    """A JPEG of which Pillow may refuse a segment, without the faulty ones; its pixels are the same."""
    if _opens(data):
        return data
    repaired = repair(data, _opens)
    if repaired is None:
        raise Rejected(Reason.CORRUPT, "a JPEG with segments that Pillow refuses")
    return repaired


def _opens(data: bytes) -> bool:
    try:
        open_image(data).close()
    except Rejected:
        return False
    return True


def _rotate_clean(data: bytes, header: JpegHeader, settings: BuildSettings) -> RgbJpeg | None:
    """A clean JPEG that is only not upright, checked and rotated in one pass; None where that takes more."""
    if not _is_rotated(header, settings) or not _keeps_pixels(header, settings) or header.may_be_refused:
        return None
    if settings.check_pixels == "all" and reduction(header.height, header.width) != jpeg_scan.SCALE:
        return None
    found = rotate_clean(data, header, settings)
    return None if found is None else _upright(*found, header, settings)


def _is_rotated(header: JpegHeader, settings: BuildSettings) -> bool:
    return header.orientation != UPRIGHT and settings.exif == "bake"


def _pass_through(data: bytes, header: JpegHeader, read: Coefficients | None, settings: BuildSettings) -> RgbJpeg | None:
    """A sound JPEG as it is, or rotated; None where that takes decoding."""
    if _is_rotated(header, settings):
        return _rotate(data, header, read, settings)
    encoded = strip(data, header, settings) if settings.metadata == "strip" else data
    figures = None if read is None else measure(read.grey)
    return _with_private(RgbJpeg(encoded, header.height, header.width, "JPEG", figures=figures), header, settings)


def _rotate(data: bytes, header: JpegHeader, read: Coefficients | None, settings: BuildSettings) -> RgbJpeg | None:
    rotated = rotate(data, data if read is None else read.plain, header, settings)
    return None if rotated is None else _upright(rotated, None if read is None else read.grey, header, settings)


def _upright(rotated: Rotated, grey: Grey | None, header: JpegHeader, settings: BuildSettings) -> RgbJpeg:
    """A rotated JPEG with the figures of the stored picture, rotated like it."""
    figures = None
    if grey is not None and settings.check_pixels == "all":
        figures = measure(np.asarray(Image.fromarray(grey).transpose(ROTATION[header.orientation])))
    kept = rotated.rows / header.height, rotated.columns / header.width
    jpeg = RgbJpeg(rotated.encoded, rotated.height, rotated.width, "JPEG", header.orientation, figures, kept)
    return _with_private(jpeg, header, settings)


def _with_private(jpeg: RgbJpeg, header: JpegHeader, settings: BuildSettings) -> RgbJpeg:
    if settings.metadata == "strip" or not header.has_metadata:
        return jpeg
    private = find_private(jpeg.encoded)
    return replace(jpeg, has_gps=private.has_gps, has_thumbnail=private.has_thumbnail) if any(private) else jpeg


def _re_encode(data: bytes, settings: BuildSettings) -> RgbJpeg:
    decoded = decode_image(data, settings)
    source_format = decoded.image.format or "unknown"
    orientation = decoded.orientation if settings.exif == "bake" else UPRIGHT
    try:
        rgb = normalise(decoded, settings)
    except Rejected:
        raise
    except Exception as error:  # a colour conversion's error is about this image alone
        raise Rejected(Reason.UNSUPPORTED, f"{type(error).__name__}: {error}") from error
    del decoded
    figures = measure_colours(rgb) if settings.check_pixels == "all" else None
    if max(rgb.size) > LONGEST_SIDE:
        raise Rejected(Reason.UNSUPPORTED, _too_long(rgb.height, rgb.width))
    encoded = encode_jpeg(rgb, settings, data, exchanged=orientation in EXCHANGED)
    return RgbJpeg(encoded, rgb.height, rgb.width, source_format, orientation, figures)


def _too_long(height: int, width: int) -> str:
    return f"{width}×{height} pixels, and a JPEG has at most {LONGEST_SIDE:,} a side"
