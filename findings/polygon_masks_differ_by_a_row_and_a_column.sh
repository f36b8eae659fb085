#!/bin/bash
# The polygon of a 10 by 10 square has 100 pixels in pycocotools and 121 in four other tools.
#
# One would guess: a COCO outline from (10, 10) to (20, 20), with "area": 100 and a box of 10 by 10, fills 100 pixels whatever
# tool draws it; half of the pixels on the edge belong to it.
# What happens: pycocotools fills the pixels whose area is within, 100. Pillow's ImageDraw, OpenCV's fillPoly, scikit-image's
# polygon2mask and supervision take the corners for pixels and fill these too: 11 by 11. A mask drawn by these has an IoU of
# 0.83 with pycocotools' mask of the very same outline, and of a 4 pixel square 0.64; so a network that is trained on the one
# and scored by the other loses its small objects. With corners between pixels they differ in addition from each other: Pillow
# cuts 10.6 down to 10. OpenCV refuses floats.
# Versions: pycocotools 2.0.11, pillow 13.0.0, opencv-python-headless 4.12.0.88, scikit-image 0.26.0, supervision 0.31.2,
# numpy 2.2.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pycocotools==2.0.11 pillow==13.0.0 opencv-python-headless==4.12.0.88 scikit-image==0.26.0 supervision==0.31.2 numpy==2.2.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - <<'PYTHON'
import sys

import cv2
import numpy as np
import supervision
from PIL import Image, ImageDraw
from pycocotools import mask
from skimage.draw import polygon2mask

SIZE = 40


def square(low, high):
    return [(low, low), (high, low), (high, high), (low, high)]


def by_pycocotools(corners):
    outline = [float(number) for corner in corners for number in corner]
    return mask.decode(mask.merge(mask.frPyObjects([outline], SIZE, SIZE)))


def by_pillow(corners):
    picture = Image.new("L", (SIZE, SIZE))
    ImageDraw.Draw(picture).polygon(corners, fill=1)
    return np.asarray(picture)


def by_opencv(corners):
    return cv2.fillPoly(np.zeros((SIZE, SIZE), np.uint8), [np.array(corners, np.int32)], 1)


def by_scikit_image(corners):
    return polygon2mask((SIZE, SIZE), [(y, x) for x, y in corners])


def by_supervision(corners):
    return supervision.polygon_to_mask(np.array(corners), (SIZE, SIZE))


others = {"Pillow": by_pillow, "OpenCV": by_opencv, "scikit-image": by_scikit_image, "supervision": by_supervision}
holds = True
for low, high in ((10, 20), (10, 14)):
    true = by_pycocotools(square(low, high)) > 0
    side = high - low
    print(f"square from {low} to {high}: pycocotools fills {true.sum()} pixels")
    holds &= true.sum() == side**2
    for name, fill in others.items():
        filled = fill(square(low, high)) > 0
        overlap = (filled & true).sum() / (filled | true).sum()
        print(f"square from {low} to {high}: {name} fills {filled.sum()}, IoU {overlap:.2f}")
        holds &= filled.sum() == (side + 1) ** 2
between = by_pillow(square(10.6, 20.6))
print(f"square from 10.6 to 20.6: Pillow fills {between.sum()} from pixel {np.argwhere(between).min()}")
holds &= between.sum() == 121 and np.argwhere(between).min() == 10
sys.exit(not holds)
PYTHON
