"""Boxes of each format, and the column that a listing gets of them."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from imagerecords.schemas.boxes import FoundBox, FoundBoxes
from imagerecords.tasks.sources.box_files import read_boxes
from imagerecords.tasks.sources.boxes import NO_IMAGE, Naming, place_boxes


def rows_of(found):
    """Image, corners, own name of each box."""
    return list(zip(found.images.to_pylist(), found.corners.tolist(), found.names.to_pylist(), strict=True))


def voc(*objects, width=200, height=100, head=""):
    """A Pascal VOC file; an object is its name and its corners in pixels."""
    corners = ("xmin", "ymin", "xmax", "ymax")
    bodies = [
        f"<object><name>{name}</name><bndbox>"
        + "".join(f"<{corner}>{value}</{corner}>" for corner, value in zip(corners, box, strict=False))
        + "</bndbox></object>"
        for name, *box in objects
    ]
    size = f"<size><width>{width}</width><height>{height}</height></size>"
    return f"{head}<annotation><filename>%s</filename>{size}{''.join(bodies)}</annotation>"


def coco(annotations, images=None, categories=({"id": 1, "name": "cat"},)):
    images = images or [{"id": 7, "file_name": "a.jpg", "width": 200, "height": 100}]
    return json.dumps({"images": images, "annotations": annotations, "categories": list(categories)})


def written(tmp_path, name, content):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return str(path)


def test_a_csv_is_read_as_the_classic_script_does(tmp_path):
    """No header, several rows an image, values as they are: the policy comes later."""
    file = written(tmp_path, "b.csv", "a.JPEG,0.1,0.2,0.3,0.4\nb.JPEG, 1e-1 ,.2,1.5,-0.25\na.JPEG,0,0,1,1\n")
    assert rows_of(read_boxes(file, {})) == [
        ("a.JPEG", [0.1, 0.2, 0.3, 0.4], None),
        ("b.JPEG", [0.1, 0.2, 1.5, -0.25], None),
        ("a.JPEG", [0, 0, 1, 1], None),
    ]


def test_rows_of_a_csv_that_are_no_boxes_are_told_by_line(tmp_path):
    file = written(tmp_path, "b.csv", "file,xmin,ymin,xmax,ymax\na.jpg,0,0,1,1\n\na.jpg,0,0,1\n,0,0,1,1\na.jpg,nan,0,1,1\n")
    found = read_boxes(file, {})
    assert len(found) == 1
    assert [problem.rpartition(", ")[2] for problem in found.malformed] == ["line 4", "line 5", "line 6"]
    assert found.places.to_pylist() == [f"{file}, line 2"]


def test_voc_files_name_their_image_by_their_own_name_and_pixels_become_relative(tmp_path):
    """`filename` inside is noise in ImageNet's annotations."""
    written(tmp_path, "x/n1_1.xml", voc(("cat", 20, 10, 100, 50), ("", 0, 0, 200, 100)))
    written(tmp_path, "n2.XML", voc())
    written(tmp_path, "notes.txt", "no annotation")
    found = read_boxes(str(tmp_path), {})
    assert rows_of(found) == [("x/n1_1", [0.1, 0.1, 0.5, 0.5], "cat"), ("x/n1_1", [0, 0, 1, 1], None)]
    assert (found.by_stem, found.malformed) == (True, ())


BOMB = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (voc(("&b;", 0, 0, 1, 1), head=BOMB), "EntitiesForbidden"),
        (voc(("cat", 0, 0, 1, 1), head='<!DOCTYPE a SYSTEM "http://example.org/x.dtd">'), None),  # never fetched
        (voc(("&x;", 0, 0, 1, 1), head='<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "EntitiesForbidden"),
        (voc(("cat", 0, 0, 1, 1))[:-9], "must be plain XML, got unclosed token: line 1"),
        ('<?xml version="1.0" encoding="nonsense"?><a/>', "must be plain XML"),
        ("", "must be plain XML, got no element found: line 1"),
        (voc(("cat", 0, 0, 1)), "object 1"),  # no ymax
        (voc(("cat", 0, 0, 1, "wide")), "must have xmin, ymin, xmax and ymax"),
        ("<html/>", "must be Pascal VOC or CVAT XML, got <html>"),
    ],
)
def test_a_voc_file_that_tells_no_box_is_told_and_no_entity_is_expanded(tmp_path, content, words):
    written(tmp_path, "a.xml", content)
    found = read_boxes(str(tmp_path), {})
    assert len(found.malformed) == (words is not None)
    assert words is None or (words in found.malformed[0] and "a.xml" in found.malformed[0])


def test_coco_annotations_become_relative_boxes_of_their_category(tmp_path):
    annotations = [
        {"image_id": 7, "category_id": 1, "bbox": [20, 10, 80, 40], "segmentation": [[1, 2, 3, 4]]},
        {"image_id": 7, "category_id": 9, "bbox": [0, 0, 200.0, 100.0]},  # a category that nobody listed
    ]
    file = written(tmp_path, "c.json", coco(annotations))
    assert rows_of(read_boxes(file, {})) == [("a.jpg", [0.1, 0.1, 0.5, 0.5], "cat"), ("a.jpg", [0, 0, 1, 1], None)]


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ({"image_id": 8, "bbox": [0, 0, 1, 1]}, "must be listed with its file_name, got None"),
        ({"image_id": 7, "bbox": [0, 0, 1]}, "bbox of four numbers"),
        ({"image_id": 7, "bbox": [0, 0, 1, "wide"]}, "bbox of four numbers"),
        ({"image_id": 7}, "bbox of four numbers"),
        ("box", "bbox of four numbers"),
    ],
)
def test_a_coco_annotation_that_is_no_box_is_told_by_its_number(tmp_path, annotation, words):
    file = written(tmp_path, "c.json", coco([{"image_id": 7, "bbox": [0, 0, 1, 1]}, annotation]))
    found = read_boxes(file, {})
    assert len(found) == 1
    assert words in found.malformed[0]
    assert found.malformed[0].endswith("annotation 2")


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("b.csv", "", ValueError),
        ("c.json", "{", ValueError),
        ("c.json", "[]", ValueError),
        ("c.json", '{"images": []}', ValueError),
        ("b.txt", "a.jpg,0,0,1,1", ValueError),
        ("folder/readme.txt", "", ValueError),  # a folder without XML
        ("", "", FileNotFoundError),
    ],
)
def test_what_is_no_box_file_is_an_error(tmp_path, name, content, error):
    if name:
        written(tmp_path, f"in/{name}", content)
    with pytest.raises(error):
        read_boxes(str(tmp_path / "in" / (name.partition("/")[0] or "none")), {})


LABELS = ("cat", "dog")


def place(boxes, rows, policy="clamp", malformed=()):
    """Boxes (corners and own name) put on images 0 to 2, which are a cat, a dog and a cat."""
    found = FoundBoxes.of([FoundBox("", f"line {n}", box, name) for n, (box, name) in enumerate(boxes, 1)], malformed)
    return place_boxes(found, np.array(rows, np.int64), Naming(pa.chunked_array([[1, 2], [1]], pa.int32()), LABELS), policy)


WHOLE, LEFT = (0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 0.5, 1.0)


def test_boxes_stand_with_their_image_in_the_order_they_were_found():
    placed = place([(WHOLE, None), (LEFT, None), (LEFT, None)], [2, 0, 2])
    assert [[box["xmax"] for box in boxes] for boxes in placed.column.to_pylist()] == [[0.5], [], [1.0, 0.5]]


def test_a_box_has_the_label_it_names_or_else_its_images():
    placed = place([(WHOLE, "dog"), (WHOLE, "hound"), (WHOLE, None), (WHOLE, None)], [0, 0, 0, 1])
    assert [[box["label"] for box in boxes] for boxes in placed.column.to_pylist()] == [[2, 1, 1], [2], []]


BAD = [
    ((-0.5, 0.0, 0.5, 1.0), None),  # outside
    ((0.5, 0.0, 0.0, 1.0), None),  # inverted
    ((0.5, 0.0, 0.5, 1.0), None),  # without area
    ((1.5, 0.0, 2.0, 1.0), None),  # beside the image
    ((float("inf"), 0.0, 0.5, 1.0), None),
    (WHOLE, None),
    (WHOLE, None),
]
PLACES = [0, 0, 0, 0, 0, 0, NO_IMAGE]


@pytest.mark.parametrize(("policy", "planned", "clamped", "dropped"), [("clamp", 3, 2, 4), ("drop", 1, 0, 6)])
def test_every_box_found_is_planned_or_dropped_or_of_no_image(policy, planned, clamped, dropped):
    placed = place(BAD, PLACES, policy, malformed=["b.csv, line 9"])
    counts = placed.counts
    assert (counts.found, counts.planned, counts.clamped, counts.dropped, counts.of_no_image) == (
        8,
        planned,
        clamped,
        dropped,
        1,
    )
    assert placed.errors == ()
    boxes = placed.column.to_pylist()[0]
    assert len(boxes) == planned
    assert all(0 <= box["xmin"] < box["xmax"] <= 1 and 0 <= box["ymin"] < box["ymax"] <= 1 for box in boxes)


def test_with_fail_each_bad_box_is_a_mistake_with_its_place():
    errors = place(BAD, PLACES, "fail", malformed=["a row must …: b.csv, line 9"]).errors
    assert errors[0] == "a row must …: b.csv, line 9"
    assert [error.partition(": line ")[2][0] for error in errors[1:]] == ["1", "2", "3", "4", "5", "7"]
    assert "lie in 0 to 1, got -0.5, 0, 0.5, 1" in errors[1]


def test_of_a_thousand_mistakes_the_first_few_dozen_are_told_and_the_rest_counted():
    errors = place([BAD[0]] * 1000, [0] * 1000, "fail").errors
    assert len(errors) == 37
    assert "… and 964 more" in errors[-1]


def test_the_formats_of_the_same_boxes_are_read_alike(tmp_path):
    """In eighths, which pixels, relative floats and percentages all hold exactly."""
    written(tmp_path, "voc/a.xml", voc(("cat", 25, 25, 100, 50), ("dog", 0, 0, 200, 100)))
    annotations = [
        {"image_id": 7, "category_id": 1, "bbox": [25, 25, 75, 25]},
        {"image_id": 7, "category_id": 2, "bbox": [0, 0, 200, 100]},
    ]
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    file = written(tmp_path, "c.json", coco(annotations, categories=categories))
    relative = written(tmp_path, "b.csv", "a.jpg,0.125,0.25,0.5,0.5\na.jpg,0,0,1,1\n")
    found = [read_boxes(location, {}) for location in (str(Path(file).parent / "voc"), file, relative)]
    assert all((one.corners == found[0].corners).all() for one in found)
    assert found[0].names.to_pylist() == found[1].names.to_pylist() == ["cat", "dog"]
