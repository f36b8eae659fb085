#!/bin/bash
# Albumentations keeps a box of which a third is visible, asked for at least a half, if it was cut twice.
#
# One would guess: min_visibility=0.5 removes a box of which less than half is left in the picture that comes out, since that
# is what a network will see.
# What happens: each step is measured on its own. A crop to 36 of 100 columns removes the box; a crop to 60 and then one to 36
# keep it, as each leaves 0.6 of what was there before. After four such steps 0.13 of an object is still a labelled object, and
# a network learns to find it in an ear. RandomCrop behind Affine, Rotate or another crop is the ordinary case. Nothing warns.
# Versions: albumentations 2.0.8, opencv-python-headless 5.0.0.93, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check albumentations==2.0.8 opencv-python-headless==5.0.0.93 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import albumentations as augment
import numpy as np


def left(*widths):
    boxes = augment.BboxParams(format="pascal_voc", label_fields=["labels"], min_visibility=0.5)
    crops = augment.Compose([augment.Crop(0, 0, width, 100) for width in widths], bbox_params=boxes)
    found = crops(image=np.zeros((100, 100, 3), np.uint8), bboxes=[[0, 0, 100, 100]], labels=["cat"])
    kept = [[round(float(end)) for end in box] for box in found["bboxes"]]
    print(f"a box of 100 columns, cropped to {', then '.join(map(str, widths))} columns, min_visibility=0.5: {kept}")
    return kept


sys.exit(not (left(36) == [] and left(60, 36) == [[0, 0, 36, 100]] and left(13) == [] and left(60, 36, 22, 13) == [[0, 0, 13, 100]]))
PYTHON
