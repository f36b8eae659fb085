"""One image: recognised by its content, passed through when it is a sound RGB JPEG, else re-encoded, or rejected with a reason.

A decision that binds users' data: a JPEG passes through when it is RGB of 8 bits and Huffman-coded, which every decoder
reads, and neither its EXIF orientation, its ICC profile nor its size ask for other pixels. All else is re-encoded, by
default at quality 100 with 4:2:0 subsampling, as build_image_data.py does with its PNGs. docs/images.md lists the outcomes.
"""

import io
from dataclasses import dataclass

import numpy as np
import simplejpeg
from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.colour import is_srgb
from imagerecords.tasks.images.decode import decode_image
from imagerecords.tasks.images.jpeg import DECODABLE, LONGEST_SIDE, START, UPRIGHT, JpegHeader, read_jpeg_header
from imagerecords.tasks.images.metrics import Figures, Grey, measure, measure_colours, reduction
from imagerecords.tasks.images.normalise import normalise
from imagerecords.tasks.images.opening import open_image, refuse_size


@dataclass(frozen=True, slots=True)
class RgbJpeg:
    """An RGB JPEG that is ready to be written.

    `source_format` is what the file was before (Pillow's name), `orientation` the EXIF orientation that was baked into the
    pixels (boxes must be turned by it), `figures` those of the written picture, None with check_pixels=none.
    """

    encoded: bytes
    height: int
    width: int
    source_format: str
    orientation: int = UPRIGHT
    figures: Figures | None = None


def process_image(data: bytes, settings: BuildSettings) -> RgbJpeg:
    """An image file's bytes as an RGB JPEG; the same bytes when they are one. Raises Rejected, and nothing else."""
    if not data:
        raise Rejected(Reason.EMPTY_FILE, "the file has no bytes")
    refuse_bytes(len(data), settings)
    if not data.startswith(START):
        return _re_encode(data, settings)
    header = read_jpeg_header(data)
    if header is None:
        raise Rejected(Reason.CORRUPT, "the JPEG has no frame and scan")
    _refuse_jpeg(header, settings)
    if header.is_odd:
        open_image(data).close()
    grey = _walk_coefficients(data, header, settings) if settings.check_pixels == "all" else None
    if not _is_ready(header, settings):
        return _re_encode(data, settings)
    return RgbJpeg(data, header.height, header.width, "JPEG", figures=None if grey is None else measure(grey))


def refuse_bytes(size: int, settings: BuildSettings) -> None:
    """Raise Rejected for a file of more bytes than the settings allow."""
    if settings.max_bytes and size > settings.max_bytes:
        raise Rejected(Reason.TOO_MANY_BYTES, f"{size:,} bytes, at most {settings.max_bytes:,} are read")


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


def _is_ready(header: JpegHeader, settings: BuildSettings) -> bool:
    """Whether a sound JPEG can be written as it is."""
    return (
        header.is_plain_colour
        and (header.orientation == UPRIGHT or settings.exif == "keep")
        and (settings.icc == "keep" or is_srgb(header.profile))
        and (settings.resize_shorter_side is None or min(header.height, header.width) <= settings.resize_shorter_side)
    )


def _walk_coefficients(data: bytes, header: JpegHeader, settings: BuildSettings) -> Grey:
    """Decode at a small scale, which still reads every coefficient; libjpeg's warnings, which Pillow swallows, reject."""
    scale = reduction(header.height, header.width)
    least = {"min_height": -(-header.height // scale), "min_width": -(-header.width // scale)}
    try:
        grey: Grey = simplejpeg.decode_jpeg(data, "CMYK" if header.components == 4 else "GRAY", strict=True, **least)[..., 0]
        return grey
    except ValueError as error:
        message = str(error)
        if "subsampling" in message:  # it refuses some rare but legal ones, which Pillow reads
            with decode_image(data, settings).image as image:
                return np.asarray(image.convert("L"))
        reason = Reason.TRUNCATED if "remature end" in message else Reason.CORRUPT
        raise Rejected(reason, message) from error


def _re_encode(data: bytes, settings: BuildSettings) -> RgbJpeg:
    decoded = decode_image(data, settings)
    with decoded.image as image:
        try:
            rgb = normalise(decoded, settings)
        except Rejected:
            raise
        except Exception as error:  # a colour conversion's error is about this image alone
            raise Rejected(Reason.UNSUPPORTED, f"{type(error).__name__}: {error}") from error
        source_format = image.format or "unknown"
    orientation = decoded.orientation if settings.exif == "bake" else UPRIGHT
    figures = measure_colours(rgb) if settings.check_pixels == "all" else None
    return RgbJpeg(_encode(rgb, settings), rgb.height, rgb.width, source_format, orientation, figures)


def _encode(rgb: Image.Image, settings: BuildSettings) -> bytes:
    if max(rgb.size) > LONGEST_SIDE:
        raise Rejected(Reason.UNSUPPORTED, _too_long(rgb.height, rgb.width))
    buffer = io.BytesIO()
    rgb.save(buffer, "JPEG", quality=settings.jpeg_quality, subsampling=settings.jpeg_subsampling)
    return buffer.getvalue()


def _too_long(height: int, width: int) -> str:
    return f"{width}×{height} pixels, and a JPEG has at most {LONGEST_SIDE:,} a side"
