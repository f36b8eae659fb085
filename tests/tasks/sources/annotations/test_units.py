"""Numbers of boxes that are not what their format says are read as what they are, where all values agree, and reported."""

import json

import pytest

from imagerecords.tasks.discover import survey
from tests.tasks.sources.annotations.scenes import CLASSES, HEIGHT, WIDTH
from tests.tasks.sources.annotations.test_as_downloaded import rows_of
from tests.tasks.sources.annotations.writing import NAMED, coco, pictures, put, voc

SCENES = [*NAMED, *(scene._replace(name=f"a_{scene.name}") for scene in NAMED)]


def _relative(box):
    return [value / side for value, side in zip(box, (WIDTH, HEIGHT, WIDTH, HEIGHT), strict=True)]


def coco_corners(root, *, sizes=True):
    content = coco(SCENES)
    for annotation, scene in zip(content["annotations"], SCENES, strict=True):
        annotation["bbox"] = list(scene.box)
    for image in content["images"] if not sizes else ():
        del image["width"], image["height"]
    put(root / "a.json", json.dumps(content))


def yolo_corners(root):
    put(root / "data.yaml", "names: [cat, dog]\ntrain: images\n")
    for scene in SCENES:
        put(root / f"labels/{scene.stem}.txt", f"{CLASSES.index(scene.label)} {' '.join(map(str, _relative(scene.box)))}\n")


def relative_voc(root):
    for scene in SCENES:
        put(root / f"Annotations/{scene.stem}.xml", voc(scene._replace(box=_relative(scene.box))))


@pytest.fixture
def look(tmp_path, make_settings):
    pictures(tmp_path / "in/images", SCENES)
    return lambda **settings: survey(make_settings(annotations=str(tmp_path / "in"), **settings))


@pytest.mark.parametrize(
    ("write", "remark"),
    [
        (coco_corners, "10 × box whose numbers are corners"),
        (lambda root: coco_corners(root, sizes=False), "10 × box whose numbers are corners"),
        (yolo_corners, "10 × box whose numbers are corners"),
        (relative_voc, "10 × box of a format in pixels relative"),
    ],
)
def test_numbers_of_another_kind_are_read_as_what_they_are(look, tmp_path, write, remark):
    write(tmp_path / "in")
    listing = look()
    assert {stem: box for stem, (_, _, box) in rows_of(listing).items()} == {scene.stem: scene.box for scene in SCENES}
    assert any(remark in note for note in listing.notes)


def test_boxes_beside_folders_are_read_so_too(make_settings, tmp_path):
    for scene in SCENES:
        pictures(tmp_path / "in" / scene.label, [scene])
    coco_corners(tmp_path)
    listing = survey(make_settings(train_directory=str(tmp_path / "in"), bounding_boxes=str(tmp_path / "a.json")))
    assert {stem: box for stem, (_, _, box) in rows_of(listing).items()} == {scene.stem: scene.box for scene in SCENES}


def test_some_boxes_that_lead_out_of_their_images_are_no_corners(look, tmp_path):
    content = coco(SCENES)
    for annotation in content["annotations"][:3]:
        annotation["bbox"] = [20, 10, 40, 30]
    put(tmp_path / "in/a.json", json.dumps(content))
    assert not any("corners" in note for note in look().notes)


def test_where_no_line_can_be_read_the_error_shows_the_first(look, tmp_path):
    put(tmp_path / "in/data.yaml", "names: [cat, dog]\ntrain: images\n")
    for scene in SCENES:
        put(tmp_path / f"in/labels/{scene.stem}.txt", f"{scene.label} 0.5 0.5 0.2 0.2\n")
    (error,) = look().errors
    assert "'cat 0.5 0.5 0.2 0.2'" in error


def test_two_categories_of_one_name_are_one_class_and_reported(look, tmp_path):
    content = coco(SCENES)
    content["categories"].append({"id": 9, "name": "cat"})
    put(tmp_path / "in/a.json", json.dumps(content))
    assert any("1 × category with the name of another one" in note for note in look().notes)
