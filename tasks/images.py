"""One image: judged by its content, passed through when it is a sound RGB JPEG, else made one, or rejected with a reason.

A decision that binds users' data: what is not an RGB JPEG is encoded as one at quality 100 with 4:2:0 subsampling, as
build_image_data.py does with its PNGs; transparency lies on white.
"""

import io
from dataclasses import dataclass

import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

from schemas.receipt import Reason
from schemas.settings import BuildSettings
from tasks.jpeg import START, JpegHeader, read_jpeg_header

MAX_PIXELS = 178_956_970  # where Pillow itself calls an image a decompression bomb
WHITE = (255, 255, 255, 255)
MESSAGE_LENGTH = 300  # characters of a decoder's message kept in the manifest


class Rejected(Exception):
    """The image is left out; `reason` is from the closed list, `message` for people."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message[:MESSAGE_LENGTH]


@dataclass(frozen=True, slots=True)
class RgbJpeg:
    """An RGB JPEG that is ready to be written; `source_format` is what the file was before (Pillow's name).

    `orientation` is the EXIF orientation that was baked into the pixels, 1 to 8.
    """

    encoded: bytes
    height: int
    width: int
    source_format: str
    orientation: int = 1


def process_image(data: bytes, settings: BuildSettings) -> RgbJpeg:
    """An image file's bytes as an RGB JPEG; the same bytes when they are one. Raises Rejected, and nothing else."""
    if not data:
        raise Rejected(Reason.EMPTY_FILE, "the file has no bytes")
    if not data.startswith(START):
        return _reencode(data)
    header = read_jpeg_header(data)
    if header is None:
        raise Rejected(Reason.CORRUPT, "the JPEG's markers lead to no picture")
    if header.height * header.width > MAX_PIXELS:
        raise Rejected(Reason.TOO_MANY_PIXELS, f"{header.width}×{header.height} pixels, at most {MAX_PIXELS:,} are read")
    if not header.ends:
        raise Rejected(Reason.TRUNCATED, "the JPEG has no end of image")
    if settings.check_pixels == "all":
        _walk_coefficients(data, header)
    if header.is_plain_colour and header.height and header.width:
        return RgbJpeg(data, header.height, header.width, "JPEG")
    return _reencode(data)


def _walk_coefficients(data: bytes, header: JpegHeader) -> None:
    """Decode at 1/8 scale, which still reads every coefficient; libjpeg's warnings, which Pillow swallows, reject."""
    try:
        simplejpeg.decode_jpeg(data, "CMYK" if header.components == 4 else "GRAY", min_height=1, min_width=1, strict=True)
    except ValueError as error:
        message = str(error)
        if "subsampling" in message:  # its header call refuses some rare but legal ones, which Pillow reads
            _decode(data).close()
            return
        reason = Reason.TRUNCATED if "remature end" in message else Reason.CORRUPT
        raise Rejected(reason, message) from error


def _reencode(data: bytes) -> RgbJpeg:
    with _decode(data) as image:
        try:
            rgb = _as_rgb(image)
            buffer = io.BytesIO()
            rgb.save(buffer, "JPEG", quality=100, subsampling="4:2:0")
        except Rejected:
            raise
        except Exception as error:  # what a colour conversion or the encoder throws is about this image alone
            raise Rejected(Reason.UNSUPPORTED, _describe(error)) from error
        return RgbJpeg(buffer.getvalue(), rgb.height, rgb.width, image.format or "unknown")


def _decode(data: bytes) -> Image.Image:
    """The decoded image; Pillow's plugins throw anything (OSError, SyntaxError, ValueError, struct.error, …)."""
    try:
        image = Image.open(io.BytesIO(data))
    except UnidentifiedImageError as error:
        raise Rejected(Reason.NOT_AN_IMAGE, "no image format that Pillow reads") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Rejected(Reason.TOO_MANY_PIXELS, _describe(error)) from error
    except Exception as error:
        raise Rejected(Reason.CORRUPT, _describe(error)) from error
    if image.width * image.height > MAX_PIXELS:
        raise Rejected(Reason.TOO_MANY_PIXELS, f"{image.width}×{image.height} pixels, at most {MAX_PIXELS:,} are read")
    try:
        image.load()
    except Exception as error:
        reason = Reason.TRUNCATED if "truncated" in str(error) else Reason.CORRUPT
        raise Rejected(reason, _describe(error)) from error
    return image


def _as_rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB without metadata."""
    if image.mode.startswith("I"):
        rgb = _from_16_bit(image).convert("RGB")
    elif image.mode == "F":
        raise Rejected(Reason.UNSUPPORTED, "floating-point pixels have no agreed range")
    elif image.has_transparency_data:
        transparent = image.convert("RGBA")
        rgb = Image.alpha_composite(Image.new("RGBA", image.size, WHITE), transparent).convert("RGB")
    else:
        rgb = image.convert("RGB")
    rgb.info.clear()  # Pillow would carry a GIF's comment into the JPEG
    return rgb


def _from_16_bit(image: Image.Image) -> Image.Image:
    """Grey of 16 bits scaled to 8, since Pillow's own conversion clips everything above 255."""
    pixels = np.asarray(image).astype(np.int64)
    if pixels.min() < 0 or pixels.max() > 0xFFFF:
        raise Rejected(Reason.UNSUPPORTED, "32-bit pixels have no agreed range")
    return Image.fromarray(((pixels * 255 + 0x7FFF) // 0xFFFF).astype(np.uint8))


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
