#!/bin/bash
# With room for 300 detections an image, pycocotools says that perfect detections have an average precision of -1.
#
# One would guess: the last of maxDets is only a cap. Raised from 100 to 300, for crowded images, the score of a handful of
# detections stays what it was.
# What happens: the first line of the summary, the mean that everybody quotes, always asks for the column of exactly 100
# detections. Without one it is -1, as for "no such objects", while the lines for IoU 0.50 and 0.75 and the recall, which use the
# last of maxDets, say 1. A training loop that keeps the best model by it never sees a better one than the first.
# Versions: pycocotools 2.0.11, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pycocotools==2.0.11 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - <<'PYTHON'
import contextlib
import io
import sys

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

BOX = [10, 10, 40, 40]


def scores(limits):
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "info": {},
            "images": [{"id": image, "width": 100, "height": 100, "file_name": f"{image}.jpg"} for image in (1, 2)],
            "categories": [{"id": 1, "name": "cat"}],
            "annotations": [
                {"id": image, "image_id": image, "category_id": 1, "bbox": BOX, "area": 1600, "iscrowd": 0} for image in (1, 2)
            ],
        }
        truth.createIndex()
        found = truth.loadRes([{"image_id": image, "category_id": 1, "bbox": BOX, "score": 0.9} for image in (1, 2)])
        score = COCOeval(truth, found, "bbox")
        score.params.maxDets = limits
        score.evaluate()
        score.accumulate()
        score.summarize()
    mean, half, three_quarters = (round(float(number), 2) for number in score.stats[:3])
    print(f"maxDets {limits}: average precision {mean}, at IoU 0.50 {half}, at IoU 0.75 {three_quarters}")
    return mean, half, three_quarters


sys.exit(not (scores([1, 10, 100]) == (1.0, 1.0, 1.0) and scores([1, 10, 300]) == (-1.0, 1.0, 1.0)))
PYTHON
