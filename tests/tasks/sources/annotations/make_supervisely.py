"""Makes exports/supervisely: run by hand in an environment with supervisely (6.74.51), `python make_supervisely.py exports`.

One object is a mask, and the image without objects is tagged.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import scenes
import supervisely as sly


def geometry_of(scene):
    x0, y0, x1, y1 = scene.box
    if scene.stem != "two":
        return sly.Rectangle(y0, x0, y1 - 1, x1 - 1)  # its last row and column belong to it
    mask = np.zeros((scenes.HEIGHT, scenes.WIDTH), bool)
    mask[y0:y1, x0:x1] = True
    return sly.Bitmap(mask)


def main(target):
    shutil.rmtree(target / "supervisely", ignore_errors=True)
    pictures = scenes.write(target / "pictures")
    project = sly.Project(str(target / "supervisely"), sly.OpenMode.CREATE)
    classes = {label: sly.ObjClass(label, sly.AnyGeometry) for label in scenes.CLASSES}
    checked = sly.TagMeta("checked by", sly.TagValueType.ANY_STRING)
    project.set_meta(sly.ProjectMeta(obj_classes=list(classes.values()), tag_metas=[checked]))
    splits = {split: project.create_dataset(split) for split in ("train", "val")}
    for scene in scenes.SCENES:
        labels = [sly.Label(geometry_of(scene), classes[scene.label])] if scene.box else []
        tags = [sly.Tag(checked, "anna")]
        annotation = sly.Annotation((scenes.HEIGHT, scenes.WIDTH), labels=labels, img_tags=tags)
        splits[scene.split].add_item_file(scene.name, str(pictures / scene.name), ann=annotation)
    shutil.rmtree(pictures)


main(Path(sys.argv[1]).absolute())
