#!/bin/bash
# Datumaro makes an ordinary object of a crowd that has a box only.
#
# One would guess: a COCO file that is imported and exported as COCO keeps "iscrowd" of each annotation, as it keeps the boxes;
# and category ids stay what they are.
# What happens: a crowd ("iscrowd": 1) without a mask has iscrowd 0 afterwards; with a mask it stays a crowd. A detector that
# finds everything but the crowd, which COCO's evaluation leaves out, scored 1.0 before and 0.5 after. On the way to YOLO the
# same crowd is left out, on the way to Pascal VOC it is an object too. The categories 7 and 3 are 2 and 1 afterwards, so
# results that were made with the old ids do not fit. Nothing warns.
# Versions: datumaro 1.13.12, pycocotools 2.0.11, pillow 12.3.0, numpy 2.2.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check datumaro==1.13.12 pycocotools==2.0.11 pillow==12.3.0 numpy==2.2.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import contextlib
import json
import os
import pathlib
import sys

import datumaro
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

NAMES = {7: "dog", 3: "cat"}
DOG, CROWD = [10, 20, 20, 20], [40, 10, 50, 60]
MASK = {"size": [80, 100], "counts": [40 * 80 + 10] + [60, 20] * 49 + [60, 80 * 100 - 40 * 80 - 10 - 80 * 49 - 60]}


def annotation(number, label, box, crowd, segmentation):
    named = {"id": number, "image_id": 5, "category_id": label, "iscrowd": crowd}
    return named | {"bbox": box, "area": box[2] * box[3], "segmentation": segmentation}


def through_datumaro(folder, segmentation):
    os.makedirs(f"{folder}/annotations")
    os.makedirs(f"{folder}/images/train")
    Image.new("RGB", (100, 80)).save(f"{folder}/images/train/pets.jpg")
    before = {
        "images": [{"id": 5, "width": 100, "height": 80, "file_name": "pets.jpg"}],
        "categories": [{"id": label, "name": name, "supercategory": ""} for label, name in NAMES.items()],
        "annotations": [annotation(1, 7, DOG, 0, []), annotation(2, 7, CROWD, 1, segmentation)],
    }
    pathlib.Path(f"{folder}/annotations/instances_train.json").write_text(json.dumps(before))
    pets = datumaro.Dataset.import_from(folder, "coco")
    for kind in ("coco", "yolo", "voc"):
        pets.export(f"{folder}_{kind}", kind, save_media=True)
    after = json.loads(pathlib.Path(f"{folder}_coco/annotations/instances_train.json").read_text())
    return before, after


def precision(truth):
    """The average precision of a detector that finds the dog alone."""
    label = truth["annotations"][0]["category_id"]
    coco = COCO()
    coco.dataset = truth
    with contextlib.redirect_stdout(sys.stderr):
        coco.createIndex()
        found = [{"image_id": 5, "category_id": label, "bbox": DOG, "score": 0.9}]
        evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return round(float(evaluation.stats[0]), 2)


def seen(folder, segmentation):
    before, after = through_datumaro(folder, segmentation)
    crowds = [[each["iscrowd"] for each in truth["annotations"]] for truth in (before, after)]
    ids = [{each["name"]: each["id"] for each in truth["categories"]} for truth in (before, after)]
    scores = [precision(truth) for truth in (before, after)]
    yolo = len(pathlib.Path(f"{folder}_yolo/obj_train_data/pets.txt").read_text().splitlines())
    voc = pathlib.Path(f"{folder}_voc/Annotations/pets.xml").read_text().count("<object>")
    print(f"{folder}: iscrowd {crowds[0]} becomes {crowds[1]}, ids {ids[0]} become {ids[1]}; average precision {scores}")
    print(f"  boxes in YOLO {yolo}, in VOC {voc}")
    return crowds[1], scores, yolo, voc, ids[1]


renumbered = {"cat": 1, "dog": 2}
holds = seen("with_box", []) == ([0, 0], [1.0, 0.5], 1, 2, renumbered)
holds &= seen("with_mask", MASK) == ([0, 1], [1.0, 1.0], 1, 2, renumbered)
sys.exit(not holds)
PYTHON
