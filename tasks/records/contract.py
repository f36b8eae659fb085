"""What a record built by imagerecords must be: as the feature contract of its data set says, and as its row says.

The row is a receipt's or the manifest's; `source` names which in what is reported.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from imagerecords.schemas.boxes import CORNERS
from imagerecords.schemas.example import BOXES, CONSTANTS, DETECTION, EXTRAS, Feature
from imagerecords.schemas.frame import OVERHEAD
from imagerecords.schemas.messages import plural
from imagerecords.tasks.images.jpeg import START
from imagerecords.tasks.records.features import Features
from imagerecords.tasks.records.frames import Frame
from imagerecords.tasks.records.image import BOX_LABEL, FILENAME, HEIGHT, KEY, LABEL, OBJECT_LABEL, TEXT, WIDTH

# The columns of a row that a record is compared with.
COMPARED = ["label", "path", "text", "labels", "texts", "offset", "size", "crc32c", "height", "width", "boxes"]


def place_problems(frame: Frame, row: Mapping[str, Any], source: str) -> Iterable[str]:
    """Where a record's place, size or checksum differs from its row."""
    place = {"offset": frame.offset, "size": len(frame.data) + OVERHEAD, "crc32c": frame.crc}
    for name, value in place.items():
        if row[name] != value:
            yield f"{name} {value}, in the {source} {row[name]}"


def row_problems(features: Features, row: Mapping[str, Any], source: str) -> Iterable[str]:
    """Where a record's features differ from its row."""
    several = row["labels"] is not None
    labels, texts = (row["labels"], row["texts"]) if several else ([row["label"]], [row["text"] or ""])
    for key, values in ((LABEL, labels), (TEXT, [text.encode() for text in texts])):
        if features.get(key) != values:
            yield f"{key} is {features.get(key)}, in the {source} {values}"
    expected = {
        FILENAME: (row["path"] or "").rpartition("/")[2].encode(),
        HEIGHT: row["height"],
        WIDTH: row["width"],
    }
    boxes = len(features[BOX_LABEL]) if BOX_LABEL in features else None
    if boxes != row["boxes"]:
        yield f"number of boxes {boxes}, in the {source} {row['boxes']}"
    for key, value in expected.items():
        if features.get(key) != [value]:
            yield f"{key} is {features.get(key)}, in the {source} {value!r}"


def contract_problems(features: dict[str, list[Any]], promised: Mapping[str, Feature]) -> Iterable[str]:
    """Where an Example breaks the feature contract: its keys, their types, one value each or a list, a JPEG as the image."""
    if features.keys() != promised.keys():
        missing, extra = sorted(promised.keys() - features.keys()), sorted(features.keys() - promised.keys())
        yield f"missing features {missing}, unknown features {extra}"
    for key, (kind, is_list, _) in promised.items():
        match features.get(key, []):
            case values if is_list:
                if not all(isinstance(value, kind) for value in values):
                    yield f"{key} must be a list of {kind.__name__}"
            case [value] if isinstance(value, kind) and value == CONSTANTS.get(key, value):
                pass
            case [value] if isinstance(value, kind):
                yield f"{key} must be {CONSTANTS[key]!r}, got {value!r}"
            case values:
                yield f"{key} must be one {kind.__name__}, got {plural(len(values), 'value')}"
    match features.get("image/encoded"):
        case [bytes(encoded)] if not encoded.startswith(START):
            yield "image/encoded must start as a JPEG"
    if EXTRAS[BOXES].keys() <= promised.keys():
        yield from _box_problems(features)
    if EXTRAS[DETECTION].keys() <= promised.keys():
        yield from _detection_problems(features, own=promised[OBJECT_LABEL].of_objects)


def _box_problems(features: dict[str, list[Any]]) -> Iterable[str]:
    """Where the five lists of an image's boxes are no boxes inside it."""
    corners = [features.get(f"image/object/bbox/{corner}", []) for corner in CORNERS]
    counts = [len(values) for values in (*corners, features.get("image/object/bbox/label", []))]
    if len(set(counts)) > 1:
        yield f"image/object/bbox/* must be lists of one length, got {counts}"
        return
    for number, (xmin, ymin, xmax, ymax) in enumerate(zip(*corners, strict=True)):
        if not (0 <= xmin <= xmax <= 1 and 0 <= ymin <= ymax <= 1):
            yield f"box {number} must lie in the image, got {xmin:g}, {ymin:g}, {xmax:g}, {ymax:g}"


def _detection_problems(features: dict[str, list[Any]], *, own: bool) -> Iterable[str]:
    """Where the features of object detection differ from the classic ones that say the same, as `own` classes do not."""
    labels = features.get(BOX_LABEL, [])
    if not own and features.get(OBJECT_LABEL) != labels:
        yield f"{OBJECT_LABEL} must be as {BOX_LABEL}, {labels}, got {features.get(OBJECT_LABEL)}"
    counts = {key: len(features.get(key, [])) for key, (_, is_list, _) in EXTRAS[DETECTION].items() if is_list}
    if set(counts.values()) != {len(labels)}:
        yield f"image/object/* must be lists of {len(labels)}, got {', '.join(f'{n} {key}' for key, n in counts.items())}"
    match features.get("image/encoded"):
        case [bytes(encoded)] if features.get(KEY) != [(sha256 := hashlib.sha256(encoded).hexdigest()).encode()]:
            yield f"{KEY} must be {sha256}, got {features.get(KEY)}"
