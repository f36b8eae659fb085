"""Builds from exports of the real tools (make_*.py beside): labels are the annotator's, boxes cover their objects."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imagerecords.schemas.boxes import CORNERS
from imagerecords.tasks.discover import survey
from tests.tasks.sources.annotations.scenes import CLASSES, HEIGHT, SCENES, WIDTH

EXPORTS = Path(__file__).parent / "exports"
NO_SPLITS = (
    *("datumaro_imagenet", "fiftyone_classification", "fiftyone_classification_ids", "fiftyone_classification_paths"),
    *("fiftyone_classification_tree", "fiftyone_coco", "fiftyone_cvat", "fiftyone_detection", "fiftyone_detection_ids"),
    *(
        "fiftyone_voc",
        "fiftyone_yolov4",
        "label_studio_coco",
        "label_studio_voc",
        "label_studio_yolo",
        "labelme_beside",
        "labelme_flags",
        "labelme_windows",
        "supervision_folders",
        "fiftyone_kitti",
        "fiftyone_bdd",
        "globox_via",
        "globox_open_images",
    ),
)
NO_BOXES = (
    *("datumaro_coco_labels", "datumaro_imagenet", "datumaro_imagenet_txt", "datumaro_imagenet_with_subset_dirs"),
    *("datumaro_voc_classification", "fiftyone_classification", "fiftyone_classification_ids", "labelme_flags"),
    *("fiftyone_classification_paths", "fiftyone_classification_tree", "supervision_folders"),
)
UNLABELLED_ARE_ABSENT = (
    "datumaro_kitti",
    "fiftyone_bdd",
    "fiftyone_kitti",
    "globox_open_images",
    "fiftyone_cvat",
    "fiftyone_voc",
    "label_studio_voc",
    "supervision_folders",
    "nucleus",
)  # the tool writes nothing of such images
TITLES = {
    "coco": "COCO",
    "cvat": "CVAT for images",
    "datumaro_datumaro": "Datumaro",
    "imagenet_txt": "imagenet_txt",
    "imagenet": "label folders",
    "tree": "label folders",
    "folders": "label folders",
    "open_images": "Open Images",
    "label_me": "Pascal VOC",
    "label_studio_coco": "COCO",
    "voc": "Pascal VOC",
    "yolo": "YOLO",
    "labelme": "labelme",
    "createml": "Create ML",
    "bdd": "BDD100K",
    "darwin": "V7 Darwin",
    "kitti": "KITTI",
    "dota": "DOTA",
    "via": "VGG Image Annotator",
    "supervisely": "Supervisely",
    "superannotate": "SuperAnnotate",
    "nucleus": "Scale",
    "fiftyone": "FiftyOne",
}
# A file to pass instead of the folder, where one says all.
FILES = {
    "fiftyone_classification": "labels.json",
    "fiftyone_coco": "labels.json",
    "fiftyone_cvat": "labels.xml",
    "fiftyone_detection": "labels.json",
    "fiftyone_yolov5": "dataset.yaml",
    "datumaro_yolo": "obj.data",
    "datumaro_yolo_ultralytics": "data.yaml",
    "supervision_yolo": "data.yaml",
    "fiftyone_voc": "labels",
    "labelme_windows": "json",
    "datumaro_voc": "Annotations",
    "datumaro_open_images": "annotations",
    "fiftyone_bdd": "labels.json",
    "fiftyone_kitti": "labels",
    "globox_via": "via.json",
}
OTHERS = ("datumaro_mvtec_classification", "datumaro_mot_seq_gt")  # without labels; with files named by their frames
NAMES = sorted(path.name for path in EXPORTS.iterdir() if path.name not in OTHERS)


def text_of(features):
    return features["image/class/text"][0].decode()


def boxes_of(features):
    return list(zip(*(features[f"image/object/bbox/{corner}"] for corner in CORNERS), strict=True))


def covered(features, box):
    """How much of a box is red, and how much of the red it has."""
    pixels = np.asarray(Image.open(io.BytesIO(features["image/encoded"][0])).convert("RGB")).astype(int)
    red = (pixels[..., 0] > 180) & (pixels[..., 1] < 90)
    height, width = red.shape
    xmin, ymin, xmax, ymax = (round(value * side) for value, side in zip(box, (width, height, width, height), strict=True))
    inside = red[ymin:ymax, xmin:xmax]
    return inside.mean(), inside.sum() / red.sum()


def check_box(features, least=0.85):
    (box,) = boxes_of(features)
    precision, recall = covered(features, box)
    assert precision > 0.93, box
    assert recall > least, box


def check(found, name):
    assert found.keys() == {scene.stem for scene in SCENES if scene.label}
    for scene in SCENES:
        if not scene.label:
            continue
        split, features = found[scene.stem]
        assert text_of(features) == scene.label
        if name not in NO_SPLITS:
            assert split == {"train": "train", "val": "validation"}[scene.split]
        if name not in NO_BOXES:
            check_box(features)
            assert features["image/object/bbox/label"] == [CLASSES.index(scene.label) + 1]


@pytest.mark.parametrize("name", NAMES)
def test_an_export_is_built_as_it_was_annotated(records, name):
    check(records(annotations=EXPORTS / name), name)


@pytest.mark.parametrize("name", FILES)
def test_so_it_is_when_its_annotation_file_or_folder_is_named(records, name):
    check(records(annotations=EXPORTS / name / FILES[name]), name)


@pytest.mark.parametrize("name", NAMES)
def test_the_format_is_said_and_the_image_without_a_label_named(name, make_settings):
    listing = survey(make_settings(annotations=str(EXPORTS / name)))
    assert listing.errors == ()
    title = next(title for part, title in TITLES.items() if part in name)
    assert sum(f"read as {title}" in note for note in listing.notes) == 1
    if name not in UNLABELLED_ARE_ABSENT:
        assert listing.skipped["without a label"] == 1
    if name != "supervision_folders":
        assert any("nothing.jpg" in note for note in listing.notes)


def test_files_of_splits_may_be_named_one_by_one(records):
    home = EXPORTS / "supervision_coco"
    found = records(annotations=(str(home / "train/annotations.json"), str(home / "val/annotations.json")))
    check(found, "supervision_coco")


def test_images_may_lie_in_another_folder(records, tmp_path):
    shutil.copytree(EXPORTS / "datumaro_coco_instances/images", tmp_path / "pictures")
    shutil.copytree(EXPORTS / "datumaro_coco_instances/annotations", tmp_path / "export")
    found = records(annotations=tmp_path / "export", images_directory=tmp_path / "pictures")
    check(found, "datumaro_coco_instances")


def test_images_of_splits_without_label_folders_are_refused(make_settings):
    listing = survey(make_settings(annotations=str(EXPORTS / "datumaro_mvtec_classification")))
    (error,) = listing.errors
    assert "train" in error


def test_the_pictures_have_one_size():
    assert (WIDTH, HEIGHT) == (48, 32)
