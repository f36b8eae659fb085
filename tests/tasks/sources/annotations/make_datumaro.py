"""Makes exports/datumaro_*: run by hand in an environment with datumaro (1.13.12), `python make_datumaro.py exports`."""

import shutil
import sys
from pathlib import Path

import scenes
from datumaro.components.annotation import Bbox, Label, RotatedBbox
from datumaro.components.dataset import Dataset
from datumaro.components.dataset_base import DatasetItem
from datumaro.components.media import Image

FORMS = (
    *("coco", "coco_instances", "coco_labels", "cvat", "datumaro", "imagenet", "imagenet_txt", "imagenet_with_subset_dirs"),
    *(
        "label_me",
        "open_images",
        "voc",
        "voc_classification",
        "voc_detection",
        "yolo",
        "yolo_ultralytics",
        "mvtec_classification",
        "kitti",
        "dota",
        "mot_seq_gt",
    ),
)


def box_of(form, scene):
    x0, y0, x1, y1 = scene.box
    named = {"label": scenes.CLASSES.index(scene.label), "id": 1, "group": 1}
    if form == "dota":  # on its side
        return RotatedBbox((x0 + x1) / 2, (y0 + y1) / 2, y1 - y0, x1 - x0, 90.0, **named)

    return Bbox(x0, y0, x1 - x0, y1 - y0, **named)


def items(folder, form, *, labels, boxes):
    for scene in scenes.SCENES:
        annotations = []
        if scene.label and labels:
            annotations.append(Label(scenes.CLASSES.index(scene.label)))
        if scene.box and boxes:
            annotations.append(box_of(form, scene))
        media = Image.from_file(path=str(folder / scene.name))
        yield DatasetItem(scene.stem, subset=scene.split, media=media, annotations=annotations)


def main(target):
    pictures = scenes.write(target / "pictures")
    for form in FORMS:
        output = target / f"datumaro_{form}"
        shutil.rmtree(output, ignore_errors=True)
        boxes = not form.startswith("imagenet")
        dataset = Dataset.from_iterable(list(items(pictures, form, labels=True, boxes=boxes)), categories=list(scenes.CLASSES))
        try:
            dataset.export(str(output), form, save_media=True)
        except Exception as error:
            print(form, type(error).__name__, error)
    shutil.rmtree(pictures)


main(Path(sys.argv[1]))
