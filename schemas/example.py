"""The classic `tf.train.Example` of a labelled image, encoded by hand.

A decision that binds users' data: keys stand sorted, so the same image always gives the same bytes; protobuf's own maps
have no order, and TensorFlow's writer gives other bytes each time. Without protobuf here there is also no second
`example.proto` to clash with TensorFlow's in one process. A change of the bytes means a new ENCODER_VERSION: every
fingerprint changes with it, and every shard is built anew.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

ENCODER_VERSION = "1"

# Labels, sizes and constants repeat from image to image: their entries are kept, a tenth of the time of making them anew.
CACHED = 4096
SHORT = 64  # bytes

# The features of every record, each with one value of this type.
CONTRACT: dict[str, type] = {
    "image/channels": int,
    "image/class/label": int,
    "image/class/text": bytes,
    "image/colorspace": bytes,
    "image/encoded": bytes,
    "image/filename": bytes,
    "image/format": bytes,
    "image/height": int,
    "image/width": int,
}

# What these features always say, because it is always true of what is written.
CONSTANTS: dict[str, bytes | int] = {"image/channels": 3, "image/colorspace": b"RGB", "image/format": b"JPEG"}

BYTES_LIST = b"\x0a"  # Feature field 1
INT64_LIST = b"\x1a"  # Feature field 3
FIRST = b"\x0a"  # field 1, length-delimited: a list's values, a map entry's key, the features of an Example
SECOND = b"\x12"  # field 2, length-delimited: a map entry's value


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An RGB JPEG with all that its Example says of it."""

    encoded: bytes
    height: int
    width: int
    filename: str
    label: int
    text: str

    def features(self) -> dict[str, bytes | int]:
        """The classic features by key."""
        return {
            **CONSTANTS,
            "image/class/label": self.label,
            "image/class/text": self.text.encode(),
            "image/encoded": self.encoded,
            "image/filename": self.filename.encode(),
            "image/height": self.height,
            "image/width": self.width,
        }


def encode_example(features: Mapping[str, bytes | int]) -> bytes:
    """The serialised Example of single-valued features, in the order of their keys."""
    pieces: list[bytes] = []
    for key in sorted(features):
        value = features[key]
        if isinstance(value, int):
            pieces.append(_int64_entry(key, value))
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


def _entry_head(key: str, feature_head: bytes, feature_size: int) -> bytes:
    name = key.encode()
    head = FIRST + varint(len(name)) + name + SECOND + varint(feature_size)
    return FIRST + varint(len(head) + feature_size) + head + feature_head
