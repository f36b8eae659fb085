"""Exports of Label Studio: each image with its label and its boxes, or what is wrong with its row."""

import json
import math

import numpy as np
import pytest

from imagerecords.schemas.errors import BadLayout
from imagerecords.tasks.sources.label_studio import read_export
from imagerecords.tasks.sources.label_studio_paths import image_path


def task(image, *choices, cancelled=False, results=()):
    result = [{"type": "choices", "value": {"choices": list(choices)}}, *results]
    return {"data": {"image": image}, "annotations": [{"was_cancelled": cancelled, "result": result}]}


def rectangle(x=10, y=20, width=30, height=40, label="cat", **more):
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": 0, "rectanglelabels": [label]} | more
    return {"type": "rectanglelabels", "original_width": 200, "original_height": 100, "value": value}


def rows(content, file="export.json"):
    export = read_export(content if isinstance(content, str) else json.dumps(content), file)
    return [(image.path, image.label) for image in export.images] + list(export.skipped) + export.problems()


@pytest.mark.parametrize(
    ("content", "file", "expected"),
    [
        ([task("a.jpg", "cat")], "e.json", [("a.jpg", "cat")]),
        ([{"image": "a.jpg", "choice": "cat"}], "e.json", [("a.jpg", "cat")]),  # JSON-MIN
        ([{"image": "a.jpg", "choice": {"choices": ["cat"]}}], "e.json", [("a.jpg", "cat")]),
        ("image,choice\na.jpg,cat\n", "e.csv", [("a.jpg", "cat")]),
        ("path,label\na.jpg,cat\n", "E.CSV", [("a.jpg", "cat")]),
        ([{"data": {"image": "a.jpg"}, "annotations": []}], "e.json", ["not labelled"]),  # nobody labelled it yet
        ([task("a.jpg", "cat", cancelled=True)], "e.json", ["skipped by annotators"]),
        ("image,choice\na.jpg,\n", "e.csv", ["not labelled"]),
    ],
)
def test_each_format_names_its_labelled_images(content, file, expected):
    assert rows(content, file) == expected


@pytest.mark.parametrize(
    ("content", "file", "words"),
    [
        (
            [task("a.jpg", "cat", "dog")],
            "e.json",
            "one label, got ['cat', 'dog']. Pass --labels many to write all of them: e.json, task 1",
        ),
        ([task(None, "cat")], "e.json", "must name its image"),
        ([task("a.jpg") | {"annotations": [{"result": [rectangle()]}]}], "e.json", "one label, got none"),
        (
            [{"data": {"image": "a.jpg"}, "annotations": [{"result": [{"type": "choices"}]}]}],
            "e.json",
            "got no 'value'",
        ),
        ([{"data": None, "annotations": []}], "e.json", "exports it, got null in place of an object at data: e.json, task 1"),
        ([{"data": {}, "annotations": None}], "e.json", "null in place of a list at annotations: e.json, task 1"),
        ([{"data": {}, "annotations": [None]}], "e.json", "null in place of an object at annotations[0]: e.json, task 1"),
        (
            [task("a.jpg", "cat") | {"annotations": [{"result": [{"type": "choices", "value": None}]}]}],
            "e.json",
            "null in place of an object at annotations[0].result[0].value: e.json, task 1",
        ),
        ("image,choice\nok.jpg,cat\na.jpg,../up\n", "e.csv", "got '../up': e.csv, line 3"),
    ],
)
def test_a_bad_row_is_reported_with_its_place(content, file, words):
    assert any(words in row for row in rows(content, file) if isinstance(row, str))


def test_an_export_that_is_no_list_of_tasks_is_refused():
    for content in ({"tasks": []}, ["a.jpg"]):
        with pytest.raises(BadLayout, match="must be a list of tasks"):
            rows(content)


def boxes_of(content):
    (image,) = read_export(json.dumps([content]), "e.json").images
    return image.boxes


def test_rectangles_become_relative_boxes_with_their_own_names():
    """In the order they were drawn; what a cancelled annotation has is no box."""
    drawn = task("a.jpg", "cat", results=[rectangle(), rectangle(0, 0, 100, 100, "dog")])
    drawn["annotations"].append({"was_cancelled": True, "result": [rectangle()]})
    assert [tuple(box) for box in boxes_of(drawn)] == [(0.1, 0.2, 0.4, 0.6000000000000001, "cat"), (0, 0, 1, 1, "dog")]


def test_json_min_has_rectangles_too():
    row = {"image": "a.jpg", "choice": "cat", "label": [rectangle()["value"] | {"original_width": 2, "original_height": 1}]}
    assert [tuple(box) for box in boxes_of(row)] == [(0.1, 0.2, 0.4, 0.6000000000000001, "cat")]


@pytest.mark.parametrize("degrees", [30, 90, -45, 180])
def test_a_turned_rectangle_gives_the_upright_box_round_it(degrees):
    """In pixels, about its upper left corner, as Label Studio draws it; held against the corners turned one by one."""
    (box,) = boxes_of(task("a.jpg", "cat", results=[rectangle(50, 50, 20, 20, rotation=degrees)]))
    angle = math.radians(degrees)
    turned = [
        (100 + dx * math.cos(angle) - dy * math.sin(angle), 50 + dx * math.sin(angle) + dy * math.cos(angle))
        for dx, dy in [(0, 0), (40, 0), (0, 20), (40, 20)]  # pixels of an image of 200 × 100
    ]
    xs, ys = [x / 200 for x, _ in turned], [y / 100 for _, y in turned]
    assert np.allclose(box[:4], (min(xs), min(ys), max(xs), max(ys)))


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/data/upload/7/ab-1.jpg", "ab-1.jpg"),
        ("/data/local-files/?d=cats/1.jpg", "cats/1.jpg"),
        ("/data/local-files/", "/data/local-files/"),  # names no file: reported as missing later, never a crash
        ("s3://bucket/1.jpg", "s3://bucket/1.jpg"),
        ("images/1.jpg", "images/1.jpg"),
    ],
)
def test_label_studios_own_paths_are_read(path, place):
    assert image_path(path) == place
