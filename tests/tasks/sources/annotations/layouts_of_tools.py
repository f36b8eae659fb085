"""COCO, CVAT, YOLO and Pascal VOC as tools and published data sets lay them out, written by their documentation."""

import json

from tests.tasks.sources.annotations.scenes import CLASSES, HEIGHT, SCENES, WIDTH
from tests.tasks.sources.annotations.writing import (
    CVAT,
    NAMED,
    SPLITS,
    TRAIN,
    VALIDATION,
    coco,
    cvat_image,
    pictures,
    put,
    voc,
    yolo_line,
)


def coco_of_2017(root):
    for split, scenes in SPLITS.items():
        pictures(root / f"{split}2017", scenes)
        put(root / f"annotations/instances_{split}2017.json", json.dumps(coco(scenes)))
        captions = [{"id": 1, "image_id": 1, "caption": "a red rectangle"}]
        put(root / f"annotations/captions_{split}2017.json", json.dumps(coco(scenes) | {"annotations": captions}))


def roboflow_coco(root):
    for split, scenes in (("train", TRAIN), ("valid", VALIDATION)):
        pictures(root / split, scenes)
        content = coco(scenes, first=1)
        content["categories"].insert(0, {"id": 0, "name": "animals", "supercategory": "none"})
        put(root / split / "_annotations.coco.json", json.dumps(content))
    put(root / "README.roboflow.txt", "pets - v1")


def coco_from_zero_with_windows_paths(root):
    for split, scenes in SPLITS.items():
        pictures(root / "images" / split, scenes)
        content = coco(scenes, first=0, name=lambda scene, split=split: f"C:\\data\\images\\{split}\\{scene.name}")
        put(root / f"{split}.json", json.dumps(content))


def coco_with_texts_and_outlines(root):
    pictures(root / "train", TRAIN)
    pictures(root / "val", VALIDATION)
    for split, scenes in SPLITS.items():
        content = coco(scenes)
        for image in content["images"]:
            image |= {"id": f"img{image['id']}", "width": str(WIDTH)}
        for annotation in content["annotations"]:
            x, y, width, height = annotation.pop("bbox")
            annotation["segmentation"] = [[x, y, x + width, y, x + width, y + height, x, y + height]]
            annotation |= {"image_id": f"img{annotation['image_id']}", "bbox": [] if split == "val" else None}
        put(root / "annotations" / f"{split}.json", json.dumps(content))


def cvat_project(root):
    images = ""
    for subset, scenes in (("train", TRAIN), ("Validation", VALIDATION)):
        pictures(root / "images" / subset, scenes)
        images += "".join(cvat_image(n, scene, subset=subset) for n, scene in enumerate(scenes))
    put(root / "annotations.xml", CVAT.format(images))


def cvat_shapes(root):
    kinds = ["box", "turned", "polygon", "turned", "box", "box"]
    images = "".join(
        cvat_image(n, scene, subset=scene.split, tag=False, shape=kind)
        for n, (scene, kind) in enumerate(zip(SCENES, kinds, strict=True))
    )
    put(root / "annotations.xml", CVAT.format(images))
    pictures(root / "images" / "default")


def roboflow_yolo(root):
    for split, scenes in (("train", TRAIN), ("valid", VALIDATION)):
        pictures(root / split / "images", scenes)
        for scene in scenes:
            put(root / split / "labels" / f"{scene.stem}.txt", yolo_line(scene) if scene.box else "")
    put(
        root / "data.yaml",
        "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\n"
        "nc: 2\nnames: ['cat', 'dog']\n\nroboflow:\n  version: 1\n",
    )


def ultralytics_yolo(root):
    for split, scenes in SPLITS.items():
        pictures(root / "images" / split, scenes)
        for scene in scenes:
            if scene.box:
                put(root / "labels" / split / f"{scene.stem}.txt", yolo_line(scene))
    put(
        root / "pets.yaml",
        "path: ../datasets/pets # dataset root dir\ntrain: images/train\nval: images/val\ntest:\nnames:\n  0: cat\n  1: dog\n",
    )


def yolo_outlines(root):
    ultralytics_yolo(root)
    for scene in NAMED:
        x0, y0, x1, y1 = scene.box
        points = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, (y0 + y1) / 2)]
        numbers = " ".join(f"{x / WIDTH:.6f} {y / HEIGHT:.6f}" for x, y in points)
        put(root / "labels" / scene.split / f"{scene.stem}.txt", f"{CLASSES.index(scene.label)} {numbers}\n")


def yolo_poses(root):
    ultralytics_yolo(root)
    text = (root / "pets.yaml").read_text()
    put(root / "pets.yaml", text + "kpt_shape: [2, 3]\n")
    for scene in NAMED:
        put(root / "labels" / scene.split / f"{scene.stem}.txt", yolo_line(scene).strip() + " 0.1 0.1 2 0.9 0.9 1\n")


def cvat_yolo(root):
    for split, scenes in SPLITS.items():
        pictures(root / "images" / split, scenes)
        put(root / f"{split}.txt", "".join(f"data/images/{split}/{scene.name}\n" for scene in scenes))
        for scene in scenes:
            if scene.box:
                put(root / "labels" / split / f"{scene.stem}.txt", yolo_line(scene))
    put(root / "data.yaml", "names:\n  0: cat\n  1: dog\npath: .\ntrain: train.txt\nval: val.txt\n")


def label_studio_yolo(root):
    pictures(root / "images")
    for scene in NAMED:
        put(root / "labels" / f"{scene.stem}.txt", yolo_line(scene))
    put(root / "classes.txt", "cat\ndog\n")
    put(
        root / "notes.json",
        json.dumps({"categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}], "info": {"year": 2026}}),
    )


def label_img_yolo(root):
    pictures(root)
    for scene in NAMED:
        put(root / f"{scene.stem}.txt", yolo_line(scene))
    put(root / "classes.txt", "cat\ndog\n")


def voc_2012(root):
    home = root / "VOCdevkit/VOC2012"
    pictures(home / "JPEGImages")
    for scene in NAMED:
        put(home / "Annotations" / f"{scene.stem}.xml", voc(scene))
    for split, scenes in SPLITS.items():
        names = [scene.stem for scene in scenes if scene.label]
        put(home / f"ImageSets/Main/{split}.txt", "".join(f"{name}\n" for name in names))
        for label in CLASSES:
            lines = [f"{scene.stem} {' 1' if scene.label == label else '-1'}\n" for scene in scenes if scene.label]
            put(home / f"ImageSets/Main/{label}_{split}.txt", "".join(lines))
    put(home / "ImageSets/Main/trainval.txt", "".join(f"{scene.stem}\n" for scene in NAMED))


def voc_without_sizes_and_beside(root):
    for split, scenes in (("train", TRAIN), ("valid", VALIDATION)):
        pictures(root / split, scenes)
        for scene in scenes:
            if scene.box:
                put(root / split / f"{scene.stem}.xml", voc(scene, size=False))


def darknet_beside(root):
    for split, scenes in (("train", TRAIN), ("valid", VALIDATION)):
        pictures(root / split, scenes)
        for scene in scenes:
            put(root / split / f"{scene.stem}.txt", yolo_line(scene) if scene.box else "")
        put(root / split / "_darknet.labels", "cat\ndog\n")


def names_among_the_labels(root):
    for split, scenes in SPLITS.items():
        pictures(root / "images" / split, scenes)
        for scene in scenes:
            if scene.box:
                put(root / "labels" / split / f"{scene.stem}.txt", yolo_line(scene))
    put(root / "labels/classes.txt", "cat\ndog\n")


def yolo_of_another_machine(root):
    ultralytics_yolo(root)
    text = (root / "pets.yaml").read_text().replace("../datasets/pets", "/content/pets")
    put(root / "pets.yaml", text.replace("train: images/train", "train: /content/pets/images/train"))


def cvat_sub_folders(root):
    images = "".join(cvat_image(n, s._replace(name=f"day 1/{s.name}"), subset=s.split) for n, s in enumerate(SCENES))
    put(root / "annotations.xml", CVAT.format(images))
    pictures(root / "images/day 1")


def cvat_voc(root):
    pictures(root / "JPEGImages")
    for scene in SCENES:
        put(root / "Annotations" / f"{scene.stem}.xml", voc(scene) if scene.box else "<annotation/>")
    put(root / "ImageSets/Main/default.txt", "".join(f"{scene.stem}\n" for scene in SCENES))
    put(root / "labelmap.txt", "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:1,2,3::\ndog:1,2,4::\n")
