"""Which image a box is of: by base name; by whole paths where base names do not tell; never by guess."""

import pyarrow as pa
import pytest

from imagerecords.schemas.boxes import FoundBox, FoundBoxes
from imagerecords.tasks.sources.match_boxes import match_boxes

ROOTS = {"train": "file:///data/train", "validation": "file:///data/validation"}


def matched(images, boxes, *, by_stem=False):
    """The image of each box; images are `source:path`."""
    sources, paths = zip(*(image.split(":", 1) for image in images), strict=True)
    table = pa.table({"source": pa.chunked_array([list(sources)]), "path": pa.chunked_array([list(paths)])})
    found = FoundBoxes.of([FoundBox(box, "", (0, 0, 1, 1), None) for box in boxes], (), by_stem=by_stem)
    rows, errors = match_boxes(found, table, ROOTS)
    return [images[row] if row >= 0 else None for row in rows], errors


A, B, C = "train:cat/1.jpg", "train:dog/1.jpg", "train:dog/2.jpg"


@pytest.mark.parametrize(
    ("images", "boxes", "expected"),
    [
        ([A, C], ["2.jpg", "1.jpg", "2.jpg"], [C, A, C]),
        ([A, C], ["3.jpg", "jpg", ""], [None, None, None]),
        ([A], ["n02/1.jpg"], [A]),  # keyed by base name, as the classic script: other folders are no contradiction
        ([A, B], ["cat/1.jpg", "dog/1.jpg"], [A, B]),
        ([A, B], ["dog/1.jpg"], [B]),
        ([A, B], ["./dog/1.jpg", "/data/train/cat/1.jpg"], [B, A]),
        ([A, "validation:cat/1.jpg"], ["validation/cat/1.jpg"], ["validation:cat/1.jpg"]),
        ([A], ["cat/1.jpg", "dog/1.jpg"], [A, None]),  # the other's boxes are not put on this one
        ([A, "train:odd/at/1.jpg"], ["cat/1.jpg"], [A]),
        ([A, "train:muscat/1.jpg"], ["cat/1.jpg"], [A]),  # a folder's whole name
        ([C], [], []),
    ],
)
def test_a_box_is_of_the_image_whose_name_it_has(images, boxes, expected):
    assert matched(images, boxes) == (expected, [])


@pytest.mark.parametrize(
    ("images", "boxes", "words"),
    [
        ([A, B], ["1.jpg"], ["'cat/1.jpg' and 'dog/1.jpg'", "'1.jpg'"]),
        (
            [A, "validation:cat/1.jpg"],
            ["cat/1.jpg"],
            ["'cat/1.jpg' in train and 'cat/1.jpg' in validation", "--bounding_boxes.train"],
        ),
        ([A, B], ["bird/1.jpg"], ["'bird/1.jpg'"]),
        (
            [A],
            ["dog/1.jpg", "bird/1.jpg"],
            ["'dog/1.jpg' and 'bird/1.jpg'"],
        ),  # two images' boxes, and neither's path is this one
    ],
)
def test_what_leaves_the_image_unclear_is_told(images, boxes, words):
    _, errors = matched(images, boxes)
    assert len(errors) == 1
    for word in words:
        assert word in errors[0]


def test_images_of_one_name_are_no_mistake_while_nobody_has_boxes_for_it():
    assert matched([A, B, C], ["2.jpg"]) == ([C], [])


def test_by_stem_the_ending_does_not_matter():
    images = ["train:n1/n1_1.JPEG", "train:n1/n1.2.JPEG", "train:n2/noending"]
    assert matched(images, ["n1_1", "n1.2", "x/noending", "n1"], by_stem=True) == ([*images, None], [])
    _, errors = matched(["train:a/1.jpg", "train:a/1.png"], ["a/1"], by_stem=True)
    assert "'a/1.jpg' and 'a/1.png'" in errors[0]
