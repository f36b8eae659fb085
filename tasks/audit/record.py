"""Checks of a record in any classic data set: its image, and what its features say of the image.

Problems make a trainer fail or learn something false; oddities may be intended.
"""

import io
import math
from collections.abc import Iterable
from typing import Any

from PIL import Image, UnidentifiedImageError

from imagerecords.schemas.receipt import Rejected
from imagerecords.tasks.images.formats import STARTS, image_format
from imagerecords.tasks.images.jpeg import START as JPEG_START
from imagerecords.tasks.images.jpeg import read_jpeg_header
from imagerecords.tasks.images.jpeg_check import read_coefficients
from imagerecords.tasks.images.metrics import SCALES
from imagerecords.tasks.records.features import Features
from imagerecords.tasks.records.image import (
    BOX_LABEL,
    CHANNELS,
    EDGES,
    ENCODED,
    FORMAT,
    HEIGHT,
    LABEL,
    OBJECT_LABEL,
    OBJECT_TEXT,
    UNLABELLED,
    WIDTH,
)

Picture = tuple[int, int, int | None]  # height, width, channels where they are known

OTHER_NAMES = {"JPG": "JPEG", "TIF": "TIFF"}


def record_problems(features: Features) -> Iterable[str]:
    """What is wrong with a record's features, by the classic keys that it has."""
    if not features:
        yield "the Example has no features"
    encoded = one(features, ENCODED, bytes)
    if encoded is not None:
        yield from _picture_problems(encoded, features)
    for label in features.get(LABEL, []):
        if isinstance(label, int) and label < UNLABELLED:
            yield f"{LABEL} must be 0 or more, got {label}"
    lengths = {key: len(features[key]) for key in (*EDGES, BOX_LABEL) if key in features}
    lengths |= {key: len(features[key]) for key in (OBJECT_LABEL, OBJECT_TEXT) if features.get(key)}
    if len(set(lengths.values())) > 1:
        yield f"a box must have all its values, got {', '.join(f'{count} {key}' for key, count in lengths.items())}"
    if any(isinstance(value, float) and math.isnan(value) for edge in EDGES for value in features.get(edge, [])):
        yield "a box must have numbers as edges, got NaN"


def record_oddities(features: Features, *, several: bool = False) -> Iterable[str]:
    """What is unusual in a record, in words that are the same for every record of its kind; it may have `several` labels."""
    labels = features.get(LABEL, [])
    if len(labels) > 1 and not several:
        yield f"several values in {LABEL}"
    if UNLABELLED in labels:
        yield f"{LABEL} {UNLABELLED}, which means none"
    encoded = one(features, ENCODED, bytes)
    if encoded and not image_format(encoded) and not _claimed_format(features):
        yield f"{ENCODED} that begins as no known image format"
    elif encoded and encoded.startswith(JPEG_START) and (channels := one(features, CHANNELS, int)) is not None:
        header = read_jpeg_header(encoded)
        if header and header.components != channels:
            yield f"{CHANNELS} {channels}, with a JPEG of {header.components}"
    if any(isinstance(value, float) and not 0 <= value <= 1 for edge in EDGES for value in features.get(edge, [])):
        yield "boxes beyond their image"


def one(features: Features, key: str, kind: type) -> Any:
    """The value of a feature with exactly one value, of this type; None for others."""
    match features.get(key):
        case [value] if isinstance(value, kind):
            return value
    return None


def pixel_problem(encoded: bytes) -> str | None:
    """The decoder's error for an image, every coefficient read; libjpeg's warnings, which Pillow ignores, are errors here."""
    header = read_jpeg_header(encoded) if encoded.startswith(JPEG_START) else None
    if header:
        try:
            read_coefficients(encoded, header, max(SCALES))
        except Rejected as rejected:
            return rejected.message
        return None
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            image.load()
    except Exception as error:  # Pillow's plugins throw anything
        return _describe(error)
    return None


def _picture_problems(encoded: bytes, features: Features) -> Iterable[str]:
    if not encoded:
        yield f"{ENCODED} must hold an image, got no bytes"
        return
    found, claimed = image_format(encoded), _claimed_format(features)
    if claimed in STARTS and found != claimed:
        yield f"{FORMAT} says {claimed}, and {ENCODED} begins as {found or 'no image (' + encoded[:4].hex(' ') + ')'}"
        return
    if not found:
        return
    picture = _read_jpeg(encoded) if found == "JPEG" else _read_header(encoded)
    if isinstance(picture, str):
        yield f"{ENCODED}: {picture}"
        return
    recorded = one(features, HEIGHT, int), one(features, WIDTH, int)
    real = picture[:2]
    if any(says is not None and says != is_ for says, is_ in zip(recorded, real, strict=True)):
        exchanged = ": exchanged, as by an EXIF orientation" if recorded == real[::-1] else ""
        yield f"height and width must be the image's {real[0]}×{real[1]}, got {recorded[0]}×{recorded[1]}{exchanged}"


def _claimed_format(features: Features) -> str:
    name = (one(features, FORMAT, bytes) or b"").decode("ascii", "replace").upper().removeprefix(".")
    return OTHER_NAMES.get(name, name)


def _read_jpeg(encoded: bytes) -> Picture | str:
    """The image's size, or what is wrong with the JPEG's markers."""
    header = read_jpeg_header(encoded)
    if header is None:
        return "the JPEG has no image data (no frame or scan marker)"
    if not header.ends:
        return "the JPEG has no end of image: it is truncated"
    return header.height, header.width, header.components


def _read_header(encoded: bytes) -> Picture | str:
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            return image.height, image.width, None
    except Exception as error:  # Pillow's plugins throw anything
        return f"its header can't be read ({_describe(error)})"


def _describe(error: Exception) -> str:
    """An error of Pillow's; the one for unknown formats would contain a memory address."""
    return "no format that Pillow reads" if isinstance(error, UnidentifiedImageError) else f"{type(error).__name__}: {error}"
