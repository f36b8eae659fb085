"""Layouts as tools and published data sets have them, written here by their documentation: labels, splits and boxes."""

import csv
import json

import pytest

from tests.tasks.sources.annotations.scenes import CLASSES, HEIGHT, SCENES, WIDTH, data_of
from tests.tasks.sources.annotations.test_exports import check

TRAIN = [scene for scene in SCENES if scene.split == "train"]
VALIDATION = [scene for scene in SCENES if scene.split == "val"]
SPLITS = {"train": TRAIN, "val": VALIDATION}
NAMED = [scene for scene in SCENES if scene.label]


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def pictures(folder, scenes=SCENES):
    for scene in scenes:
        put(folder / scene.name, data_of(scene))


def coco(scenes, first=1, name=lambda scene: scene.name, **more):
    images = [{"id": n, "file_name": name(scene), "width": WIDTH, "height": HEIGHT} for n, scene in enumerate(scenes, first)]
    annotations = [
        {
            "id": n,
            "image_id": n,
            "category_id": CLASSES.index(scene.label) + first,
            "bbox": [scene.box[0], scene.box[1], scene.box[2] - scene.box[0], scene.box[3] - scene.box[1]],
            "iscrowd": 0,
            "segmentation": [],
        }
        for n, scene in enumerate(scenes, first)
        if scene.box
    ]
    categories = [{"id": n, "name": label} for n, label in enumerate(CLASSES, first)]
    return {"images": images, "annotations": annotations, "categories": categories} | more


def yolo_line(scene):
    x0, y0, x1, y1 = scene.box
    numbers = (x0 + x1) / 2 / WIDTH, (y0 + y1) / 2 / HEIGHT, (x1 - x0) / WIDTH, (y1 - y0) / HEIGHT
    return f"{CLASSES.index(scene.label)} {' '.join(f'{number:.6f}' for number in numbers)}\n"


def voc(scene, *, size=True, name=None):
    x0, y0, x1, y1 = scene.box
    sides = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>" if size else ""
    box = f"<bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox>"
    label = name or scene.label
    return f"<annotation><filename>{scene.name}</filename>{sides}<object><name>{label}</name>{box}</object></annotation>"


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


HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
CVAT = HEAD + "<annotations><version>1.1</version><meta><task><name>x</name></task></meta>{}</annotations>"


def cvat_image(number, scene, *, subset="", tag=True, shape="box"):
    inner = ""
    if scene.box:
        x0, y0, x1, y1 = scene.box
        common = f'label="{scene.label}" source="manual" occluded="0" z_order="0"'
        inner += f'<tag label="{scene.label}" source="manual"></tag>' if tag else ""
        if shape == "box":
            inner += f'<box {common} xtl="{x0}" ytl="{y0}" xbr="{x1}" ybr="{y1}"><attribute name="color">red</attribute></box>'
        elif shape == "turned":  # 90° clockwise about the centre: the sides change places
            x, y, across, down = (x0 + x1) / 2, (y0 + y1) / 2, (y1 - y0) / 2, (x1 - x0) / 2
            inner += (
                f'<box {common} xtl="{x - across}" ytl="{y - down}" xbr="{x + across}" ybr="{y + down}" rotation="90.0"></box>'
            )
        else:
            inner += f'<polygon {common} points="{x0},{y0};{x1},{y0};{x1},{y1};{x0},{y1}"></polygon>'
    of = f' subset="{subset}" task_id="1"' if subset else ""
    return f'<image id="{number}" name="{scene.name}"{of} width="{WIDTH}" height="{HEIGHT}">{inner}</image>'


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


def ilsvrc(root):
    synsets = {"cat": "n02123045", "dog": "n02110341"}
    for split, scenes in SPLITS.items():
        rows = [["ImageId", "PredictionString"]]
        for scene in scenes:
            if not scene.box:
                continue
            synset = synsets[scene.label]
            name = f"{synset}_{scene.stem}" if split == "train" else scene.stem
            rows.append([name, f"{synset} {' '.join(map(str, scene.box))} "])
            folder = root / "ILSVRC/Data/CLS-LOC" / split / (synset if split == "train" else "")
            put(folder / f"{name}.JPEG", data_of(scene))
        text = "".join(f"{image},{boxes}\n" for image, boxes in rows)
        put(root / f"LOC_{split}_solution.csv", text)
    put(root / "LOC_sample_submission.csv", "ImageId,PredictionString\nILSVRC2012_test_00000001,n01440764 0 0 1 1\n")
    put(root / "LOC_synset_mapping.txt", "n02123045 tabby cat\nn02110341 dalmatian\n")


def detection_csv(root, *, header=True, folder="images", each="", columns=None):
    for split, scenes in SPLITS.items():
        pictures(root / folder / split, scenes)
        names = columns or ["filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax"]
        rows = [[each + scene.name, WIDTH, HEIGHT, scene.label, *scene.box] for scene in scenes if scene.box]
        with (root / f"{split}_labels.csv").open("w", newline="") as file:
            csv.writer(file).writerows([names, *rows] if header else rows)


def roboflow_csv(root):
    for split, scenes in (("train", TRAIN), ("valid", VALIDATION)):
        pictures(root / split, scenes)
        lines = ["filename,width,height,class,xmin,ymin,xmax,ymax"]
        lines += [f"{s.name},{WIDTH},{HEIGHT},{s.label},{','.join(map(str, s.box))}" for s in scenes if s.box]
        put(root / split / "_annotations.csv", "\n".join(lines) + "\n")


def retinanet_csv(root):
    for split, scenes in (("train", TRAIN), ("val", VALIDATION)):
        pictures(root / split, scenes)
        lines = [f"{split}/{s.name},{','.join(map(str, s.box)) if s.box else ',,,'},{s.label or ''}" for s in scenes]
        put(root / f"{split}.csv", "\n".join(lines) + "\n")
    put(root / "classes.csv", "cat,0\ndog,1\n")


def roboflow_one_hot(root):
    for split, scenes in (("train", TRAIN), ("valid", VALIDATION)):
        pictures(root / split, scenes)
        lines = ["filename, cat, dog"]
        lines += [f"{s.name}, {int(s.label == 'cat')}, {int(s.label == 'dog')}" for s in scenes]
        put(root / split / "_classes.csv", "\n".join(lines) + "\n")


MIDS = {"cat": "/m/01yrx", "dog": "/m/0bt9lr"}


def open_images(root):
    for split, scenes, prefix in (("train", TRAIN, "oidv6-train"), ("validation", VALIDATION, "validation")):
        pictures(root / split, scenes)
        lines = [
            "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
        ]
        for scene in scenes:
            if scene.box:
                x0, y0, x1, y1 = scene.box
                corners = f"{x0 / WIDTH},{x1 / WIDTH},{y0 / HEIGHT},{y1 / HEIGHT}"
                lines.append(f"{scene.stem},xclick,{MIDS[scene.label]},1,{corners},0,0,0,0,0")
        put(root / "annotations" / f"{prefix}-annotations-bbox.csv", "\n".join(lines) + "\n")
    put(root / "annotations/class-descriptions-boxable.csv", "".join(f"{mid},{name}\n" for name, mid in MIDS.items()))


def fiftyone_open_images(root):
    pictures(root / "data")
    lines = ["ImageID,Source,LabelName,Confidence"]
    lines += [f"{scene.stem},verification,{MIDS[scene.label]},1.0" for scene in NAMED]
    lines += [f"{scene.stem},verification,{MIDS['dog' if scene.label == 'cat' else 'cat']},0" for scene in NAMED]
    put(root / "labels/classifications.csv", "\n".join(lines) + "\n")
    put(root / "metadata/classes.csv", "".join(f"{mid},{name}\n" for name, mid in MIDS.items()))


def fiftyone_dataset(root):
    pictures(root / "data")
    samples = []
    for scene in SCENES:
        sample = {"filepath": f"data/{scene.name}", "tags": [scene.split], "metadata": None, "_media_type": "image"}
        if scene.box:
            x0, y0, x1, y1 = scene.box
            box = [x0 / WIDTH, y0 / HEIGHT, (x1 - x0) / WIDTH, (y1 - y0) / HEIGHT]
            objects = [{"_cls": "Detection", "label": scene.label, "bounding_box": box, "attributes": {}, "tags": []}]
            sample["ground_truth"] = {"_cls": "Detections", "detections": objects}
            sample["kind"] = {"_cls": "Classification", "label": scene.label, "tags": []}
        samples.append(sample)
    put(root / "samples.json", json.dumps({"samples": samples}))
    put(root / "metadata.json", json.dumps({"name": "pets", "media_type": "image", "sample_fields": []}))


def huggingface_csv(root):
    for split, scenes in (("train", TRAIN), ("validation", VALIDATION)):
        pictures(root / split, scenes)
        lines = ["file_name,label,additional"]
        put(root / split / "metadata.csv", "\n".join(lines + [f"{s.name},{s.label or ''},x" for s in scenes]) + "\n")


def huggingface_objects(root, *, corners=False, top=False):
    for split, scenes in (("train", TRAIN), ("validation", VALIDATION)):
        pictures(root / split, scenes)
        lines = []
        for scene in scenes:
            x0, y0, x1, y1 = scene.box or (0, 0, 0, 0)
            box = [float(x0), float(y0), *((float(x1), float(y1)) if corners else (float(x1 - x0), float(y1 - y0)))]
            objects = {"bbox": [box], "categories": [scene.label]} if scene.box else {"bbox": [], "categories": []}
            lines.append(json.dumps({"file_name": f"{split}/{scene.name}" if top else scene.name, "objects": objects}) + "\n")
        name = root / "metadata.jsonl" if top else root / split / "metadata.jsonl"
        put(name, (name.read_text() if name.exists() else "") + "".join(lines))


def classification_folders(root):
    for split, scenes in (("train", TRAIN), ("valid", VALIDATION)):
        for scene in scenes:
            put(root / split / (scene.label or "_unlabeled") / scene.name, data_of(scene))
    put(root / "README.roboflow.txt", "pets")


def datumaro_without_sizes(root):
    for split, scenes in SPLITS.items():
        pictures(root / "images" / split, scenes)
        items = []
        for scene in scenes:
            x0, y0, x1, y1 = scene.box or (0, 0, 0, 0)
            label = CLASSES.index(scene.label) if scene.label else None
            box = {"type": "bbox", "label_id": label, "bbox": [x0, y0, x1 - x0, y1 - y0], "attributes": {"occluded": False}}
            items.append({"id": scene.stem, "annotations": [box] if scene.box else [], "image": {"path": ""}})
        names = [{"name": label, "parent": "", "attributes": []} for label in CLASSES]
        put(
            root / "annotations" / f"{split}.json",
            json.dumps({"info": {}, "categories": {"label": {"labels": names}}, "items": items}),
        )


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
# What check() leaves out: as exports without splits, without boxes.
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
