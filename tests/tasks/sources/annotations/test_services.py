"""Files of annotators in the browser, of clouds' services and of Kaggle's tables; and what no reader knows, which is named."""

import json

import pytest

from imagerecords.tasks.discover import survey
from tests.tasks.sources.annotations import layouts_of_services as layouts
from tests.tasks.sources.annotations.scenes import SCENES
from tests.tasks.sources.annotations.test_exports import EXPORTS, check
from tests.tasks.sources.annotations.writing import CVAT, NAMED, coco, pictures, put

BOXES, LABELS, SPLITS = "globox_via", "labelme_flags", ""  # exports with boxes, with labels alone, with boxes and splits


@pytest.mark.parametrize(
    ("write", "has"),
    [
        (layouts.via_project, BOXES),
        (layouts.via_csv, BOXES),
        (layouts.vott_export, BOXES),
        (layouts.vott_assets, BOXES),
        (layouts.dlib, BOXES),
        (layouts.ground_truth, BOXES),
        (layouts.ground_truth_classes, LABELS),
        (layouts.vertex, SPLITS),
        (layouts.azure, BOXES),
        (layouts.ultralytics, SPLITS),
        (layouts.automl, SPLITS),
        (layouts.make_sense, BOXES),
        (layouts.yolo_keras, BOXES),
        (layouts.apples_createml, BOXES),
        (layouts.boxes_by_id, BOXES),
        (layouts.labels_by_id, LABELS),
        (layouts.one_hot_by_id, LABELS),
        (layouts.pixels_in_yolo, BOXES),
        (layouts.rotated_in_yolo, BOXES),
        (layouts.lvis, BOXES),
    ],
)
def test_labels_and_boxes_are_the_annotators(records, tmp_path, write, has):
    write(tmp_path / "in")
    check(records(annotations=tmp_path / "in"), has)


def test_a_mask_of_cvat_gives_the_box_around_it(records, tmp_path):
    """In the frame of the mask alone, as CVAT writes it, and in the whole image's, as datumaro does."""
    pictures(tmp_path / "in/images")
    images = ""
    for number, scene in enumerate(NAMED):
        x0, y0, x1, y1 = scene.box
        across, down = x1 - x0, y1 - y0
        if number % 2:
            rle, frame = f"0, {across * down}", (x0, y0, across, down)
        else:
            runs = [y0 * 48 + x0, across, *[48 - across, across] * (down - 1)]
            rle, frame = ", ".join(map(str, [*runs, 48 * 32 - sum(runs)])), (0, 0, 48, 32)
        left, top, width, height = frame
        place = f'left="{left}" top="{top}" width="{width}" height="{height}"'
        mask = f'<mask label="{scene.label}" source="manual" occluded="0" rle="{rle}" {place} z_order="0"></mask>'
        images += f'<image id="{number}" name="{scene.name}" width="48" height="32">{mask}</image>'
    put(tmp_path / "in/annotations.xml", CVAT.format(images))
    check(records(annotations=tmp_path / "in"), BOXES)


def test_lists_of_voc_may_name_images_with_spaces(records, tmp_path):
    spaced = [scene._replace(name=f"my {scene.name}") for scene in NAMED]
    pictures(tmp_path / "in/JPEGImages", spaced)
    for label in ("cat", "dog"):
        lines = [f"{scene.stem} {' 1' if scene.label == label else '-1'}" for scene in spaced]
        put(tmp_path / f"in/ImageSets/Main/{label}_train.txt", "\n".join(lines))
    put(tmp_path / "in/ImageSets/Main/train.txt", "\n".join(scene.stem for scene in spaced))
    found = records(annotations=tmp_path / "in")
    check({name.removeprefix("my "): value for name, value in found.items()}, LABELS)


def test_an_open_images_table_may_name_whole_files(records):
    check(records(annotations=EXPORTS / "globox_open_images" / "boxes.csv"), BOXES)


PROBLEMS = [
    ({"gt.txt": "1,1,2,2,9,9,1,1,1\n"}, "img1", "tracks of a video (MOT)", "datum convert -if mot_seq "),
    ({"wider_face_split/wider_face_train_bbx_gt.txt": ""}, "WIDER_train/images/0--cat", "WIDER FACE", "have no class"),
    ({"gt_one.txt": "1,1,9,9,word\n"}, "images", "ICDAR", "have no class"),
    ({"ImageSets/Segmentation/train.txt": "one\n", "SegmentationClass/one.png": ""}, "JPEGImages", "masks", "export"),
    ({"train/state.json": "{}", "train/dataset_info.json": "{}"}, "", "save_to_disk", "metadata.csv"),
    ({"data/train-00000-of-00001.parquet": "PAR1"}, "", "Parquet files (1 file)", "metadata.csv"),
    ({"train.tfrecord-00000-of-00001": ""}, "", "TFRecord files", "imagerecords audit"),
    ({"run.ndjson": '{"data_row": {"id": "a"}, "experiments": {}}\n'}, "images", "Labelbox's export of a model run", "labels"),
    ({"images.json": json.dumps([{"originalImageUri": "https://x"}])}, "images", "Azure Custom Vision", "COCO"),
    ({"labels/one.json": "{}", "labels/two.json": '{"objects": {"objects": []}}'}, "data", "FiftyOne's ImageLabels", "Export"),
    ({"results.json": json.dumps([{"image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2], "score": 0.5}])}, "", "results", ""),
    ({"boxes.csv": 'image_id,bbox,class\none,"[1, 1, 2, 2]",cat\n'}, "", "columns image_id, bbox, class", "xmin, ymin"),
    ({}, "images", "got 'images', as tools name the folder of all images", "--annotations_format folders"),
]


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_no_reader_knows_is_named_with_the_nearest_way(make_settings, tmp_path, problem):
    files, folder, what, way = problem
    pictures(tmp_path / "in" / folder)
    for name, content in files.items():
        put(tmp_path / "in" / name, content)
    (error,) = survey(make_settings(annotations=str(tmp_path / "in"))).errors
    assert what in error
    assert way in error


def test_an_error_says_what_was_not_read(make_settings, tmp_path):
    content = coco(SCENES)
    for annotation in content["annotations"]:
        annotation |= {"bbox": None, "segmentation": None, "caption": "a cat"}
        del annotation["category_id"]
    put(tmp_path / "a.json", json.dumps(content))
    pictures(tmp_path)
    (error,) = survey(make_settings(annotations=str(tmp_path))).errors
    assert "not read: caption (5)" in error


def test_labels_of_yolo_without_images_ask_for_their_folder(make_settings, tmp_path):
    put(tmp_path / "labels/one.txt", "0 0.5 0.5 0.2 0.2\n")
    put(tmp_path / "classes.txt", "cat\n")
    (error,) = survey(make_settings(annotations=str(tmp_path))).errors
    assert "images must lie in the folder, got none. Pass --images_directory" in error


def test_a_category_of_two_names_is_refused(make_settings, tmp_path):
    content = coco(SCENES)
    content["categories"].append({"id": 1, "name": "horse"})
    put(tmp_path / "a.json", json.dumps(content))
    pictures(tmp_path)
    (error,) = survey(make_settings(annotations=str(tmp_path))).errors
    assert "must have one name, got cat and horse" in error
    assert "a.json, category 1" in error


def test_a_class_of_via_must_be_one_attribute(make_settings, tmp_path):
    region = layouts.via_region(SCENES[0], breed="siamese", mood="calm")
    image = {"filename": "one.jpg", "size": 900, "regions": [region], "file_attributes": {}}
    put(tmp_path / "via.json", json.dumps({"one.jpg900": image}))
    pictures(tmp_path)
    (error,) = survey(make_settings(annotations=str(tmp_path))).errors
    assert "got breed, mood. Rename the one of the classes" in error


@pytest.mark.parametrize("flag", ["is_crowd", "is_group_of"])
def test_crowd_regions_of_datumaro_are_excluded(make_settings, tmp_path, flag):
    box = {"type": "bbox", "bbox": [8, 6, 22, 14], "label_id": 0, "attributes": {}}
    items = [{"id": scene.stem, "image": {"path": scene.name, "size": [32, 48]}, "annotations": [box]} for scene in NAMED]
    items[0]["annotations"].append(box | {"attributes": {flag: True}})
    put(
        tmp_path / "annotations/train.json",
        json.dumps({"items": items, "categories": {"label": {"labels": [{"name": "cat"}]}}}),
    )
    pictures(tmp_path / "images/train")
    listing = survey(make_settings(annotations=str(tmp_path)))
    assert (listing.boxes.planned, listing.boxes.excluded) == (5, 1)


def test_a_crowd_of_fiftyone_is_excluded(make_settings, tmp_path):
    box = {"label": "cat", "bounding_box": [0.1, 0.1, 0.5, 0.5]}
    labels = {scene.stem: [box] for scene in NAMED} | {"one": [box, box | {"attributes": {"iscrowd": 1}}]}
    put(tmp_path / "labels.json", json.dumps({"classes": ["cat"], "labels": labels}))
    pictures(tmp_path / "data")
    listing = survey(make_settings(annotations=str(tmp_path)))
    assert (listing.boxes.planned, listing.boxes.excluded) == (5, 1)


def test_kaggles_example_of_an_answer_gives_no_labels(records, tmp_path):
    layouts.labels_by_id(tmp_path / "in")
    pictures(tmp_path / "in/test", [scene._replace(name=f"t{scene.name}") for scene in NAMED])
    answers = "".join(f"t{scene.stem},cat\n" for scene in NAMED)
    put(tmp_path / "in/sample_submission.csv", f"id,breed\n{answers}")
    check(records(annotations=tmp_path / "in"), LABELS)


def test_captions_beside_images_are_no_boxes(records, tmp_path):
    for scene in NAMED:
        pictures(tmp_path / "in" / scene.label, [scene])
        put(tmp_path / "in" / scene.label / f"{scene.stem}.txt", f"a {scene.label} in red")
    check(records(annotations=tmp_path / "in"), LABELS)


def test_fields_of_a_model_are_read_and_noted_where_there_are_no_others(make_settings, tmp_path):
    label = {"_cls": "Classification", "label": "cat", "confidence": 0.9}
    samples = [{"filepath": f"data/{scene.name}", "tags": [], "guess": label} for scene in NAMED]
    put(tmp_path / "samples.json", json.dumps({"samples": samples}))
    pictures(tmp_path / "data")
    listing = survey(make_settings(annotations=str(tmp_path)))
    assert listing.errors == ()
    assert any("a confidence, as those of a model: guess" in note for note in listing.notes)
