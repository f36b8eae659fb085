"""A decoded image made 8-bit RGB: depth, colours, transparency, orientation, size, in that order.

Decisions that bind users' data. Grey of 16 bits is scaled to 8 and rounded; of colour channels with 16 bits Pillow keeps the
high byte, which is at most one level less. A CMYK JPEG is inverted when it has Adobe's marker, as TensorFlow takes it.
Resizing is Lanczos's. Metadata is left behind.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageColor

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.bands import Bytes, in_bands, put_on_background
from imagerecords.tasks.images.colour import convert_lab, convert_to_srgb
from imagerecords.tasks.images.opening import Decoded

# Pillow's modes, and to which of L, LA, RGB, RGBA, CMYK and LAB each is brought: without transparency, and with it.
CHANNELS = {
    "1": ("L", "LA"),
    "L": ("L", "LA"),
    "LA": ("LA", "LA"),
    "La": ("LA", "LA"),
    "P": ("RGB", "RGBA"),
    "PA": ("RGBA", "RGBA"),
    "RGB": ("RGB", "RGBA"),
    "RGBX": ("RGB", "RGB"),
    "RGBA": ("RGBA", "RGBA"),
    "RGBa": ("RGBA", "RGBA"),
    "YCbCr": ("RGB", "RGB"),
    "HSV": ("RGB", "RGB"),
    "CMYK": ("CMYK", "CMYK"),
    "LAB": ("LAB", "LAB"),
}
# What turns a picture upright, by its EXIF orientation, and what turns it back.
ROTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
INVERSE_ROTATION = ROTATION | {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
BITS_PER_SAMPLE = 258  # a TIFF's tag
Samples = npt.NDArray[Any]


def normalise(decoded: Decoded, settings: BuildSettings) -> Image.Image:
    """The image as 8-bit RGB without metadata. Raises Rejected where its pixels have no agreed meaning.

    The decoded image is used up: its pixels become the result, or are freed as soon as they are not needed.
    """
    profile = (decoded.image.info.get("icc_profile") or b"") if settings.icc == "convert" else b""
    image = _eight_bits(decoded.image)
    if image is not decoded.image:
        decoded.image.close()
    opacity = image.getchannel("A") if image.mode in {"LA", "RGBA"} else decoded.opacity
    rgb = _srgb(image, profile)
    if image is not rgb:
        image.close()
    if opacity is not None and settings.alpha_background != "drop":
        put_on_background(rgb, opacity, ImageColor.getrgb(settings.alpha_background))
    del image, opacity
    rgb = _shrunk(_turned(rgb, decoded, settings), settings.resize_shorter_side)
    rgb.info.clear()  # Pillow would carry a GIF's comment into the JPEG
    return rgb


def _eight_bits(image: Image.Image) -> Image.Image:
    """The image with 8 bits a channel, in one of the modes of CHANNELS' right side."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        return _from_16_bits(image)
    if image.mode not in CHANNELS:
        raise Rejected(Reason.UNSUPPORTED, f"pixels of 32 bits or floating point have no agreed range (mode {image.mode})")
    if image.mode == "CMYK" and image.format in {"JPEG", "MPO"} and "adobe" not in image.info:
        return ImageChops.invert(image)  # Pillow takes every CMYK JPEG for one of Adobe's, whose values are upside down
    mode = CHANNELS[image.mode][image.has_transparency_data]
    return image if image.mode == mode else image.convert(mode)


def _from_16_bits(image: Image.Image) -> Image.Image:
    """Grey of up to 16 bits scaled to 8, since Pillow's own conversion clips everything above 255."""
    pixels = np.asarray(image)
    bits = image.tag_v2.get(BITS_PER_SAMPLE, (16,))[0] if image.format == "TIFF" else 16  # type: ignore[attr-defined]
    white = (1 << bits) - 1

    def scaled(band: Samples) -> Bytes:
        return ((band.astype(np.int64) * 255 + white // 2) // white).astype(np.uint8)

    grey = Image.fromarray(in_bands(scaled, pixels))
    transparent = image.info.get("transparency")
    if transparent is not None:
        alpha = in_bands(lambda band: np.where(band == transparent, 0, 255).astype(np.uint8), pixels)
        grey.putalpha(Image.fromarray(alpha))
    return grey


def _srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The colours of an image, without its alpha, in RGB."""
    if image.mode == "LAB":
        return convert_lab(image)
    opaque = image.convert({"LA": "L", "RGBA": "RGB"}[image.mode]) if image.mode in {"LA", "RGBA"} else image
    if profile:
        return convert_to_srgb(opaque, profile)
    return opaque if opaque.mode == "RGB" else opaque.convert("RGB")


def _turned(image: Image.Image, decoded: Decoded, settings: BuildSettings) -> Image.Image:
    """The image upright, or as it is stored."""
    bake = settings.exif == "bake"
    ways = {} if decoded.is_upright == bake else INVERSE_ROTATION if decoded.is_upright else ROTATION
    return image.transpose(ways[decoded.orientation]) if decoded.orientation in ways else image


def _shrunk(image: Image.Image, shorter_side: int | None) -> Image.Image:
    """The image with its shorter side scaled down to `shorter_side` pixels; a smaller one as it is."""
    shorter = min(image.size)
    if not shorter_side or shorter <= shorter_side:
        return image
    width, height = (max(1, round(side * shorter_side / shorter)) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)
