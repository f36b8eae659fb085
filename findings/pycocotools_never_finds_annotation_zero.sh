#!/bin/bash
# An annotation whose id is 0 can never be found, says pycocotools.
#
# One would guess: ids are only names. Detections equal to the true boxes score 1.0, whatever number the ids start from.
# What happens: the evaluation keeps, for each detection, the id of the box it matched, and reads 0 as "matched nothing". With
# ids from 0 the first box counts both as missed and as a false alarm: with two images the average precision falls to 0.25.
# Nothing warns. Exporters that count from 0 exist (Label Studio's COCO is one).
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
import json
import sys

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

BOX = [10, 10, 40, 40]


def precision_and_recall(first_id):
    truth = {
        "images": [{"id": image, "width": 100, "height": 100, "file_name": f"{image}.jpg"} for image in (1, 2)],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"id": first_id + n, "image_id": n + 1, "category_id": 1, "bbox": BOX, "area": 1600, "iscrowd": 0} for n in (0, 1)
        ],
    }
    with open("truth.json", "w") as file:
        json.dump(truth, file)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO("truth.json")
        found = coco.loadRes([{"image_id": image, "category_id": 1, "bbox": BOX, "score": 0.9} for image in (1, 2)])
        score = COCOeval(coco, found, "bbox")
        score.evaluate()
        score.accumulate()
        score.summarize()
    precision, recall = round(float(score.stats[0]), 2), round(float(score.stats[8]), 2)
    print(f"perfect detections, annotation ids from {first_id}: average precision {precision}, recall {recall}")
    return precision, recall


holds = precision_and_recall(1) == (1.0, 1.0)
holds &= precision_and_recall(0) == (0.25, 0.5)
sys.exit(not holds)
PYTHON
