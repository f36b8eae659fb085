"""Layouts as tools and published data sets have them: labels, splits and boxes are the annotators'."""

import pytest

from imagerecords.tasks.discover import survey
from tests.tasks.sources.annotations.layouts_of_data_sets import (
    classification_folders,
    datumaro_without_sizes,
    detection_csv,
    fiftyone_dataset,
    fiftyone_open_images,
    folders_below_another,
    huggingface_csv,
    huggingface_objects,
    ilsvrc,
    open_images,
    quoted_and_cased,
    retinanet_csv,
    roboflow_csv,
    roboflow_one_hot,
)
from tests.tasks.sources.annotations.layouts_of_tools import (
    coco_from_zero_with_windows_paths,
    coco_of_2017,
    coco_with_texts_and_outlines,
    cvat_project,
    cvat_shapes,
    cvat_sub_folders,
    cvat_voc,
    cvat_yolo,
    darknet_beside,
    label_img_yolo,
    label_studio_yolo,
    names_among_the_labels,
    roboflow_coco,
    roboflow_yolo,
    ultralytics_yolo,
    voc_2012,
    voc_without_sizes_and_beside,
    yolo_of_another_machine,
    yolo_outlines,
    yolo_poses,
)
from tests.tasks.sources.annotations.scenes import CLASSES
from tests.tasks.sources.annotations.test_exports import check
from tests.tasks.sources.annotations.writing import NAMED, TRAIN, VALIDATION, pictures, put, yolo_line

LAYOUTS = {
    "coco of 2017": coco_of_2017,
    "Roboflow's COCO": roboflow_coco,
    "COCO counted from 0 with Windows paths": coco_from_zero_with_windows_paths,
    "COCO with texts and outlines": coco_with_texts_and_outlines,
    "CVAT's project": cvat_project,
    "CVAT's shapes": cvat_shapes,
    "Roboflow's YOLO": roboflow_yolo,
    "Ultralytics' YOLO": ultralytics_yolo,
    "YOLO outlines": yolo_outlines,
    "YOLO poses": yolo_poses,
    "CVAT's YOLO": cvat_yolo,
    "Label Studio's YOLO": label_studio_yolo,
    "labelImg's YOLO": label_img_yolo,
    "VOC 2012": voc_2012,
    "VOC without sizes": voc_without_sizes_and_beside,
    "detection CSV": detection_csv,
    "detection CSV with folders": lambda root: detection_csv(root, each="C:\\tensorflow\\images\\"),
    "detection CSV with other names": lambda root: detection_csv(
        root, columns=["Image", "W", "H", "Label", "x_min", "y_min", "x_max", "y_max"]
    ),
    "Roboflow's CSV": roboflow_csv,
    "keras-retinanet's CSV": retinanet_csv,
    "Roboflow's one-hot": roboflow_one_hot,
    "Open Images": open_images,
    "FiftyOne's Open Images": fiftyone_open_images,
    "FiftyOne's data set": fiftyone_dataset,
    "Hugging Face's CSV": huggingface_csv,
    "Hugging Face's objects": huggingface_objects,
    "Hugging Face's objects as corners": lambda root: huggingface_objects(root, corners=True),
    "Hugging Face's objects at the top": lambda root: huggingface_objects(root, top=True),
    "classification folders": classification_folders,
    "Datumaro without sizes": datumaro_without_sizes,
}
LIKE = {
    "Label Studio's YOLO": "fiftyone_yolov4",
    "labelImg's YOLO": "fiftyone_yolov4",
    "Roboflow's one-hot": "datumaro_voc_classification",
    "FiftyOne's Open Images": "fiftyone_classification",
    "Hugging Face's CSV": "datumaro_voc_classification",
    "classification folders": "datumaro_voc_classification",
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_is_built_as_it_was_annotated(records, tmp_path, name):
    LAYOUTS[name](tmp_path / "in")
    check(records(annotations=tmp_path / "in"), LIKE.get(name, "datumaro_coco"))


def test_ilsvrc_is_built_with_its_synsets(records, tmp_path):
    ilsvrc(tmp_path / "in")
    found = records(annotations=tmp_path / "in")
    by_name = {name.removeprefix("n02123045_").removeprefix("n02110341_"): record for name, record in found.items()}
    for _, features in by_name.values():
        label = {b"n02123045": b"cat", b"n02110341": b"dog"}[features["image/class/text"][0]]
        features["image/class/text"] = [label]
        features["image/object/bbox/label"] = [CLASSES.index(label.decode()) + 1]
    check(by_name, "datumaro_coco")


MORE_LAYOUTS = {
    "Roboflow's Darknet": (darknet_beside, "datumaro_coco"),
    "names among the labels": (names_among_the_labels, "datumaro_coco"),
    "YOLO of another machine": (yolo_of_another_machine, "datumaro_coco"),
    "CVAT's sub-folders": (cvat_sub_folders, "datumaro_coco"),
    "CVAT's VOC": (cvat_voc, "fiftyone_voc"),
    "folders below another": (folders_below_another, "datumaro_voc_classification"),
}


@pytest.mark.parametrize("name", MORE_LAYOUTS)
def test_so_is_one_of_these(records, tmp_path, name):
    write, like = MORE_LAYOUTS[name]
    write(tmp_path / "in")
    check(records(annotations=tmp_path / "in"), like)


def test_a_lone_label_folder_is_a_label(make_settings, tmp_path):
    pictures(tmp_path / "in/cat")
    assert survey(make_settings(annotations=str(tmp_path / "in"))).labels == ("cat",)


def test_images_in_folders_of_a_label_are_refused(make_settings, tmp_path):
    pictures(tmp_path / "in/cat/day 1", TRAIN)
    pictures(tmp_path / "in/dog", VALIDATION)
    (error,) = survey(make_settings(annotations=str(tmp_path / "in"))).errors
    assert "4 in sub-folders" in error


def test_paths_that_a_tool_quoted_or_wrote_in_another_case_are_found_and_noted(make_settings, tmp_path):
    quoted_and_cased(tmp_path / "in")
    listing = survey(make_settings(annotations=str(tmp_path / "in")))
    assert listing.errors == ()
    assert listing.images.num_rows == 5
    assert any("another case" in note for note in listing.notes)


def test_lists_that_datumaro_quoted_and_images_elsewhere_are_read(make_settings, tmp_path):
    pictures(tmp_path / "photos/day 1")
    lines = [f'day 1/"{s.stem}".{s.name.rpartition(".")[2]} {CLASSES.index(s.label)}\n' for s in NAMED]
    put(tmp_path / "in/train.txt", "".join(lines).replace('/"', "/"))
    put(tmp_path / "in/synsets.txt", "cat\ndog\n")
    listing = survey(make_settings(annotations=str(tmp_path / "in"), images_directory=tmp_path / "photos"))
    assert listing.errors == ()
    assert listing.images.num_rows == 5


def test_darknet_lists_with_images_elsewhere_are_read(make_settings, tmp_path):
    pictures(tmp_path / "photos")
    for scene in NAMED:
        put(tmp_path / f"in/obj_train_data/{scene.stem}.txt", yolo_line(scene))
    put(tmp_path / "in/obj.data", "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n")
    put(tmp_path / "in/obj.names", "cat\ndog\n")
    put(tmp_path / "in/train.txt", "".join(f"data/obj_train_data/{scene.name}\n" for scene in NAMED))
    listing = survey(make_settings(annotations=str(tmp_path / "in"), images_directory=tmp_path / "photos"))
    assert listing.errors == ()
    assert listing.boxes.planned == 5
