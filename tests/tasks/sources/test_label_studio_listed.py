"""A Label Studio export is listed as any other list of images."""

import json

from imagerecords.tasks.discover import discover_images, survey


def task(image, choice, *rectangles):
    results = [{"type": "choices", "value": {"choices": [choice]}}] if choice else []
    results += [{"type": "rectanglelabels", "value": value} for value in rectangles]
    return {"data": {"image": image}, "annotations": [{"result": results}]}


def rectangle(label, x, y, width, height):
    return {"x": x, "y": y, "width": width, "height": height, "rectanglelabels": [label]}


def test_a_label_studio_export_is_listed_with_its_boxes_as_shown(images, tmp_path, make_settings):
    images("1.jpg", "x/2.jpg", "3.jpg")
    tasks = [
        task("/data/local-files/?d=x/2.jpg", "dog", rectangle("cat", 0, 0, 50, 100), rectangle("nose", 50, 50, 25, 25)),
        task("/data/upload/4/1.jpg", "cat"),
        {"data": {"image": "3.jpg"}, "annotations": []},
    ]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    found = discover_images(make_settings(label_studio=str(tmp_path / "export.json")))
    assert found.labels == ("cat", "dog")
    assert found.images["path"].to_pylist() == ["1.jpg", "x/2.jpg"]
    assert [[(box["xmax"], box["label"]) for box in boxes] for boxes in found.images["boxes"].to_pylist()] == [
        [],
        [(0.5, 1), (0.75, 2)],  # a nose is no label: it has the image's
    ]
    assert found.boxes_in_display_orientation
    assert found.skipped == {"not labelled": 1}


def test_bad_tasks_of_an_export_are_reported_by_number(images, tmp_path, make_settings):
    images("1.jpg")
    tasks = [task("1.jpg", "cat"), task("1.jpg", None, rectangle("cat", 0, 0, 1, 1)), task("2.jpg", "cat")]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    errors = survey(make_settings(label_studio=str(tmp_path / "export.json"))).errors
    assert [error.rpartition(", ")[2] for error in errors] == ["task 2", "task 3"]
    assert "must have one label, got none" in errors[0]
    assert "must exist, got none" in errors[1]
