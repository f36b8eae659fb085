#!/bin/bash
# pycocotools counts an object that is marked "ignore" as missed.
#
# One would guess: an annotation with "ignore": 1 (too small, too far, hidden: neither a hit nor a miss) is left out of the
# evaluation, since the evaluation's code looks for that very field.
# What happens: the field is overwritten by iscrowd before it is used. A detector that finds everything but one such object has
# an average precision of 0.75; with "iscrowd": 1 for "ignore": 1 it is 1.0. Nothing warns.
# Versions: pycocotools 2.0.11, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pycocotools==2.0.11 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import contextlib
import io
import sys

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

BOXES = {1: (10, 10, 40, 40), 2: (60, 10, 40, 40), 3: (10, 60, 40, 40), 4: (60, 60, 40, 40)}


def precision(**mark):
    """The average precision of a detector that finds all boxes but the one with the mark."""
    truth = COCO()
    truth.dataset = {
        "images": [{"id": 1, "width": 128, "height": 128, "file_name": "street.jpg"}],
        "categories": [{"id": 1, "name": "car"}],
        "annotations": [
            {"id": number, "image_id": 1, "category_id": 1, "bbox": list(box), "area": 1600, "iscrowd": 0}
            for number, box in BOXES.items()
        ],
    }
    truth.dataset["annotations"][3].update(mark)
    found = [{"image_id": 1, "category_id": 1, "bbox": list(BOXES[number]), "score": 0.9} for number in (1, 2, 3)]
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    value = round(float(evaluation.stats[0]), 2)
    print(f"the box that was not found has {mark or 'no mark'}: average precision {value}")
    return value


sys.exit(not (precision() == precision(ignore=1) < 0.8 and precision(iscrowd=1) == 1.0))
PYTHON
