"""An image file opened and loaded by Pillow; whatever its plugins raise becomes a reason."""

import functools
import io
import logging
import struct
import warnings
from typing import NamedTuple

from PIL import Image, ImageChops, UnidentifiedImageError

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.formats import HEIC, begins_as, camera_raw
from imagerecords.tasks.images.jpeg import START, UPRIGHT, exif_orientation
from imagerecords.tasks.images.memory_needed import need_of_loaded, refuse_memory

# Programs and containers, which Pillow hands to other software where that is installed, or only names.
NO_PIXELS = {"EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG"}
# Pages of a TIFF, views of an MPO and sizes of an icon are no animation; of them, too, one becomes the picture.
ANIMATIONS = {"GIF", "WEBP", "PNG", "AVIF", "FLI"}
SCIENTIFIC = {"FITS", "MCIDAS", "IM", "SPIDER"}  # whose numbers are measurements
# How libraries say that they lack the kind of a sound file; the last is libtiff's, of colours of fewer samples.
NOT_READ = (
    "nsupported",
    "not supported",
    "cannot find loader",
    "not configured",
    "not implemented",
    "unknown pixel mode",
    "unknown PCX mode",
    "incompatible with image size",
)
RAW = "a camera's raw file ({}), which only a raw converter renders. Export it as JPEG or TIFF"

# Pillow's warnings are in the image's reason or have no consequence; they do not belong on a worker's stderr.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())


INSTALL_HEIC = "HEIC: pip install 'imagerecords[heic]'"  # messages in the receipts of 0.1.0 begin so too
NO_HEIC = f"{INSTALL_HEIC}, and run the build again"


class Decoded(NamedTuple):
    """The picture of an image file, its EXIF orientation, and whether it was turned upright already.

    `opacity` (mode L) is that of an image whose mode has no alpha channel.
    """

    image: Image.Image
    orientation: int = UPRIGHT
    is_upright: bool = False
    opacity: Image.Image | None = None


def open_image(data: bytes) -> Image.Image:
    """The image file opened by Pillow, its pixels not decoded yet. Raises Rejected."""
    if kind := camera_raw(data):
        raise Rejected(Reason.UNSUPPORTED, RAW.format(kind))
    kind = begins_as(data)
    if kind == HEIC:
        register_heic()
    try:
        return Image.open(io.BytesIO(data))
    except UnidentifiedImageError as error:
        raise _unidentified(data, kind) from error
    except Exception as error:
        raise rejection(error) from error


def _unidentified(data: bytes, kind: str) -> Rejected:
    if kind == HEIC and not register_heic():
        return Rejected(Reason.UNSUPPORTED, NO_HEIC)
    if data.startswith(START):
        return Rejected(Reason.CORRUPT, "a JPEG with segments that Pillow refuses")
    if not kind:
        return Rejected(Reason.NOT_AN_IMAGE, "no image format that Pillow reads")
    return _plugins_word(data, kind)


def _plugins_word(data: bytes, kind: str) -> Rejected:
    """Why the plugin of a format refuses a file that begins as its own; Image.open keeps that to itself."""
    Image.init()
    if kind not in Image.OPEN:
        return Rejected(Reason.UNSUPPORTED, f"{kind} is not read here. Convert it to PNG or JPEG")
    try:
        Image.OPEN[kind][0](io.BytesIO(data), "").close()
    except (IndexError, EOFError, struct.error) as error:
        return Rejected(Reason.TRUNCATED, f"the {kind} ends in its header ({type(error).__name__}: {error})")
    except Exception as error:
        return rejection(error)
    return Rejected(Reason.UNSUPPORTED, f"a {kind} of a kind that Pillow does not read")


@functools.cache
def register_heic() -> bool:
    """Have Pillow read HEIC, once per process; whether it can. Only when it is needed: the import takes 0.2 s."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def load(image: Image.Image, settings: BuildSettings) -> Decoded:
    """The first frame of an opened image, by Pillow's own plugin. Raises Rejected, or what Pillow raises."""
    if image.format in NO_PIXELS:
        raise Rejected(Reason.UNSUPPORTED, f"{image.format} holds no pixels that Pillow itself reads")
    refuse_size(image.height, image.width, settings)
    refuse_memory(need_of_loaded(image), image.height, image.width, _size(image), settings)
    refuse_animation(image, settings)
    if image.format in SCIENTIFIC and image.mode[0] in "IF":
        raise Rejected(Reason.UNSUPPORTED, f"{image.format}: samples of more than 8 bits have no agreed range")
    image.load()
    orientation = exif_orientation(image.info.get("exif") or b"")
    if image.format == "TGA" and image.mode == "RGBA" and image.getchannel("A").getextrema() == (0, 0):
        return _opaque(image)
    if image.format != "XBM":
        return Decoded(image, orientation)
    inverted = ImageChops.invert(image.convert("L"))  # 1 is black, as the X Window System and browsers have it
    inverted.format = image.format
    return Decoded(inverted)


def _size(image: Image.Image) -> int:
    """The bytes of an opened image's file."""
    file = getattr(image, "fp", None)
    return len(file.getbuffer()) if isinstance(file, io.BytesIO) else 0


def _opaque(image: Image.Image) -> Decoded:
    """The image without its opacities, all of which are 0: its format leaves the byte unused."""
    rgb = image.convert("RGB")
    rgb.format = image.format
    return Decoded(rgb)


def refuse_animation(image: Image.Image, settings: BuildSettings) -> None:
    """Raise Rejected for an animation where the settings exclude them."""
    if settings.animated == "reject" and image.format in ANIMATIONS and getattr(image, "is_animated", False):
        raise Rejected(Reason.ANIMATED, "more than one frame")


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


def rejection(error: Exception, words: str = "") -> Rejected:
    """What a decoder raises (OSError, SyntaxError, ValueError, struct.error, MemoryError, …) as a reason.

    `words` are what its C library printed.
    """
    message = " ".join(f"{words} {type(error).__name__}: {error}".split())
    if isinstance(error, struct.error):
        return Rejected(Reason.TRUNCATED, f"the file ends in its header ({message})")
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return Rejected(Reason.TOO_MANY_PIXELS, message)
    if isinstance(error, NotImplementedError) or any(part in message for part in NOT_READ):
        return Rejected(Reason.UNSUPPORTED, message)
    ends = "runcated" in message or isinstance(error, EOFError)
    return Rejected(Reason.TRUNCATED if ends else Reason.CORRUPT, message)
