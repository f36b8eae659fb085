"""The image of a record, its label and its name, by the keys of the classic scripts and by TFDS's."""

from collections.abc import Iterable
from typing import Any

from imagerecords.tasks.images.formats import image_format
from imagerecords.tasks.records.features import Features

ENCODED = "image/encoded"
FORMAT = "image/format"
HEIGHT, WIDTH, CHANNELS = "image/height", "image/width", "image/channels"
LABEL, TEXT, FILENAME = "image/class/label", "image/class/text", "image/filename"
SYNSET = "image/class/synset"
EDGES = tuple(f"image/object/bbox/{edge}" for edge in ("xmin", "xmax", "ymin", "ymax"))
BOX_LABEL = "image/object/bbox/label"
OBJECT_LABEL, OBJECT_TEXT = "image/object/class/label", "image/object/class/text"
KEY = "image/key/sha256"
LABEL_KEYS = (LABEL, "label")
TEXT_KEYS = (TEXT, "text", "label")  # the last: FiftyOne's classification records
NAME_KEYS = (FILENAME, "file_name", "filename")
UNLABELLED = -1  # the label of "none" in TFDS's test splits, and the classic parser's default
ENDINGS = {"JPEG": ".jpg", "PNG": ".png", "GIF": ".gif", "BMP": ".bmp", "WEBP": ".webp", "TIFF": ".tiff"}


def encoded_image(features: Features) -> bytes:
    """The bytes of an Example's image: those of image/encoded, or the largest bytes where there is no such feature."""
    values: Iterable[Any] = features.get(ENCODED) or [value for each in features.values() for value in each]
    return max((value for value in values if isinstance(value, bytes)), key=len, default=b"")


def image_label(features: Features) -> int | None:
    """The label's id; None where the record has none."""
    label: int | None = _first(features, LABEL_KEYS, int)
    return label


def image_text(features: Features) -> str | None:
    """The label's text; None where the record has none."""
    text: bytes | None = _first(features, TEXT_KEYS, bytes)
    return None if text is None else text.decode("utf-8", "replace")


def image_name(features: Features, shard: str, record: int) -> str:
    """The file name in a record, unchanged; or one made of the shard's name and the record's number where it has none."""
    name: bytes = _first(features, NAME_KEYS, bytes) or b""
    ending = ENDINGS.get(image_format(encoded_image(features)), ".bin")
    return name.decode("utf-8", "replace") or f"{shard}-{record:06d}{ending}"


def _first(features: Features, keys: tuple[str, ...], kind: type) -> Any:
    """The first value of the first of these features that has one of this type."""
    values = (value for key in keys for value in features.get(key, [])[:1])
    return next((value for value in values if isinstance(value, kind)), None)
