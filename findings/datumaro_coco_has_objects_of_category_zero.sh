#!/bin/bash
# datumaro gives objects without a class the category 0 in COCO, which the file does not have.
#
# One would guess: an object without a class (WIDER FACE's faces, Segment Anything's masks) is left out, gets no category_id, or
# the export is refused: COCO's category_id must be one of categories.
# What happens: it gets "category_id": 0, while the ids of categories begin with 1. pycocotools loads the file without a word,
# finds the object by its image and not by any class, so COCOeval leaves it out, and loadCats fails for it; converters that
# subtract 1 write class -1, which Python takes for the last class.
# Versions: datumaro 1.13.12, pycocotools 2.0.11.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check datumaro==1.13.12 pycocotools==2.0.11 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import contextlib
import json
import sys

import numpy as np
from datumaro.components.annotation import Bbox
from datumaro.components.dataset import Dataset
from datumaro.components.dataset_base import DatasetItem
from datumaro.components.media import Image
from pycocotools.coco import COCO

image = Image.from_numpy(data=np.zeros((80, 100, 3), np.uint8))
boxes = [Bbox(10, 10, 20, 20, label=0, id=1, group=1), Bbox(50, 10, 30, 40, id=2, group=2)]
item = DatasetItem("pets", subset="train", media=image, annotations=boxes)
Dataset.from_iterable([item], categories=["cat", "dog"]).export("out", "coco_instances", save_media=True)

with open("out/annotations/instances_train.json") as file:
    content = json.load(file)
known = {category["id"]: category["name"] for category in content["categories"]}
used = [annotation["category_id"] for annotation in content["annotations"]]
print(f"categories {known}, annotations of categories {used}")
with contextlib.redirect_stdout(sys.stderr):
    coco = COCO("out/annotations/instances_train.json")
of_image, of_classes = len(coco.getAnnIds(imgIds=[1])), len(coco.getAnnIds(imgIds=[1], catIds=coco.getCatIds()))
print(f"pycocotools finds {of_image} objects of the image, {of_classes} of all classes")
sys.exit(not (known == {1: "cat", 2: "dog"} and used == [1, 0] and (of_image, of_classes) == (2, 1)))
PYTHON
