#!/bin/bash
# OpenCV's "nearest" shifts a mask against the picture that it resizes with the same call.
#
# One would guess: a picture resized with INTER_LINEAR or INTER_AREA and its mask with INTER_NEAREST still lie on each other, as
# with Pillow's BILINEAR and NEAREST.
# What happens: INTER_LINEAR and INTER_AREA count from the centres of pixels, INTER_NEAREST from their upper left corners.
# Halved, a mask takes the columns 0, 2, 4 ... where Pillow takes 1, 3, 5 ..., and at a tenth 0, 10, 20 ... against 5, 15, 25
# ...: at a tenth of the size the centre of an object is off by 0.45 pixels to the right and as much down, 4.5 pixels of the
# original. Each mask of a training set is off to the same side, and a network learns that. INTER_NEAREST_EXACT does as Pillow
# does.
# Versions: opencv-python-headless 5.0.0.93, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import cv2
import numpy as np
from PIL import Image

OBJECTS = np.random.default_rng(0).integers(100, 800, (200, 2))
METHODS = {
    "OpenCV INTER_AREA": lambda pixels: cv2.resize(pixels, (100, 100), interpolation=cv2.INTER_AREA),
    "OpenCV INTER_NEAREST": lambda pixels: cv2.resize(pixels, (100, 100), interpolation=cv2.INTER_NEAREST),
    "OpenCV INTER_NEAREST_EXACT": lambda pixels: cv2.resize(pixels, (100, 100), interpolation=cv2.INTER_NEAREST_EXACT),
    "Pillow NEAREST": lambda pixels: np.asarray(Image.fromarray(pixels).resize((100, 100), Image.Resampling.NEAREST)),
}


def centre(pixels):
    """The x and y of the object's middle, in pixels of the original."""
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    scale = 1000 / pixels.shape[0]
    return [float((np.average(axis, weights=pixels) + 0.5) * scale) for axis in (x, y)]


shift = {name: [] for name in METHODS}
for left, top in OBJECTS:
    pixels = np.zeros((1000, 1000), np.uint8)
    pixels[top : top + 97, left : left + 97] = 255
    for name, resize in METHODS.items():
        shift[name].append(np.subtract(centre(resize(pixels)), centre(pixels)))
mean = {name: np.mean(values, axis=0).round(1) for name, values in shift.items()}
for name, (x, y) in mean.items():
    print(f"{name}: 200 objects are shifted by {x:.1f} and {y:.1f} pixels of the original in the mean")
straight = np.abs([mean[name] for name in METHODS if name != "OpenCV INTER_NEAREST"]).max() < 0.5
columns = cv2.resize(np.arange(8, dtype=np.uint8)[None], (4, 1), interpolation=cv2.INTER_NEAREST)[0].tolist()
exact = np.asarray(Image.fromarray(np.arange(8, dtype=np.uint8)[None]).resize((4, 1), Image.Resampling.NEAREST))[0].tolist()
print(f"columns taken of 8 for 4: OpenCV INTER_NEAREST {columns}, Pillow NEAREST {exact}")
holds = straight and bool((mean["OpenCV INTER_NEAREST"] > 4).all()) and columns == [0, 2, 4, 6] and exact == [1, 3, 5, 7]
sys.exit(not holds)
PYTHON
