#!/bin/bash
# A mask that supervision exports to COCO is a row and a column smaller there.
#
# One would guess: a mask of 20 by 10 pixels has 200 of them in COCO too, and a box of 20 by 10 round it, as pycocotools and
# OpenCV give for the same mask.
# What happens: supervision's box ends at the last pixel instead of behind it (19 by 9), and the polygon of its outline runs
# through the centres of the outermost pixels. pycocotools, for which coordinates are the edges of pixels, makes 171 pixels of
# it, while the file says "area": 200. A mask of 3 by 3 has 4 pixels left, and one that is a pixel high gets a box of height 0
# and no outline. Read back by supervision the large masks are whole, so a round trip does not show it; trained or scored with
# COCO's tools, small objects are up to half as large.
# Versions: supervision 0.31.2, pycocotools 2.0.11, opencv-python-headless 4.12.0.88, numpy 2.2.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check supervision==0.31.2 pycocotools==2.0.11 opencv-python-headless==4.12.0.88 numpy==2.2.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import contextlib
import os
import sys

import cv2
import numpy as np
import supervision
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

masks = np.zeros((3, 40, 40), bool)
masks[0, 10:20, 5:25] = True
masks[1, 30:33, 5:8] = True
masks[2, 2:3, 2:30] = True
os.makedirs("images")
cv2.imwrite("images/pets.png", np.zeros((40, 40, 3), np.uint8))
found = supervision.Detections(xyxy=supervision.mask_to_xyxy(masks), mask=masks, class_id=np.zeros(3, int))
pets = supervision.DetectionDataset(classes=["cat"], images=["images/pets.png"], annotations={"images/pets.png": found})
pets.as_coco(annotations_path="coco.json")

with contextlib.redirect_stdout(sys.stderr):
    coco = COCO("coco.json")
exported = [(each["bbox"], int(coco.annToMask(each).sum()) if each["segmentation"] else 0) for each in coco.anns.values()]
expected = []
for mask, (box, pixels) in zip(masks, exported, strict=True):
    pixel_mask = mask.astype(np.uint8)
    sides = coco_mask.toBbox(coco_mask.encode(np.asfortranarray(pixel_mask))).tolist()
    expected.append(sides == list(map(float, cv2.boundingRect(pixel_mask))))
    print(f"mask of {mask.sum()} pixels, box {sides}: in supervision's COCO {pixels} pixels, box {box}")
holds = all(expected) and exported == [([5, 10, 19, 9], 171), ([5, 30, 2, 2], 4), ([2, 2, 27, 0], 0)]
sys.exit(not holds)
PYTHON
