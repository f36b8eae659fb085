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
OBJECT_KEYS = (OBJECT_LABEL, "objects/label")  # the latter: TFDS's data sets of detection
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
