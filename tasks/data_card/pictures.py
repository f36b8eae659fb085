"""Small pictures for the data card: read from shards by offset or from input files, a bounded number and a bounded size.

A picture that can't be made is empty, never an error: the card shows broken images too. The bytes depend only on the image and
the versions of Pillow and its libraries, so a picture that an earlier card has need not be drawn again.
"""

import base64
import contextlib
import io
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import simplejpeg
from PIL import Image

from imagerecords.schemas.data_card import Box, Picture
from imagerecords.schemas.frame import FOOTER, HEADER
from imagerecords.tasks.data_card.drawn import Drawn, key_of
from imagerecords.tasks.images.jpeg import START, read_jpeg_header
from imagerecords.tasks.images.library_words import LIBTIFF, caught_words
from imagerecords.tasks.records.example import parse_example
from imagerecords.tasks.records.image import encoded_image
from imagerecords.tasks.storage.folders import Folder

READERS = 8  # a remote store takes some 30 ms however few the bytes
MOST_BYTES = 32 << 20  # of a record or file that is read for one picture
MAX_READ = 512 << 20  # bytes read for all pictures of a page
LEAST_SHARE = 6000  # characters of a picture that are never too many
MAX_PIXELS = 64_000_000  # to decode for one picture; a JPEG is decoded at a fraction of it
QUALITY = 65  # JPEG with its own Huffman tables: a tenth larger than WebP with the same error, in a quarter of the time
MAX_BOXES = 50  # of one picture
GREY_STEPS = 12  # of 255: by how much a picture's channels may differ for it to be grey, after JPEG
MODEL, MAKE = 272, 271  # EXIF
EXIF_WITHIN = 4096  # bytes from a file's start
EDGES = ("xmin", "ymin", "xmax", "ymax")
BBOX = "image/object/bbox"


@dataclass(frozen=True, slots=True)
class PictureSource:
    """An image whose picture is to be made, and the place of its bytes: `size` bytes of `file` from `offset`.

    With offset None they are the whole file, an image; else they are a record, and `encoded_sha256` is its image's, if known.
    Without a folder no picture can be made. A record without boxes need not be read for a picture that is drawn already.
    """

    picture: Picture
    folder: Folder | None = None
    file: str = ""
    offset: int | None = None
    size: int = 0
    encoded_sha256: str | None = None
    may_have_boxes: bool = True


def of_row(folder: Folder, row: Mapping[str, Any]) -> PictureSource:
    """The source for a manifest's row of a written image: its record, where that can be read from its offset."""
    picture = described(row)
    if row["offset"] is None:
        return PictureSource(picture)
    return PictureSource(
        picture, folder, row["shard"], row["offset"], row["size"], row.get("encoded_sha256"), bool(row.get("boxes", True))
    )


def described(row: Mapping[str, Any], note: str = "") -> Picture:
    """A picture with what a row says, before it is drawn."""
    return Picture(
        row["path"],
        row["split"],
        row["label"],
        words_of(row),
        row=row.get("row", -1),
        shard=row["shard"] or "",
        record=row.get("record"),
        source_format=row.get("source_format") or "",
        note=note,
    )


def words_of(row: Mapping[str, Any]) -> str:
    """The text of a row's label, or of all its labels."""
    return ", ".join(row.get("texts") or [row["text"]])


def with_pictures(
    images: Sequence[PictureSource], side: int, budget: int, drawn: Mapping[str, Drawn] = MappingProxyType({})
) -> list[Picture]:
    """The images in their order, each with a picture not wider or higher than `side`, or with the one that is `drawn` already.

    Images beyond the limits are not read. A picture that takes more than its share of `budget` characters is made at half the
    size, and one that would exceed the budget for all is omitted.
    """
    share = max(LEAST_SHARE, budget // max(1, len(images)))
    readable, left = [], MAX_READ
    for image in images:
        fits = image.folder is not None and 0 < image.size <= min(MOST_BYTES, left)
        left -= image.size if fits else 0
        readable.append(image if fits else replace(image, folder=None))
    known = [_known(image, side, share, drawn) for image in readable]
    others = [image for image, picture in zip(readable, known, strict=True) if picture is None]
    with ThreadPoolExecutor(READERS, thread_name_prefix="report") as threads:
        made = threads.map(lambda image: _fitting(image, side, share, drawn), others)
        return list(_within(budget, (picture or next(made) for picture in known)))


def _within(budget: int, pictures: Iterable[Picture]) -> Iterator[Picture]:
    for picture in pictures:
        fits = len(picture.data_uri) <= budget
        budget -= len(picture.data_uri) if fits else 0
        yield picture if fits else replace(picture, data_uri="", width=0, height=0, key="")


def _known(image: PictureSource, side: int, share: int, drawn: Mapping[str, Drawn]) -> Picture | None:
    """The picture that is drawn already, where it fits and nothing is to be read for it."""
    if image.folder is None or image.may_have_boxes or not image.encoded_sha256:
        return None
    key = key_of(image.encoded_sha256, side)
    return _with_drawn(image.picture, drawn[key], key) if key in drawn and len(drawn[key].data_uri) <= share else None


def _fitting(image: PictureSource, side: int, share: int, drawn: Mapping[str, Drawn]) -> Picture:
    picture = _make(image, side, drawn)
    return picture if len(picture.data_uri) <= share else _make(image, side // 2, drawn)


def _make(image: PictureSource, side: int, drawn: Mapping[str, Drawn]) -> Picture:
    if image.folder is None:
        return image.picture
    key = key_of(image.encoded_sha256, side) if image.encoded_sha256 else ""
    try:
        if image.offset is None:
            return draw(image.picture, image.folder.read(image.file), side)
        data = image.folder.read_range(image.file, image.offset, image.size)
        features = parse_example(data[HEADER.size : -FOOTER.size])
        if key in drawn:
            return with_boxes(_with_drawn(image.picture, drawn[key], key), features)
        return replace(draw_example(image.picture, features, side), key=key)
    except Exception:  # stores, protobuf and Pillow's plugins throw anything, and a card without one picture is still a card
        return image.picture


def _with_drawn(picture: Picture, drawn: Drawn, key: str) -> Picture:
    return replace(
        picture,
        data_uri=drawn.data_uri,
        width=drawn.width,
        height=drawn.height,
        camera=drawn.camera,
        is_grey=drawn.is_grey,
        key=key,
    )


def draw_example(picture: Picture, features: dict[str, list[Any]], side: int) -> Picture:
    """The picture with an Example's image, and its boxes where it has some."""
    return with_boxes(draw(picture, encoded_image(features), side), features)


def with_boxes(picture: Picture, features: dict[str, list[Any]]) -> Picture:
    """The picture with an Example's boxes, where it has some."""
    edges = zip(*(features.get(f"{BBOX}/{edge}", []) for edge in EDGES), strict=False)
    labels = [*features.get(f"{BBOX}/label", []), *[0] * MAX_BOXES]
    boxes = tuple(
        Box(_within_one(xmin), _within_one(ymin), _within_one(xmax), _within_one(ymax), label)
        for (xmin, ymin, xmax, ymax), label in itertools.islice(zip(edges, labels, strict=False), MAX_BOXES)
        if all(math.isfinite(edge) for edge in (xmin, ymin, xmax, ymax))
    )
    return replace(picture, boxes=boxes)


def _within_one(edge: Any) -> float:
    return min(max(float(edge), 0.0), 1.0)


def draw(picture: Picture, data: bytes, side: int) -> Picture:
    """The picture with an image file's bytes made small."""
    image = _decode(data, side)
    image.thumbnail((side, side), Image.Resampling.HAMMING, reducing_gap=2.0)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY, optimize=True)
    data_uri = "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
    width, height = image.size
    return replace(picture, data_uri=data_uri, width=width, height=height, camera=_camera(data), is_grey=_is_grey(image))


def _is_grey(image: Image.Image) -> bool:
    """Whether no part of a small picture has a colour."""
    pixels = np.asarray(image.reduce(max(1, min(image.size) // 32))).astype(np.int16)
    return bool(np.ptp(pixels, axis=2).max(initial=0) <= GREY_STEPS)


def _camera(data: bytes) -> str:
    """The camera in an image file's EXIF, empty where there is none."""
    if b"Exif\0\0" not in data[:EXIF_WITHIN]:
        return ""
    with contextlib.suppress(Exception):  # Pillow raises anything on damaged EXIF
        exif = Image.open(io.BytesIO(data)).getexif()
        make, model = (str(exif.get(tag) or "").strip("\0 ") for tag in (MAKE, MODEL))
        brand = make.partition(" ")[0].lower()
        return model if brand and model.lower().startswith(brand) else f"{make} {model}".strip()
    return ""


def _decode(data: bytes, side: int) -> Image.Image:
    """The image in RGB, a JPEG at the smallest scale that still fills `side`; of a truncated JPEG the part that decodes."""
    if data.startswith(START) and (header := read_jpeg_header(data)) and header.is_plain_colour:
        if header.height * header.width > 4 * MAX_PIXELS:
            raise ValueError("too many pixels")
        scale = max(1, min(8, max(header.height, header.width) // side))
        least = {"min_height": max(1, header.height // scale), "min_width": max(1, header.width // scale)}
        return Image.fromarray(simplejpeg.decode_jpeg(data, "RGB", strict=False, **least))
    with Image.open(io.BytesIO(data)) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError("too many pixels")
        if image.format != "TIFF":
            return _on_grey(image)
        with caught_words(LIBTIFF):  # they are in the image's reason, and would be on standard error
            return _on_grey(image)


def _on_grey(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        pixels = np.asarray(image).astype(np.float64)
        low, high = float(pixels.min()), float(pixels.max())
        scaled = (pixels - low) * (255 / max(high - low, 1e-9))
        return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        transparent = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, (128, 128, 128, 255)), transparent).convert("RGB")
    return image.convert("RGB")
