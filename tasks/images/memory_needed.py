"""How much memory a worker takes for an image, by its header: one that takes too much is rejected before it is decoded.

Each reader says what its kind takes. The numbers bound what benchmarks/image_memory.py measures, noise included; a test
compares them with the peaks of processes.
"""

from typing import NamedTuple

from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.jpeg import ORIENTATION_TAG, UPRIGHT, exif_orientation
from imagerecords.tasks.images.memory import KEPT_BYTES, release_kept_memory

WORKER = 120_000_000  # bytes of a process with Python and the libraries
MEGA = 1e6
MOST_PER_PIXEL = 40.0  # of any kind; images that fit with it need no closer look
# Of every image that is not stored as it is: RGB in Pillow's four bytes, and the JPEG of noise.
ENCODED = 6.5
PLAIN, WITH_OPACITY = 7.0, 10.5  # of what Pillow decodes: in its own mode, as RGB, and with opacity beside them
TURNED = 8.5  # twice Pillow's four bytes
# Of libraries that hold more than their picture; without opacity, and with it.
OF_FORMAT = {"WEBP": (17.5, 17.5), "ICNS": (25.0, 25.0), "AVIF": (10.0, 13.5), "HEIF": (10.0, 13.5)}
OTHER_MODES = {"CMYK": 8.5, "LAB": 8.5, "YCbCr": 8.5, "HSV": 8.5, "F": 8.5, "I": 8.5}
COPIED_ONCE = {"TIFF", "BMP", "PNG", "GIF", "TGA", "PPM"}  # formats whose readers hold their file once
OPACITY_MODES = {"LA", "La", "PA", "RGBA", "RGBa"}
BAND = 210_000_000  # what numpy makes of the pixels of one band for CIELAB, in floating point (bands.py)
OPACITY_BAND = 120_000_000  # and for colours that were merged with their opacity


class Need(NamedTuple):
    """Bytes per pixel, how many times the file is held, and bytes of work that do not grow with the picture."""

    per_pixel: float
    files: int = 1
    fixed: int = 0


PNG_WITH_KEY = Need(13.5, 1, 30_000_000)
TONED_DOWN = Need(20.0, 2, 2 * BAND)
BITMAP = Need(12.5, 1, 30_000_000)  # taken apart by its masks, or an icon's
TEXT = Need(PLAIN, 8)  # a picture in a program's source code


def need_of_loaded(image: Image.Image) -> Need:
    """What an image takes that Pillow has opened and will decode."""
    has_opacity = image.mode in OPACITY_MODES or "transparency" in image.info
    least = WITH_OPACITY if has_opacity else OTHER_MODES.get(image.mode, PLAIN)
    per_pixel = max(least, OF_FORMAT.get(image.format or "", (0, 0))[has_opacity])
    tag = image.tag_v2.get(ORIENTATION_TAG, UPRIGHT) if image.format == "TIFF" else UPRIGHT  # type: ignore[attr-defined]
    is_turned = tag != UPRIGHT or exif_orientation(image.info.get("exif") or b"") != UPRIGHT
    return Need(max(per_pixel, TURNED) if is_turned else per_pixel, 1 if image.format in COPIED_ONCE else 2)


def refuse_memory(need: Need, height: int, width: int, size: int, settings: BuildSettings) -> None:
    """Raise Rejected for an image of `size` bytes that takes more memory than the settings allow.

    Memory that the process has kept from other images is given back where this one would take more with it.
    """
    pixels = height * width
    needed = WORKER + need.fixed + need.files * size + need.per_pixel * pixels
    if needed > settings.max_image_memory:
        raise Rejected(
            Reason.TOO_MUCH_MEMORY,
            f"{width}×{height} pixels of this kind take a worker {needed / MEGA:,.0f} MB of memory ({need.per_pixel:.3g} bytes "
            f"per pixel), at most {settings.max_image_memory / MEGA:,.0f} are allowed: max_image_memory",
        )
    if needed + KEPT_BYTES > settings.max_image_memory:
        release_kept_memory()


def may_need_too_much(height: int, width: int, size: int, settings: BuildSettings) -> bool:
    """Whether an image is so large that its kind matters."""
    return WORKER + BAND + 3 * size + MOST_PER_PIXEL * height * width > settings.max_image_memory
