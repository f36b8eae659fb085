"""Samples of a TIFF's page, as tifffile hands them out, made an image of 8 bits by the page's tags (TIFF 6.0).

A decision that binds users' data: values of up to 16 bits are scaled to 8 and rounded; what has no agreed range or no agreed
colours (signed, floating point, 32 bits, bands beyond grey) is refused.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.tasks.images.bands import in_bands
from imagerecords.tasks.images.colour_codes import D50, SRGB_PRIMARIES, to_xyz, white_of
from imagerecords.tasks.images.memory_needed import BAND, ENCODED, OPACITY_BAND, Need

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
MOST_SAMPLES = 8  # of a pixel
UNSIGNED, VOID = 1, 4  # values of SampleFormat
FORMATS = {2: "signed integers", 3: "floating point", 5: "complex integers", 6: "complex floating point"}
PHOTOMETRIC, INK_SET, CMYK_INKS, COLOR_MAP, WHITE_POINT = 262, 332, 1, 320, 318
WEBP, LOWEST_BIT_FIRST = 50001, 2
SAME_WHITE = 0.002  # of a chromaticity
JPEG_COMPRESSIONS = {6, 7, 34892, 33007}  # which tifffile decodes to RGB
Samples = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]


def refuse_kind(page: "TiffPage") -> None:
    """Raise Rejected for a page whose samples have no agreed range or colours, or whose codec is missing."""
    if what := _odd_numbers(page) or _odd_colours(page) or _odd_codec(page):
        raise Rejected(Reason.UNSUPPORTED, f"TIFF: {what}")


def _odd_numbers(page: "TiffPage") -> str:
    bits, form = page.bitspersample, int(page.sampleformat)
    if not isinstance(bits, int):
        return f"samples of {bits} bits each"
    if form not in {UNSIGNED, VOID}:
        return f"{FORMATS.get(form, 'unknown numbers')} of {bits} bits have no agreed range"
    if page.samplesperpixel > MOST_SAMPLES and int(page.photometric) not in {WHITE_IS_ZERO, BLACK_IS_ZERO}:
        return f"{page.samplesperpixel} samples of a pixel"
    return f"pixels of {bits} bits have no agreed range" if bits > 16 else ""


def _odd_colours(page: "TiffPage") -> str:
    samples, photometric = page.samplesperpixel, int(page.photometric)
    name = getattr(page.photometric, "name", str(page.photometric))
    if PHOTOMETRIC not in page.tags:
        return "no tag says how its samples are shown (PhotometricInterpretation)"
    if photometric not in KINDS:
        return f"colours of kind {name} are not read"
    if photometric in {CIELAB, ICCLAB} and page.bitspersample not in {8, 16}:
        return f"CIELAB of {page.bitspersample} bits"
    if photometric == CMYK and page.tags.valueof(INK_SET, CMYK_INKS) != CMYK_INKS:
        return "inks other than cyan, magenta, yellow and black"
    count = KINDS[photometric][0]
    if count == 1 and samples > 2 + _transparent(page):
        return f"{samples} bands, and which are red, green and blue is not recorded"
    return f"{samples} samples of a pixel, and {name} has {count}" if samples < count else ""


def _odd_codec(page: "TiffPage") -> str:
    from tifffile import TIFF

    if page.imagedepth > 1:
        return f"a volume of {page.imagedepth} slices"
    if page.compression not in TIFF.DECOMPRESSORS:
        return f"compression {getattr(page.compression, 'name', page.compression)} is not read"
    if page.compression == WEBP and page.fillorder == LOWEST_BIT_FIRST:
        return "WebP with its bits in reverse order"
    if int(page.photometric) == YCBCR and page.compression not in JPEG_COMPRESSIONS and page.is_subsampled:
        return "YCbCr of fewer colour samples than brightness, other than JPEG's"
    return ""


def _transparent(page: "TiffPage") -> bool:
    """Whether the first extra sample is opacity; of RGB with four samples the fourth is where no tag says so, as for Pillow."""
    extra = [int(value) for value in page.extrasamples]
    if int(page.photometric) == RGB and page.samplesperpixel == 4 and not extra:
        return True
    return bool(extra) and extra[0] in {ASSOCIATED, UNASSOCIATED}


def need_of_samples(page: "TiffPage") -> Need:
    """The memory of a page: its samples, their levels, opacity, and Pillow's image of four bytes."""
    count = KINDS[int(page.photometric)][0]
    levels = 3 if page.photometric == PALETTE else count
    samples = page.samplesperpixel * -(-page.bitspersample // 8)
    in_floats = _is_lab_in_floats(page)
    made = 2 * levels + 1 if _transparent(page) else levels
    return Need(
        max(samples + made + 4.5, ENCODED + 4.5), 1, BAND if in_floats else OPACITY_BAND if _transparent(page) else 30_000_000
    )


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
        palette = _palette(page)
        levels = in_bands(lambda band: palette[band[..., 0].astype(np.intp)], colours)
    elif _is_lab_in_floats(page):
        white = _white_point(page.tags.valueof(WHITE_POINT)) or D50
        levels, mode = in_bands(partial(_srgb_of_lab, photometric=photometric, white_point=white), colours), "RGB"
    elif photometric in {CIELAB, ICCLAB}:
        levels = _lab(colours, photometric)
    else:
        levels = _scaled(colours, most)
    if photometric == WHITE_IS_ZERO:
        levels = 255 - levels
    elif photometric == YCBCR and page.compression not in JPEG_COMPRESSIONS:
        levels = np.asarray(_image(levels, "YCbCr").convert("RGB"))
    if not _transparent(page):
        return _image(levels, mode), None
    alpha = _scaled(pixels[..., count : count + 1], most)
    if page.extrasamples and int(page.extrasamples[0]) == ASSOCIATED:
        unmultiplied = partial(_unmultiplied, most=most, photometric=photometric)
        levels = in_bands(unmultiplied, colours, pixels[..., count : count + 1], levels)
    return _image(levels, mode), _image(alpha, "L")


def _image(levels: Bytes, mode: str) -> Image.Image:
    height, width = levels.shape[:2]
    image = Image.frombuffer(mode, (width, height), np.ascontiguousarray(levels), "raw", mode, 0, 1)
    image.load()
    return image


def _scaled(values: Samples, most: int) -> Bytes:
    """Whole numbers from 0 to `most` as 0 to 255, rounded."""
    if most == 255:
        return values.astype(np.uint8, copy=False)
    return in_bands(lambda band: ((band.astype(np.uint32) * 255 + most // 2) // most).astype(np.uint8), values)


def _palette(page: "TiffPage") -> Bytes:
    """The colours, one per row. A map whose values are all below 256 is of 8 bits, by libtiff's rule."""
    colours = np.asarray(page.tags.valueof(COLOR_MAP), np.uint32).reshape(3, -1).T
    return (colours >> 8 if colours.max() >= 256 else colours).astype(np.uint8)


def _lab(values: Samples, photometric: int) -> Bytes:
    """CIELAB of 8 bits as Pillow has it: lightness from 0 to 255, a and b signed bytes. ICCLab stores them with an offset."""
    levels = values.astype(np.uint8)
    if photometric == ICCLAB:
        levels[..., 1:] ^= 128
    return levels


def _white_point(tag: Any) -> tuple[float, float] | None:
    """The chromaticity in the tag of a white point, as Pillow or tifffile has it; None for one that is none."""
    numbers = [float(number) for number in tag or ()]
    if len(numbers) == 4:  # tifffile's numerators and denominators
        numbers = [numbers[0] / (numbers[1] or 1), numbers[2] / (numbers[3] or 1)]
    return (numbers[0], numbers[1]) if len(numbers) == 2 and 0 < numbers[0] < 1 and 0 < numbers[1] < 1 else None


def is_d50(tag: Any) -> bool:
    """Whether CIELAB's white is D50, which it is without the tag of a white point too, as Photoshop has it."""
    white = _white_point(tag)
    return white is None or max(abs(white[0] - D50[0]), abs(white[1] - D50[1])) < SAME_WHITE


def _is_lab_in_floats(page: "TiffPage") -> bool:
    """Whether 8 bits of a and b, as Pillow has them, are too coarse, or their white is another than its."""
    if page.photometric == ICCLAB or page.photometric != CIELAB:
        return bool(page.photometric == ICCLAB and page.bitspersample == 16)
    return page.bitspersample == 16 or not is_d50(page.tags.valueof(WHITE_POINT))


def _srgb_of_lab(values: Samples, photometric: int, white_point: tuple[float, float]) -> Bytes:
    """CIELAB as sRGB, without adapting to another white: its white becomes sRGB's.

    In ICCLab of 16 bits 0xFF00 is lightness 100, and a and b have an offset.
    """
    if values.dtype == np.uint8:
        values = np.stack(
            [values[..., 0].astype(np.uint16) * 257, *(values[..., place].astype(np.uint16) << 8 for place in (1, 2))], -1
        )
    white, offset = (0xFF00, 32768) if photometric == ICCLAB else (0xFFFF, 0)
    lightness = values[..., 0].astype(np.float64) * 100 / white
    a, b = (values[..., place].astype(np.int32) - offset for place in (1, 2))
    if not offset:
        a, b = a.astype(np.int16), b.astype(np.int16)
    middle = (lightness + 16) / 116
    cubes = np.stack([middle + a / 256 / 500, middle, middle - b / 256 / 200], axis=-1)
    xyz = np.where(cubes > 6 / 29, cubes**3, (cubes - 4 / 29) * 3 * (6 / 29) ** 2) * white_of(white_point)
    linear = np.clip(xyz @ np.linalg.inv(to_xyz(SRGB_PRIMARIES, white_point)).T, 0, 1)
    levels = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055) * 255
    return np.floor(levels + 0.5).astype(np.uint8)


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
