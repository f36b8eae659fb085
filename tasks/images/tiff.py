"""TIFF files: which page is the picture, and which decoder reads its pixels right.

Decisions that bind users' data. Pillow decodes where `_pillow_is_right`; all else goes through tifffile, which gives samples
as stored, and tiff_samples.py. A reduced copy or a mask is never the picture while the file holds a full page, and a raw file's
thumbnail never is. The orientation is tag 274; Pillow would take XMP's too, which it does for no other format.
"""

import io
import itertools
import logging
from typing import TYPE_CHECKING, Any

from PIL import Image, UnidentifiedImageError

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.images.jpeg import UPRIGHT
from imagerecords.tasks.images.library_words import LIBTIFF, caught_words
from imagerecords.tasks.images.limits import SEGMENTS, refuse_count
from imagerecords.tasks.images.memory_needed import need_of_loaded, refuse_memory
from imagerecords.tasks.images.opening import RAW, Decoded, refuse_size, rejection
from imagerecords.tasks.images.tiff_samples import (
    ASSOCIATED,
    CFA,
    CIELAB,
    CMYK,
    LINEAR_RAW,
    PALETTE,
    RGB,
    WHITE_IS_ZERO,
    WHITE_POINT,
    YCBCR,
    image_of_samples,
    is_d50,
    need_of_samples,
    refuse_kind,
)

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

SUBFILE_TYPE, OLD_SUBFILE_TYPE, BITS, COMPRESSION, PHOTOMETRIC, MAKE = 254, 255, 258, 259, 262, 271
ORIENTATION, PLANAR, COLOR_MAP, SUB_IFDS = 274, 284, 320, 330
STRIP_OFFSETS, TILE_OFFSETS = 273, 324
EXTRA_SAMPLES, SAMPLE_FORMAT, SUBSAMPLING, PROFILE, DNG_VERSION = 338, 339, 530, 34675, 50706
REDUCED_OR_MASK = 0b101  # bits of NewSubfileType
OLD_REDUCED = 2
HEADER = 8  # bytes
UNSIGNED, SEPARATE, UNCOMPRESSED, LERC = 1, 2, 1, 34887
FAXES = {2, 3, 4}  # compressions
MOST_PAGES = 100  # that are searched for the full one

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # its errors are in the image's reason


def read_tiff(data: bytes, settings: BuildSettings) -> Decoded:
    """The picture of a TIFF. Raises Rejected, or what a decoder raises."""
    try:
        image = Image.open(io.BytesIO(data), formats=["TIFF"])
    except UnidentifiedImageError:
        return _by_tifffile(data, settings)
    tags = image.tag_v2  # type: ignore[attr-defined]
    if SUB_IFDS in tags or DNG_VERSION in tags or _is_reduced(tags) or not _pillow_is_right(tags):
        return _by_tifffile(data, settings, image if _pillow_is_right(tags) else None)
    return _by_pillow(image, data, settings)


def _is_reduced(tags: Any) -> bool:
    return bool(_number(tags.get(SUBFILE_TYPE)) & REDUCED_OR_MASK) or tags.get(OLD_SUBFILE_TYPE) == OLD_REDUCED


def _pillow_is_right(tags: Any) -> bool:
    """Whether Pillow, which opened the page, reads the right pixels."""
    bits, photometric = set(tags.get(BITS, (1,))), tags.get(PHOTOMETRIC)
    is_guess = photometric is None and tags.get(COMPRESSION) not in FAXES  # white is zero: libtiff's rule for faxes alone
    if is_guess or set(tags.get(SAMPLE_FORMAT, (UNSIGNED,))) != {UNSIGNED}:
        return False
    if tags.get(PLANAR) == SEPARATE and not _planes_are_right(tags, bits, photometric):
        return False
    if photometric == YCBCR and tags.get(COMPRESSION, UNCOMPRESSED) == UNCOMPRESSED and tags.get(SUBSAMPLING) != (1, 1):
        return False  # it takes the samples for as many of each
    if photometric == PALETTE and max(tags.get(COLOR_MAP, (0,))) < 256:
        return False  # a map of 8 bits, which libtiff scales
    if photometric == CIELAB:
        return is_d50(tags.get(WHITE_POINT))
    return bool(photometric != WHITE_IS_ZERO or max(bits) <= 8)


def _planes_are_right(tags: Any, bits: set[int], photometric: Any) -> bool:
    if tags.get(COMPRESSION, UNCOMPRESSED) != UNCOMPRESSED:
        return photometric in {RGB, CMYK}
    return photometric == RGB and bits == {8} and ASSOCIATED not in tags.get(EXTRA_SAMPLES, ())


def _number(value: Any, otherwise: int = 0) -> int:
    return value if isinstance(value, int) else otherwise


def _by_pillow(image: Image.Image, data: bytes, settings: BuildSettings) -> Decoded:
    refuse_size(image.height, image.width, settings)
    refuse_memory(need_of_loaded(image), image.height, image.width, len(data), settings)
    tags = image.tag_v2  # type: ignore[attr-defined]
    segments = max(len(tags.get(name) or ()) for name in (STRIP_OFFSETS, TILE_OFFSETS))
    refuse_count(segments, SEGMENTS, "strip or tile", " in the TIFF", "strips or tiles")
    orientation = _upright_or(tags.get(ORIENTATION))
    for name in ("xmp", "XML:com.adobe.xmp"):
        image.info.pop(name, None)
    if image.info.get("compression") == "raw":
        image.load()
        return Decoded(image, orientation, is_upright=True)
    error: Exception | None = None
    with caught_words(LIBTIFF) as words:
        try:
            image.load()
        except Exception as caught:
            error = caught
    if error is None and words:  # damage that libtiff fills, as of a fax's lines
        raise Rejected(Reason.CORRUPT, words[0])
    if error is None:
        return Decoded(image, orientation, is_upright=True)
    rejected = rejection(error, " ".join(words))
    if rejected.reason is Reason.UNSUPPORTED:  # Pillow's libtiff lacks the codec
        return _by_tifffile(data, settings)
    raise rejected from error


def _upright_or(orientation: Any) -> int:
    return orientation if isinstance(orientation, int) and orientation in range(1, 9) else UPRIGHT


def _by_tifffile(data: bytes, settings: BuildSettings, image: Image.Image | None = None) -> Decoded:
    """The full page; by Pillow where that is the first one and `image` is there."""
    from tifffile import TiffFile, TiffFileError  # 0.1 s, and few files need it

    try:
        with TiffFile(io.BytesIO(data)) as file:
            page = _full_page(file)
            if image is not None and page is file.pages.first:
                return _by_pillow(image, data, settings)
            refuse_size(page.imagelength, page.imagewidth, settings)
            refuse_kind(page)
            refuse_memory(need_of_samples(page), page.imagelength, page.imagewidth, len(data), settings)
            refuse_count(len(page.dataoffsets), SEGMENTS, "strip or tile", " in the TIFF", "strips or tiles")
            _refuse_cut(page, len(data))
            decoded, opacity = image_of_samples(_samples(page), page)
            decoded.format = "TIFF"
            decoded.info["icc_profile"] = page.tags.valueof(PROFILE, b"")
            return Decoded(decoded, _upright_or(page.tags.valueof(ORIENTATION)), opacity=opacity)
    except TiffFileError as error:
        reason = Reason.CORRUPT if len(data) > HEADER else Reason.TRUNCATED
        raise Rejected(reason, f"{type(error).__name__}: {error}") from error


def _samples(page: "TiffPage") -> Any:
    from tifffile import TiffFileError

    try:
        return page.asarray(maxworkers=1)
    except TiffFileError as error:
        if page.compression == LERC and page.extrasamples:  # libtiff makes a mask of opacities that are all 0 or 255
            raise Rejected(Reason.UNSUPPORTED, "TIFF: LERC with opacity as a mask is not read") from error
        raise


def _full_page(file: "TiffFile") -> "TiffPage":
    """The page that is the picture: the first that is no reduced copy and no mask, in the file or below its first page."""
    try:
        first = file.pages.first
    except IndexError as error:
        raise Rejected(Reason.CORRUPT, "the TIFF has no page") from error
    below = _pages(first.pages or ())
    following = _pages(file.pages)[1:] if _is_copy(first) else []
    pages = [first, *below, *following]
    kind = "DNG" if DNG_VERSION in first.tags else str(first.tags.valueof(MAKE, "TIFF"))
    if any(page.photometric in {CFA, LINEAR_RAW} for page in pages):
        raise Rejected(Reason.UNSUPPORTED, RAW.format(kind))
    full = [page for page in pages if not _is_copy(page)]
    if full:
        return full[0]
    if DNG_VERSION in first.tags or (SUB_IFDS in first.tags and MAKE in first.tags):
        raise Rejected(Reason.UNSUPPORTED, RAW.format(kind))
    return max(pages, key=lambda page: page.imagelength * page.imagewidth)


def _is_copy(page: "TiffPage") -> bool:
    """Whether the page is a reduced copy of another, or its mask."""
    return bool(page.is_reduced or page.is_mask)


def _pages(pages: Any) -> "list[TiffPage]":
    """The pages up to the first that is broken."""
    found: list[TiffPage] = []
    try:
        found.extend(itertools.islice(pages, MOST_PAGES))
    except Exception:  # a broken directory
        return found
    return found


def _refuse_cut(page: "TiffPage", size: int) -> None:
    """Raise Rejected where strips or tiles are missing, which tifffile would fill, or end behind the file."""
    ends = [offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False)]
    if not ends or 0 in page.dataoffsets or 0 in page.databytecounts:
        raise Rejected(Reason.CORRUPT, "the TIFF lacks a strip or tile")
    if max(ends) > size:
        raise Rejected(Reason.TRUNCATED, f"the TIFF's pixels end at byte {max(ends):,}, the file at {size:,}")
