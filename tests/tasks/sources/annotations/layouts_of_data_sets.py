"""Tables, folders and JSON of published data sets and libraries, written by their documentation."""

import csv
import json

from tests.tasks.sources.annotations.scenes import CLASSES, HEIGHT, SCENES, WIDTH, data_of
from tests.tasks.sources.annotations.writing import (
    NAMED,
    SPLITS,
    TRAIN,
    VALIDATION,
    coco,
    pictures,
    put,
)


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


def folders_below_another(root):
    classification_folders(root / "pets" / "v1")


def quoted_and_cased(root):
    pictures(root / "images", [scene._replace(name=f"my {scene.name.upper()}") for scene in SCENES])
    content = coco(SCENES, name=lambda scene: f"images/my%20{scene.stem}.{scene.name.rpartition('.')[2]}")
    put(root / "annotations.json", json.dumps(content))
