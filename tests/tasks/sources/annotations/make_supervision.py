"""Makes exports/supervision_*: run by hand with supervision (0.31.2), `python make_supervision.py exports`."""

import shutil
import sys
from pathlib import Path

import numpy as np
import scenes
import supervision as sv


def main(target):
    pictures = scenes.write(target / "pictures")
    for split in ("train", "val"):
        chosen = [scene for scene in scenes.SCENES if scene.split == split]
        paths = [str(pictures / scene.name) for scene in chosen]
        objects = {path: _detections(scene) for path, scene in zip(paths, chosen, strict=True)}
        dataset = sv.DetectionDataset(list(scenes.CLASSES), paths, objects)
        home = target / "supervision_coco" / split
        dataset.as_coco(str(home / "images"), str(home / "annotations.json"))
        home = target / "supervision_yolo"
        dataset.as_yolo(str(home / split / "images"), str(home / split / "labels"), str(home / "data.yaml"))
        home = target / "supervision_voc" / split
        dataset.as_pascal_voc(str(home / "images"), str(home / "annotations"))
        for form in ("createml", "labelme"):
            home = target / f"supervision_{form}" / split
            try:
                if form == "createml":
                    dataset.as_createml(str(home / "images"), str(home / "_annotations.createml.json"))
                else:
                    dataset.as_labelme(str(home / "images"), str(home / "annotations"))
            except Exception as error:
                print(form, type(error).__name__, error)
    named = [scene for scene in scenes.SCENES if scene.label]
    labels = {
        str(pictures / scene.name): sv.Classifications(class_id=np.array([scenes.CLASSES.index(scene.label)]))
        for scene in named
    }
    sv.ClassificationDataset(list(scenes.CLASSES), list(labels), labels).as_folder_structure(
        str(target / "supervision_folders")
    )
    shutil.rmtree(pictures)


def _detections(scene):
    if not scene.box:
        return sv.Detections.empty()
    return sv.Detections(xyxy=np.array([scene.box], float), class_id=np.array([scenes.CLASSES.index(scene.label)]))


main(Path(sys.argv[1]).absolute())
