"""Any image file decoded by Pillow within limits; whatever its plugins raise becomes a reason."""

import functools
import io
import logging
import warnings
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.jpeg import ORIENTATION_TAG, START, UPRIGHT, exif_orientation

# Programs and containers, which Pillow hands to other software where that is installed, or only names.
NO_PIXELS = {"EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG"}
# Pages of a TIFF, views of an MPO and sizes of an icon are no animation; of them, too, one becomes the picture.
ANIMATIONS = {"GIF", "WEBP", "PNG", "AVIF", "FLI"}
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
RGB_16_PNG = "RGB;16B"  # Pillow's name for a truecolour PNG of 16 bits

# Pillow's warnings are in the image's reason or have no consequence; they do not belong on a worker's stderr.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())


class Decoded(NamedTuple):
    """The first frame of an image file, its EXIF orientation, and whether Pillow has turned it upright already."""

    image: Image.Image
    orientation: int
    is_upright: bool


def decode_image(data: bytes, settings: BuildSettings) -> Decoded:
    """The decoded image, with `info` as Pillow has it. Raises Rejected, and nothing else."""
    image = open_image(data)
    if image.format in NO_PIXELS:
        raise Rejected(Reason.UNSUPPORTED, f"{image.format} holds no pixels that Pillow itself reads")
    refuse_size(image.height, image.width, settings)
    try:
        decoded = _load(image, settings)
    except Rejected:
        raise
    except Exception as error:
        raise _rejection(error) from error
    if settings.exif == "reject" and decoded.orientation != UPRIGHT:
        raise Rejected(Reason.ORIENTED, f"EXIF orientation {decoded.orientation}")
    refuse_size(image.height, image.width, settings)  # an icon's size may turn out to be another
    return decoded


def _load(image: Image.Image, settings: BuildSettings) -> Decoded:
    if settings.animated == "reject" and image.format in ANIMATIONS and getattr(image, "is_animated", False):
        raise Rejected(Reason.ANIMATED, "more than one frame")
    if "transparency" in image.info and any(tile.args == RGB_16_PNG for tile in getattr(image, "tile", ())):
        # Pillow keeps the high byte of each channel, and would compare it with the key's 16 bits.
        image.info["transparency"] = tuple(value >> 8 for value in image.info["transparency"])
    if image.format == "TIFF":  # the one that Pillow turns while it loads
        orientation = image.getexif().get(ORIENTATION_TAG, UPRIGHT)
        image.load()
        return Decoded(image, orientation if orientation in range(1, 9) else UPRIGHT, is_upright=True)
    image.load()  # a PNG's EXIF may stand behind its pixels
    return Decoded(image, exif_orientation(image.info.get("exif") or b""), is_upright=False)


def open_image(data: bytes) -> Image.Image:
    """The image file opened by Pillow, its pixels not decoded yet. Raises Rejected."""
    if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS:
        register_heic()
    try:
        return Image.open(io.BytesIO(data))
    except UnidentifiedImageError as error:
        if data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS and not register_heic():
            raise Rejected(Reason.UNSUPPORTED, "HEIC: pip install 'imagerecords[heic]', and build into a new output") from error
        if data.startswith(START):
            raise Rejected(Reason.CORRUPT, "a JPEG with segments that Pillow refuses") from error
        raise Rejected(Reason.NOT_AN_IMAGE, "no image format that Pillow reads") from error
    except Exception as error:
        raise _rejection(error) from error


@functools.cache
def register_heic() -> bool:
    """Have Pillow read HEIC, once a process; whether it can. Only when it is needed: the import takes 0.2 s."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def refuse_size(height: int, width: int, settings: BuildSettings) -> None:
    """Raise Rejected for a size in pixels that the settings exclude."""
    if not height or not width:
        raise Rejected(Reason.CORRUPT, f"{width}×{height} pixels")
    if height * width > settings.max_pixels:
        raise Rejected(Reason.TOO_MANY_PIXELS, f"{width}×{height} pixels, at most {settings.max_pixels:,} are read")
    if settings.min_side and min(height, width) < settings.min_side:
        raise Rejected(Reason.TOO_SMALL, f"{width}×{height} pixels, at least {settings.min_side} a side are asked for")
    if settings.max_aspect and max(height, width) > settings.max_aspect * min(height, width):
        raise Rejected(Reason.TOO_ELONGATED, f"{width}×{height} pixels, at most {settings.max_aspect:g} to 1 is asked for")


def _rejection(error: Exception) -> Rejected:
    """What Pillow's plugins raise (OSError, SyntaxError, ValueError, struct.error, MemoryError, …) as a reason."""
    message = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return Rejected(Reason.TOO_MANY_PIXELS, message)
    if isinstance(error, NotImplementedError) or "nsupported" in message or "cannot find loader" in message:
        return Rejected(Reason.UNSUPPORTED, message)
    return Rejected(Reason.TRUNCATED if "runcated" in message else Reason.CORRUPT, message)
