"""Samples of a TIFF's page, as tifffile hands them out, made an image of 8 bits by the page's tags (TIFF 6.0).

A decision that binds users' data: values of up to 16 bits are scaled to 8 and rounded; what has no agreed range or no agreed
colours (signed, floating point, 32 bits, bands beyond grey) is refused.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected

if TYPE_CHECKING:
    from tifffile import TiffPage

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, MASK, CMYK, YCBCR, CIELAB, ICCLAB = 0, 1, 2, 3, 4, 5, 6, 8, 9
CFA, LINEAR_RAW = 32803, 34892
# Samples of a pixel without extra ones, and the mode of their image.
KINDS = {
    WHITE_IS_ZERO: (1, "L"),
    BLACK_IS_ZERO: (1, "L"),
    MASK: (1, "L"),
    RGB: (3, "RGB"),
    PALETTE: (1, "RGB"),
    CMYK: (4, "CMYK"),
    YCBCR: (3, "RGB"),
    CIELAB: (3, "LAB"),
    ICCLAB: (3, "LAB"),
}
ASSOCIATED, UNASSOCIATED = 1, 2
UNSIGNED, VOID = 1, 4  # values of SampleFormat
FORMATS = {2: "signed integers", 3: "floating point", 5: "complex integers", 6: "complex floating point"}
INK_SET, CMYK_INKS, COLOR_MAP = 332, 1, 320
JPEG_COMPRESSIONS = {6, 7, 34892, 33007}  # which tifffile decodes to RGB
Samples = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]


def refuse_kind(page: "TiffPage") -> None:
    """Raise Rejected for a page whose samples have no agreed range or colours, or whose codec is missing."""
    from tifffile import TIFF

    bits, samples, form = page.bitspersample, page.samplesperpixel, int(page.sampleformat)
    photometric, name = int(page.photometric), getattr(page.photometric, "name", str(page.photometric))
    what = ""
    if form not in {UNSIGNED, VOID}:
        what = f"{FORMATS.get(form, 'unknown numbers')} of {bits} bits have no agreed range"
    elif bits > 16:
        what = f"pixels of {bits} bits have no agreed range"
    elif photometric not in KINDS:
        what = f"colours of kind {name} are not read"
    elif page.imagedepth > 1:
        what = f"a volume of {page.imagedepth} slices"
    elif photometric == CMYK and page.tags.valueof(INK_SET, CMYK_INKS) != CMYK_INKS:
        what = "inks other than cyan, magenta, yellow and black"
    elif KINDS[photometric][0] == 1 and samples > 1 + _transparent(page) + 1:
        what = f"{samples} bands, and which are red, green and blue is not recorded"
    elif samples < KINDS[photometric][0]:
        what = f"{samples} samples of a pixel, and {name} has {KINDS[photometric][0]}"
    elif page.compression not in TIFF.DECOMPRESSORS:
        what = f"compression {getattr(page.compression, 'name', page.compression)} is not read"
    elif photometric == YCBCR and page.compression not in JPEG_COMPRESSIONS and page.is_subsampled:
        what = "YCbCr of fewer colour samples than brightness, other than JPEG's"
    if what:
        raise Rejected(Reason.UNSUPPORTED, f"TIFF: {what}")


def _transparent(page: "TiffPage") -> bool:
    """Whether the first extra sample is opacity; of RGB with four samples the fourth is where no tag says so, as for Pillow."""
    extra = [int(value) for value in page.extrasamples]
    if int(page.photometric) == RGB and page.samplesperpixel == 4 and not extra:
        return True
    return bool(extra) and extra[0] in {ASSOCIATED, UNASSOCIATED}


def image_of_samples(samples: Samples, page: "TiffPage") -> tuple[Image.Image, Image.Image | None]:
    """The page's samples as an image with 8 bits a channel, of mode L, RGB, CMYK or LAB, and its opacity where it has one."""
    photometric = int(page.photometric)
    separate, _, height, width, contiguous = page.shaped
    pixels = samples.reshape(separate, height, width, contiguous)
    pixels = pixels[0] if separate == 1 else pixels[..., 0].transpose(1, 2, 0)
    count, mode = KINDS[photometric]
    most = (1 << page.bitspersample) - 1
    colours = pixels[..., :count]
    if photometric == PALETTE:
        levels = _palette(page)[colours[..., 0].astype(np.intp)]
    elif photometric in {CIELAB, ICCLAB}:
        levels = _lab(colours, page.bitspersample, photometric)
    else:
        levels = _scaled(colours, most)
    if photometric == WHITE_IS_ZERO:
        levels = 255 - levels
    elif photometric == YCBCR and page.compression not in JPEG_COMPRESSIONS:
        levels = np.asarray(Image.fromarray(np.ascontiguousarray(levels), "YCbCr").convert("RGB"))
    if not _transparent(page):
        return _image(levels, mode), None
    alpha = _scaled(pixels[..., count : count + 1], most)
    if page.extrasamples and int(page.extrasamples[0]) == ASSOCIATED:
        levels = _unmultiplied(colours, pixels[..., count : count + 1], levels, most, photometric)
    return _image(levels, mode), _image(alpha, "L")


def _image(levels: Bytes, mode: str) -> Image.Image:
    height, width = levels.shape[:2]
    return Image.frombytes(mode, (width, height), np.ascontiguousarray(levels).tobytes())


def _scaled(values: Samples, most: int) -> Bytes:
    """Whole numbers from 0 to `most` as 0 to 255, rounded."""
    if most == 255:
        return values.astype(np.uint8)
    return ((values.astype(np.uint32) * 255 + most // 2) // most).astype(np.uint8)


def _palette(page: "TiffPage") -> Bytes:
    """The colours, one per row. A map whose values are all below 256 is of 8 bits, by libtiff's rule."""
    colours = np.asarray(page.tags.valueof(COLOR_MAP), np.uint32).reshape(3, -1).T
    return (colours >> 8 if colours.max() >= 256 else colours).astype(np.uint8)


def _lab(values: Samples, bits: int, photometric: int) -> Bytes:
    """CIELAB as Pillow has it: lightness from 0 to 255, a and b signed bytes.

    ICCLab stores a and b as unsigned numbers with an offset; of 16 bits, 0xFF00 is lightness 100 there.
    """
    if bits not in {8, 16}:
        raise Rejected(Reason.UNSUPPORTED, f"TIFF: CIELAB of {bits} bits")
    numbers = values.astype(np.int64)
    offset = 1 << (bits - 1)
    if photometric == ICCLAB:
        numbers[..., 1:] -= offset
    else:
        numbers[..., 1:] = (numbers[..., 1:] ^ offset) - offset
    if bits == 16:
        white = 0xFF00 if photometric == ICCLAB else 0xFFFF
        numbers[..., 0] = np.minimum((numbers[..., 0] * 255 + white // 2) // white, 255)
        numbers[..., 1:] = np.clip((numbers[..., 1:] + 128) >> 8, -128, 127)
    return (numbers & 255).astype(np.uint8)


def _unmultiplied(colours: Samples, alpha: Samples, levels: Bytes, most: int, photometric: int) -> Bytes:
    """The colours whose values were multiplied with their opacity; under full transparency as stored."""
    if photometric in {PALETTE, CIELAB, ICCLAB}:
        return levels
    opacity = alpha.astype(np.float64)
    shown = colours.astype(np.float64)
    if photometric == WHITE_IS_ZERO:
        shown = np.maximum(opacity - shown, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        full = np.where(opacity > 0, shown / opacity, shown / most)
    return np.clip(np.floor(full * 255 + 0.5), 0, 255).astype(np.uint8)
