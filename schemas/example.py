"""The classic `tf.train.Example` of a labelled image, encoded by hand.

A decision that binds users' data: keys are sorted, so the same image always gives the same bytes; protobuf's own maps have no
order, and TensorFlow's writer gives other bytes each time. And without protobuf there is no second `example.proto` to clash
with TensorFlow's in one process. A change of the bytes means a new ENCODER_VERSION: every fingerprint changes with it, and
every shard is built again.
"""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from imagerecords.schemas.boxes import Boxes, Objects

# 3 reads kinds of images right that 2 wrote wrong or rejected (docs/images.md); JPEGs that pass through have the same bytes.
ENCODER_VERSION = "3"
# Whose shards a version's may be appended to.
APPENDED_TO = {"3": {"2"}}

# Labels, sizes and constants repeat from image to image: their entries are cached, which takes a tenth of the time.
CACHED = 4096
SHORT = 64  # bytes

# The groups of features that records may have beyond the classic ones; a plan lists those of all its records.
BOXES = "boxes"
SYNSETS = "synsets"
SEVERAL = "several labels"  # image/class/label and text are lists
DETECTION = "detection"  # goes with BOXES
OWN_OBJECTS = "own objects"  # goes with DETECTION: the classes of objects are a list of their own


class Feature(NamedTuple):
    """The type of a feature's values, and whether it is a list of any length instead of one value.

    `of_objects` says that its values are ids of the list of objects' classes, not of labels.
    """

    kind: type
    is_list: bool = False
    of_objects: bool = False


CLASSIC: dict[str, Feature] = {
    "image/channels": Feature(int),
    "image/class/label": Feature(int),
    "image/class/text": Feature(bytes),
    "image/colorspace": Feature(bytes),
    "image/encoded": Feature(bytes),
    "image/filename": Feature(bytes),
    "image/format": Feature(bytes),
    "image/height": Feature(int),
    "image/width": Feature(int),
}
EXTRAS: dict[str, dict[str, Feature]] = {
    BOXES: {
        "image/object/bbox/label": Feature(int, is_list=True),
        "image/object/bbox/xmax": Feature(float, is_list=True),
        "image/object/bbox/xmin": Feature(float, is_list=True),
        "image/object/bbox/ymax": Feature(float, is_list=True),
        "image/object/bbox/ymin": Feature(float, is_list=True),
    },
    SYNSETS: {"image/class/synset": Feature(bytes)},
    SEVERAL: {"image/class/label": Feature(int, is_list=True), "image/class/text": Feature(bytes, is_list=True)},
    DETECTION: {
        "image/key/sha256": Feature(bytes),
        "image/object/area": Feature(float, is_list=True),
        "image/object/class/label": Feature(int, is_list=True),
        "image/object/class/text": Feature(bytes, is_list=True),
        "image/object/difficult": Feature(int, is_list=True),
        "image/object/is_crowd": Feature(int, is_list=True),
        "image/source_id": Feature(bytes),
    },
    OWN_OBJECTS: {"image/object/class/label": Feature(int, is_list=True, of_objects=True)},
}


@functools.cache
def contract(extras: tuple[str, ...]) -> Mapping[str, Feature]:
    """The features of every record of a data set with these extras, keys sorted."""
    features = dict(CLASSIC)
    for extra in extras:
        features |= EXTRAS[extra]
    return dict(sorted(features.items()))


# Features with the same value in all records: every image is an RGB JPEG.
CONSTANTS: dict[str, bytes | int] = {"image/channels": 3, "image/colorspace": b"RGB", "image/format": b"JPEG"}

Value = bytes | int | np.ndarray | tuple[bytes, ...]

BYTES_LIST = b"\x0a"  # Feature field 1
FLOAT_LIST = b"\x12"  # Feature field 2
INT64_LIST = b"\x1a"  # Feature field 3
FIRST = b"\x0a"  # field 1, length-delimited: a list's values, a map entry's key, the features of an Example
SECOND = b"\x12"  # field 2, length-delimited: a map entry's value


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An RGB JPEG with all that its Example says of it; without `boxes` and `synset` its data set has none.

    With `source_id` it has the features of object detection too; `object_texts` are then the names of its objects' classes.
    With `labels` and `texts` it has several of both, `label` and `text` being the first.
    """

    encoded: bytes
    height: int
    width: int
    filename: str
    label: int
    text: str
    synset: str | None = None
    boxes: Boxes | None = None
    source_id: str | None = None
    object_texts: tuple[str, ...] = ()
    labels: tuple[int, ...] | None = None
    texts: tuple[str, ...] = ()

    def features(self) -> dict[str, Value]:
        """The features by key."""
        features: dict[str, Value] = {
            **CONSTANTS,
            "image/class/label": self.label,
            "image/class/text": self.text.encode(),
            "image/encoded": self.encoded,
            "image/filename": self.filename.encode(),
            "image/height": self.height,
            "image/width": self.width,
        }
        if self.labels is not None:
            features["image/class/label"] = np.array(self.labels, np.int64)
            features["image/class/text"] = tuple(text.encode() for text in self.texts)
        if self.synset is not None:
            features["image/class/synset"] = self.synset.encode()
        if self.boxes is not None:
            features |= self.boxes.features()
            if self.source_id is not None and self.boxes.objects is not None:
                features |= self._detection_features(self.boxes, self.boxes.objects, self.source_id)
        return features

    def _detection_features(self, boxes: Boxes, objects: Objects, source_id: str) -> dict[str, Value]:
        """What readers of object detection parse beside the classic features."""
        return {
            "image/key/sha256": hashlib.sha256(self.encoded).hexdigest().encode(),
            "image/object/area": boxes.areas(self.height, self.width),
            "image/object/class/label": objects.labels,
            "image/object/class/text": tuple(text.encode() for text in self.object_texts),
            "image/object/difficult": objects.difficult,
            "image/object/is_crowd": objects.is_crowd,
            "image/source_id": source_id.encode(),
        }


def source_id_of(path: str) -> str:
    """The source id of an image: a decimal number below 2**63 by its path, since Model Garden's parsers convert it to int64."""
    return str(int.from_bytes(hashlib.sha256(path.encode()).digest()[:8], "big") >> 1)


def encode_example(features: Mapping[str, Value]) -> bytes:
    """The serialised Example, in the order of its keys: single values, and lists: arrays of numbers, tuples of bytes."""
    pieces: list[bytes] = []
    for key in sorted(features):
        value = features[key]
        if isinstance(value, int):
            pieces.append(_int64_entry(key, value))
        elif isinstance(value, np.ndarray):
            pieces.append(_list_entry(key, value))
        elif isinstance(value, tuple):
            pieces.append(_bytes_list_entry(key, value))
        elif len(value) <= SHORT:
            pieces.append(_short_entry(key, value))
        else:
            pieces += _bytes_entry(key, value)
    return b"".join([FIRST, varint(sum(map(len, pieces))), *pieces])


def varint(value: int) -> bytes:
    """A base-128 varint; negative numbers as their 64-bit two's complement, as protobuf's int64."""
    value &= 0xFFFF_FFFF_FFFF_FFFF
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _bytes_entry(key: str, value: bytes) -> tuple[bytes, bytes]:
    """A map entry in two pieces, so that a large value is copied once, when the Example is joined."""
    in_list = FIRST + varint(len(value))
    in_feature = BYTES_LIST + varint(len(in_list) + len(value)) + in_list
    return _entry_head(key, in_feature, len(in_feature) + len(value)), value


@functools.lru_cache(CACHED)
def _short_entry(key: str, value: bytes) -> bytes:
    return b"".join(_bytes_entry(key, value))


@functools.lru_cache(CACHED)
def _int64_entry(key: str, value: int) -> bytes:
    number = varint(value)
    packed = FIRST + varint(len(number)) + number
    feature = INT64_LIST + varint(len(packed)) + packed
    return _entry_head(key, feature, len(feature))


def _list_entry(key: str, values: np.ndarray) -> bytes:
    """A map entry of a packed list; an empty one keeps its type, as TensorFlow writes it."""
    is_float = values.dtype.kind == "f"
    numbers = values.astype("<f4").tobytes() if is_float else b"".join(map(varint, values.tolist()))
    packed = FIRST + varint(len(numbers)) + numbers if numbers else b""
    feature = (FLOAT_LIST if is_float else INT64_LIST) + varint(len(packed)) + packed
    return _entry_head(key, feature, len(feature))


def _bytes_list_entry(key: str, values: tuple[bytes, ...]) -> bytes:
    """A map entry of any number of bytes values; an empty one keeps its type."""
    content = b"".join(FIRST + varint(len(value)) + value for value in values)
    feature = BYTES_LIST + varint(len(content)) + content
    return _entry_head(key, feature, len(feature))


def _entry_head(key: str, feature_head: bytes, feature_size: int) -> bytes:
    name = key.encode()
    head = FIRST + varint(len(name)) + name + SECOND + varint(feature_size)
    return FIRST + varint(len(head) + feature_size) + head + feature_head
