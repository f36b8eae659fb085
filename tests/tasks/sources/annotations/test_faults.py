"""Annotations that are wrong, doubtful or only partly usable: named, counted, refused or skipped, never taken in silence."""

import json
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.discover import survey
from tests.tasks.sources.annotations.layouts_of_tools import label_img_yolo
from tests.tasks.sources.annotations.scenes import SCENES
from tests.tasks.sources.annotations.writing import (
    CVAT,
    NAMED,
    TRAIN,
    VALIDATION,
    coco,
    cvat_image,
    pictures,
    put,
    voc,
)

TRACK = '<track id="0" label="cat"><box frame="0" xtl="1" ytl="1" xbr="4" ybr="4"/></track>'


@pytest.fixture
def look(tmp_path, make_settings):
    """`look(files, pictures=…, **settings)` surveys a folder with these files and all pictures."""

    def look(files, scenes=SCENES, target="", **settings):
        pictures(tmp_path / "in", scenes)
        for name, content in files.items():
            put(tmp_path / "in" / name, content if isinstance(content, str) else json.dumps(content))
        return survey(make_settings(annotations=str(tmp_path / "in" / target), **settings))

    return look


TEXTS_AS_WRITTEN = ["007", "1.0", "NA", "None", "nan", "true"]


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_labels_of_hugging_face_that_look_like_other_values_are_the_texts_they_are(look, tmp_path, form):
    rows = [{"file_name": scene.name, "label": text} for scene, text in zip(SCENES, TEXTS_AS_WRITTEN, strict=True)]
    files = {"metadata.csv": "file_name,label\n" + "".join(f"{row['file_name']},{row['label']}\n" for row in rows)}
    if form == "jsonl":
        files = {"metadata.jsonl": "".join(json.dumps(row) + "\n" for row in rows)}
    if form == "parquet":
        files = {}
        (tmp_path / "in").mkdir()
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in/metadata.parquet")
    assert list(look(files).labels) == TEXTS_AS_WRITTEN


def test_a_gap_in_numbers_of_parquet_is_no_label(look, tmp_path):
    """pandas makes floats of numbers with a gap, and NaN of the gap."""
    (tmp_path / "in").mkdir()
    table = pa.table({"file_name": [scene.name for scene in SCENES], "label": [1.0, 2.0, math.nan, 1.0, 2.0, 1.0]})
    pq.write_table(table, tmp_path / "in/metadata.parquet")
    listing = look({})
    assert (listing.labels, listing.skipped) == (("1", "2"), {"without a label": 1})


def changed(change):
    content = coco(SCENES)
    change(content)
    return {"annotations.json": content}


def second_class(content):
    content["annotations"].append({"id": 99, "image_id": 1, "category_id": 2, "bbox": [1, 1, 4, 4]})


@pytest.mark.parametrize(
    ("files", "texts"),
    [
        (changed(second_class), ["must have one label, got cat, dog", "annotations.json, image 1"]),
        (changed(lambda content: content["categories"].pop()), ["must be one of 1 (cat), got 2", "annotation 2"]),
        (changed(lambda content: content["annotations"][0].update(image_id=77)), ["image_id '77' of 1 annotation"]),
        (changed(lambda content: content["images"].append(content["images"][0] | {"id": 50})), ["there once", "image 7"]),
        (changed(lambda content: content["annotations"].clear()), ["got none that has one", "6 images, 0 objects"]),
        ({"a.json": '{"images": ['}, ["known format", "1 .json", "a.json (annotations must be JSON"]),
        ({"a.json": {"a": 1}, "b.txt": "hello"}, ["known format", "among them a.json", "coco"]),
        ({}, ["known format", "5 .jpg, 1 .png"]),
        ({"metadata.csv": "file_name,text\none.jpg,hello\n"}, ["a column must be named label", "got file_name, text"]),
        (
            {
                "annotations.xml": CVAT.format(
                    '<track id="0" label="cat"><box frame="0" xtl="1" ytl="1" xbr="4" ybr="4"/></track>'
                )
            },
            ["must name images, got none", "track of a video (1)"],
        ),
        (
            {"a.xml": '<!DOCTYPE a [<!ENTITY x "xx">]><annotations>&x;<image name="one.jpg"/></annotations>'},
            ["plain XML", "EntitiesForbidden"],
        ),
        (
            {"a.json": coco(SCENES), **{f"voc/{scene.stem}.xml": voc(scene) for scene in NAMED}},
            ["of one format, got coco (a.json), voc (voc/five.xml and 4 more)", "annotations_format"],
        ),
        ({"train.json": coco(TRAIN), "val.json": coco([*VALIDATION, TRAIN[0]])}, ["one split, got validation, and train"]),
        ({"train.json": coco(TRAIN), "other.json": coco(VALIDATION)}, ["a split as others have, got none for four.jpg"]),
        ({"one.txt": "0 0.5 0.5 0.1 0.1\n"}, ["names of their classes, got none", "data.yaml"]),
        (
            {"one.txt": "7 0.5 0.5 0.1 0.1\n", "classes.txt": "cat\ndog\n"},
            ["one of 0 (cat), 1 (dog), got 7", "one.txt, line 1"],
        ),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(look, files, texts):
    listing = look(files)
    assert listing.errors
    for text in texts:
        assert any(text in error for error in listing.errors), listing.errors


def test_an_image_that_is_missing_is_refused_or_skipped(look):
    listing = look({"a.json": coco(SCENES)}, scenes=SCENES[:3])
    assert len(listing.errors) == 3
    assert "got none: four.jpg" in listing.errors[0]
    assert "--unusable_annotations skip" in listing.errors[0]
    listing = look({}, scenes=SCENES[:3], unusable_annotations="skip")
    assert listing.errors == ()
    assert listing.skipped["missing"] == 3
    assert any("four.jpg" in note and "3 skipped (missing)" in note for note in listing.notes)
    assert listing.boxes.of_no_image == 2


def test_images_of_several_labels_can_be_skipped_and_are_named(look):
    listing = look(changed(second_class), unusable_annotations="skip")
    assert listing.errors == ()
    assert listing.skipped == {"without a label": 1, "several labels": 1}
    assert "one.jpg" not in listing.images["path"].to_pylist()
    assert any("one.jpg (cat, dog)" in note for note in listing.notes)


def test_where_no_image_exists_one_error_says_where_to_name_their_folder(look, tmp_path):
    put(tmp_path / "in/a.json", json.dumps(coco(SCENES)))
    (error,) = look({}, scenes=()).errors
    assert "none of the 6 images" in error
    assert "--images_directory" in error


def test_less_than_half_of_the_images_used_is_the_first_note(look):
    listing = look(changed(lambda content: content["annotations"].__delitem__(slice(2, None))))
    assert listing.notes[0] == "annotations: only 2 of 6 images are used: 4 without a label"


def test_images_that_no_annotation_names_are_counted(look):
    listing = look({"a.json": coco(SCENES[:4]), "package.json": {"name": "x"}})
    assert any("2 images that no annotation names: five.jpg, nothing.jpg" in note for note in listing.notes)
    assert any("no known format not read: package.json" in note for note in listing.notes)


def test_shapes_that_are_not_read_are_counted_by_kind(look):
    shapes = '<polyline label="cat" points="1,1;2,2"/><points label="cat" points="1,1"/>'
    inner = cvat_image(0, NAMED[0]).replace("</image>", f"{shapes}</image>")
    listing = look({"a.xml": CVAT.format(inner)})
    (note,) = [note for note in listing.notes if "not read:" in note]
    assert "attribute (1)" in note
    assert "polyline (1)" in note
    assert "points (1)" in note


def test_a_point_with_one_number_costs_its_shape_alone(look):
    shape = '<polygon label="cat" points="1,1;5"/></image>'
    listing = look({"a.xml": CVAT.format(cvat_image(0, NAMED[0]).replace("</image>", shape))})
    assert listing.boxes.dropped == 1
    assert listing.errors == ()


def test_labels_of_images_and_of_objects_side_by_side_need_a_setting(look):
    images = "".join(cvat_image(n, scene, tag=n == 0) for n, scene in enumerate(SCENES))
    (error,) = look({"a.xml": CVAT.format(images)}).errors
    assert "--labels_from images or objects" in error
    assert look({}, labels_from="objects").images.num_rows == 5
    assert look({}, labels_from="images").images["path"].to_pylist() == ["one.jpg"]


def test_a_format_can_be_forced_where_a_folder_has_two(look):
    files = {"a.json": coco(SCENES), **{f"voc/{scene.stem}.xml": voc(scene) for scene in NAMED}}
    listing = look(files, annotations_format="voc")
    assert listing.errors == ()
    assert any("other formats there are not read: coco" in note for note in listing.notes)


def test_boxes_that_are_none_follow_invalid_boxes(look):
    def bad(content):
        content["annotations"][0]["bbox"] = [1, 2, "x", 4]

    listing = look(changed(bad))
    assert listing.boxes.dropped == 1
    assert "bbox of four numbers" in listing.boxes.reasons[0].first[0]
    (error,) = look({}, invalid_boxes="fail").errors
    assert "annotations.json, annotation 1" in error


def test_a_broken_file_among_others_is_not_skipped_in_silence(look):
    shapes = {"version": "5", "flags": {"cat": True}, "shapes": [], "imageHeight": 32, "imageWidth": 48, "imageData": None}
    files = {f"{scene.stem}.json": shapes | {"imagePath": scene.name} for scene in SCENES}
    files["four.json"] = "{"
    assert any("four.json" in error for error in look(files).errors)


def test_an_object_of_a_crowd_is_left_out_and_counted(look):
    listing = look(changed(lambda content: content["annotations"][0].update(iscrowd=1)))
    assert (listing.boxes.planned, listing.boxes.excluded) == (4, 1)


def test_two_images_that_one_name_may_mean_are_never_guessed(look, tmp_path):
    pictures(tmp_path / "in/b")
    listing = look({"a.json": coco(SCENES, name=lambda scene: f"elsewhere/{scene.name}")}, scenes=())
    assert listing.errors == ()  # one file of each name
    pictures(tmp_path / "in/c")
    assert "got b/one.jpg and c/one.jpg" in look({}, scenes=()).errors[0]


def test_label_studio_exports_go_to_their_own_reader(look):
    choice = {"type": "choices", "value": {"choices": ["cat"]}}
    task = {"id": 1, "data": {"image": "one.jpg"}, "annotations": [{"id": 1, "result": [choice]}]}
    listing = look({"project.json": [task]})
    assert listing.labels == ("cat",)
    assert any("read as Label Studio" in note for note in listing.notes)


def test_fractions_divide_images_that_only_their_files_name_puts_into_a_split(look):
    listing = look({"train.json": coco(SCENES)}, validation_fraction=0.5)
    assert listing.errors == ()
    assert listing.images["source"].unique().to_pylist() == ["data"]


def test_a_label_map_sets_the_ids(look, tmp_path):
    put(tmp_path / "label_map.pbtxt", "item { id: 1 name: 'dog' } item { id: 2 name: 'cat' }")
    assert look({"a.json": coco(SCENES)}, labels_file=tmp_path / "label_map.pbtxt").labels == ("dog", "cat")


def test_settings_of_annotations_go_with_annotations():
    for name, value in (("annotations_format", "coco"), ("images_directory", "x"), ("labels_from", "objects")):
        with pytest.raises(ValueError, match=f"{name} must go with annotations"):
            BuildSettings(output_directory="out", train_directory="in", **{name: value})
    with pytest.raises(ValueError, match="images_directory"):
        BuildSettings(output_directory="out", annotations="a.json", data_directory="in")
    assert BuildSettings(output_directory="out", annotations="a.json").annotations == ("a.json",)


def test_yolo_class_files_of_no_image_are_counted(look, tmp_path):
    label_img_yolo(tmp_path / "in")
    listing = look({"lost.txt": "0 0.5 0.5 0.1 0.1\n"})
    assert any("label file (.txt) of no image (1)" in note for note in listing.notes)


def test_names_that_a_file_system_holds_in_no_utf_8_are_counted(look, tmp_path):
    pictures(tmp_path / "in")
    try:
        (tmp_path / "in" / b"\xff.jpg".decode("utf-8", "surrogateescape")).write_bytes(b"x")
    except OSError:
        pytest.skip("a file system that takes UTF-8 alone")
    listing = look({"a.json": coco(SCENES)})
    assert any("name is not UTF-8 (1)" in note for note in listing.notes)


def test_label_folders_beside_unknown_files_need_the_format(look, tmp_path):
    pictures(tmp_path / "in/cat")
    (error,) = look({"stats.json": {"mean": 1}}, scenes=()).errors
    assert "--annotations_format folders" in error
    assert look({}, scenes=(), annotations_format="folders").labels == ("cat",)


def test_fractions_do_not_divide_what_has_splits(look):
    (error,) = look({"train.json": coco(TRAIN), "val.json": coco(VALIDATION)}, validation_fraction=0.5).errors
    assert "got train, validation" in error


def test_new_images_of_an_export_are_appended(build, tmp_path):
    settings = {"annotations": tmp_path / "in", "output_directory": tmp_path / "out", "append": True}
    pictures(tmp_path / "in", SCENES)
    put(tmp_path / "in/a.json", json.dumps(coco(SCENES[:3])))
    build(**settings)
    put(tmp_path / "in/a.json", json.dumps(coco(SCENES)))
    build(**settings)
    assert len(list((tmp_path / "out").glob("train-*"))) == 2


def test_files_beside_images_elsewhere_are_no_annotations(make_settings, tmp_path):
    pictures(tmp_path / "photos")
    put(tmp_path / "photos/old.json", json.dumps(coco(SCENES)))
    for scene in NAMED:
        put(tmp_path / f"in/xml/{scene.stem}.xml", voc(scene))
    listing = survey(make_settings(annotations=str(tmp_path / "in"), images_directory=tmp_path / "photos"))
    assert listing.errors == ()
    assert listing.images.num_rows == 5


def test_an_output_inside_the_export_is_refused(look, tmp_path):
    (error,) = look({"a.json": coco(SCENES)}, output_directory=tmp_path / "in/out").errors
    assert "must lie outside the input" in error
