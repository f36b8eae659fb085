"""The image of a record, its label and its name, by the keys of the classic scripts and by TFDS's."""

import re
from collections.abc import Iterable
from typing import Any

from imagerecords.tasks.images.formats import begins_as, image_format
from imagerecords.tasks.records.features import Features

ENCODED = "image/encoded"
FORMAT = "image/format"
HEIGHT, WIDTH, CHANNELS = "image/height", "image/width", "image/channels"
LABEL, TEXT, FILENAME = "image/class/label", "image/class/text", "image/filename"
SYNSET = "image/class/synset"
EDGES = tuple(f"image/object/bbox/{edge}" for edge in ("xmin", "xmax", "ymin", "ymax"))
BOX_LABEL = "image/object/bbox/label"
OBJECT_LABEL, OBJECT_TEXT = "image/object/class/label", "image/object/class/text"
OBJECT_KEYS = (OBJECT_LABEL, "objects/label")  # the latter: TFDS's data sets of detection
KEY = "image/key/sha256"
LABEL_KEYS = (LABEL, "label", "class")  # the last: records of Kaggle's and Keras' flowers
TEXT_KEYS = (TEXT, "text", "label", "class")  # label: FiftyOne's classification records
IMAGE_KEYS = ("image", "image_raw", "image_bytes", "image/raw", "img", "jpeg", "jpg", "png", "photo", "picture")
BESIDE_IMAGES = re.compile(r"mask|thumb|preview|label|segment|depth|annotation", re.IGNORECASE)
HEAD = 64  # bytes that show whether a value is text
NAME_KEYS = (FILENAME, "file_name", "filename")
UNLABELLED = -1  # the label of "none" in TFDS's test splits, and the classic parser's default
ENDINGS = {"JPEG": ".jpg", "PNG": ".png", "GIF": ".gif", "BMP": ".bmp", "WEBP": ".webp", "TIFF": ".tiff"}


def encoded_image(features: Features) -> bytes:
    """The bytes of an Example's image; empty where it has none."""
    keys = image_keys(features)
    return _largest(features[keys[0]]) if keys else b""


def image_keys(features: Features) -> list[str]:
    """The keys of an Example's images, its own image's first: image/encoded, or values that begin as an image file does.

    Of several such values, names of images come before others, and names of masks and thumbnails last. Raw pixels, paths and
    captions are no images.
    """
    if features.get(ENCODED):
        return [ENCODED]
    sizes = {key: len(value) for key in features if _is_image_file(value := _largest(features[key]))}
    usual = {key: rank for rank, key in enumerate(IMAGE_KEYS)}
    return sorted(sizes, key=lambda key: (usual.get(key, len(usual)), bool(BESIDE_IMAGES.search(key)), -sizes[key], key))


def _largest(values: Iterable[Any]) -> bytes:
    return max((value for value in values if isinstance(value, bytes)), key=len, default=b"")


def _is_image_file(value: bytes) -> bool:
    if not begins_as(value):
        return False
    try:
        return not value[:HEAD].decode().isprintable()  # "BM", as bitmaps begin, may begin a word
    except UnicodeDecodeError:
        return True


def image_label(features: Features) -> int | None:
    """The label's id, of several the first; None where the record has none, or -1.

    Other lists of numbers have none either: as they may be indicators (0, 1, 0), their first is nobody's label.
    """
    if several := several_labels(features)["labels"]:
        return int(several[0])
    for key in LABEL_KEYS:
        match features.get(key):
            case [int() | float() as value] if value == value // 1:
                return None if value == UNLABELLED else int(value)
    return None


def image_text(features: Features) -> str | None:
    """The label's text, of several the first; None where the record has none."""
    if several := several_labels(features)["texts"]:
        return str(several[0])
    for key in TEXT_KEYS:
        match features.get(key):
            case [bytes() as value]:
                return value.decode("utf-8", "replace")
    return None


def several_labels(features: Features) -> dict[str, list[Any] | None]:
    """All labels and texts of a record that has several; both None for others."""
    labels, texts = features.get(LABEL, []), features.get(TEXT, [])
    whole = all(isinstance(label, int) for label in labels) and all(isinstance(text, bytes) for text in texts)
    if not whole or len(labels) != len(texts) or len(labels) < 2:
        return {"labels": None, "texts": None}
    return {"labels": labels, "texts": [text.decode("utf-8", "replace") for text in texts]}


def object_classes(features: Features) -> list[tuple[int | None, str | None]]:
    """The classes of a record's objects, ids and texts, each once, by their ids: Roboflow's, Datumaro's and TFDS's records."""
    ids = next((features[key] for key in OBJECT_KEYS if features.get(key)), [])
    texts = features.get(OBJECT_TEXT) or [None] * len(ids)
    ids = ids or [None] * len(texts)
    if len(ids) != len(texts):
        return []
    words = [text.decode("utf-8", "replace") if isinstance(text, bytes) else None for text in texts]
    pairs = {(number if isinstance(number, int) else None, text) for number, text in zip(ids, words, strict=True)}
    return sorted(pairs, key=lambda pair: (pair[0] is None, pair[0] or 0, pair[1] or ""))


def has_objects_label(features: Features) -> bool:
    """Whether a record has no label of its image, so that its objects' classes are taken."""
    return image_label(features) is None and image_text(features) is None and bool(object_classes(features))


def image_name(features: Features, shard: str, record: int) -> str:
    """The file name in a record, unchanged; or one made of the shard's name and the record's number where it has none."""
    name: bytes = _first(features, NAME_KEYS, bytes) or b""
    ending = ENDINGS.get(image_format(encoded_image(features)), ".bin")
    return name.decode("utf-8", "replace") or f"{shard}-{record:06d}{ending}"


def _first(features: Features, keys: tuple[str, ...], kind: type) -> Any:
    """The first value of the first of these features that has one of this type."""
    values = (value for key in keys for value in features.get(key, [])[:1])
    return next((value for value in values if isinstance(value, kind)), None)
