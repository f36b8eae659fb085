"""The feature contract is checked feature by feature, with boxes and synsets where they are promised."""

import math

import numpy as np
import pytest

from imagerecords.schemas.boxes import CORNERS, Boxes, Objects
from imagerecords.schemas.example import BOXES, DETECTION, OWN_OBJECTS, SEVERAL, SYNSETS, LabelledImage, contract
from imagerecords.tasks.records.contract import contract_problems

GOOD = {key: [value] for key, value in LabelledImage(b"\xff\xd8", 1, 1, "a", 1, "b").features().items()}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, None),
        ({"image/encoded": [b"\x89PNG"]}, "must start as a JPEG"),
        ({"image/encoded": [1]}, "must be one bytes"),
        ({"image/encoded": []}, "must be one bytes"),
        ({"image/height": [1, 2]}, "image/height must be one int, got 2"),
        ({"image/width": [b"1"]}, "image/width must be one int"),
        ({"image/extra": [1]}, "unknown features ['image/extra']"),
        ({"image/format": None}, "missing features ['image/format']"),
        ({"image/channels": [1]}, "image/channels"),  # colour is promised
        ({"image/colorspace": [b"CMYK"]}, "image/colorspace"),
        ({"image/format": [b"PNG"]}, "image/format"),
    ],
)
def test_the_contract_is_checked_feature_by_feature(change, words):
    features = {key: values for key, values in (GOOD | change).items() if values is not None}
    problems = list(contract_problems(features, contract(())))
    assert any(words in problem for problem in problems) if words else problems == []


BOXED = GOOD | {"image/class/synset": [b"n1"], "image/object/bbox/label": [1, 2]}
BOXED |= {f"image/object/bbox/{corner}": [value, value] for corner, value in zip(CORNERS, (0.0, 0.5, 1.0, 0.75), strict=True)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, None),
        ({f"image/object/bbox/{name}": [] for name in (*CORNERS, "label")}, None),  # an image without boxes
        ({"image/object/bbox/label": [1]}, "lists of one length, got [2, 2, 2, 2, 1]"),
        ({"image/object/bbox/label": [1, b"2"]}, "must be a list of int"),
        ({"image/object/bbox/xmin": [1, 2]}, "must be a list of float"),
        ({"image/object/bbox/xmax": [1.0, 1.1]}, "box 1 must lie in the image, got 0, 0.5, 1.1, 0.75"),
        ({"image/object/bbox/ymax": [0.4, 0.75]}, "box 0 must lie in the image"),  # inverted
        ({"image/object/bbox/ymax": None}, "missing features ['image/object/bbox/ymax']"),
        ({"image/class/synset": None}, "missing features ['image/class/synset']"),
        ({"image/class/synset": [b"a", b"b"]}, "image/class/synset must be one bytes"),
    ],
)
def test_the_contract_covers_boxes_and_synsets_where_they_are_promised(change, words):
    features = {key: values for key, values in (BOXED | change).items() if values is not None}
    problems = list(contract_problems(features, contract((BOXES, SYNSETS))))
    assert any(words in problem for problem in problems) if words else problems == []
    assert any("unknown features" in problem for problem in contract_problems(BOXED, contract(())))


OBJECTS = Objects(np.array([1, 1]), np.array([0, 1]), np.array([1, 0]), np.array([0.5, math.nan], np.float32))
TWO = Boxes(np.array([[0, 0, 1, 1], [0, 0, 0.5, 0.5]], np.float32), np.array([1, 1]), OBJECTS)
DETECTED = LabelledImage(b"\xff\xd8", 2, 2, "a", 1, "b", boxes=TWO, source_id="7", object_texts=("b", "b")).features()
LISTS = {key: np.array(value).tolist() for key, value in DETECTED.items() if key.startswith("image/object/")}
DETECTED = {key: [value] for key, value in DETECTED.items()} | LISTS


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, None),
        (
            {"image/object/class/label": [1, 2]},
            "must be as image/object/bbox/label, [1, 1], got [1, 2]",
        ),
        ({"image/object/class/text": [b"b"]}, "image/object/* must be lists of 2"),
        ({"image/object/area": []}, "image/object/* must be lists of 2"),
        ({"image/object/difficult": []}, "image/object/* must be lists of 2"),
        ({"image/key/sha256": [b"00"]}, "image/key/sha256 must be "),
        ({"image/source_id": [7]}, "image/source_id must be one bytes"),
    ],
)
def test_the_contract_covers_the_features_of_object_detection(change, words):
    problems = list(contract_problems(DETECTED | change, contract((BOXES, DETECTION))))
    assert any(words in problem for problem in problems) if words else problems == []


def test_classes_of_their_own_may_differ_from_the_images_label():
    change = {"image/object/class/label": [1, 2], "image/object/class/text": [b"b", b"c"]}
    assert list(contract_problems(DETECTED | change, contract((BOXES, DETECTION, OWN_OBJECTS)))) == []


def test_several_labels_are_lists_where_they_are_promised():
    image = LabelledImage(b"\xff\xd8", 2, 2, "a", 1, "b", labels=(1, 3), texts=("b", "c"))
    features = {
        key: np.array(value).tolist() if key.startswith("image/class") else [value] for key, value in image.features().items()
    }
    assert features["image/class/label"] == [1, 3]
    assert list(contract_problems(features, contract((SEVERAL,)))) == []
    assert any("image/class/label must be one int" in problem for problem in contract_problems(features, contract(())))
