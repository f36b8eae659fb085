#!/bin/bash
# Albumentations removes points outside a crop from the list, so that the next point has the number of another.
#
# One would guess: keypoints come out as many as they went in, because a point's place in the list is its name in COCO and in
# each pose network (0 nose, 1 left eye, 2 right eye); one outside of the crop is marked, or has coordinates outside.
# What happens: by default (remove_invisible=True) it is left out and the others move up: with the nose cut off, the left eye
# is number 0. With a fixed number of points a later step fails at some pictures; where lists are padded to 17, or where a crop
# cuts off the last points of one picture and the first of another, it trains on eyes as noses. Nothing warns.
# KeypointParams(remove_invisible=False) keeps all.
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

NAMES = ["nose", "left eye", "right eye"]


def seen(name, **more):
    crop = augment.Compose([augment.Crop(0, 0, 50, 100)], keypoint_params=augment.KeypointParams(format="xy", **more))
    points = crop(image=np.zeros((100, 100, 3), np.uint8), keypoints=[(80, 10), (20, 10), (30, 50)])["keypoints"]
    found = {part: tuple(round(float(value)) for value in point) for part, point in zip(NAMES, points)}
    print(f"nose (80, 10), left eye (20, 10), right eye (30, 50) in the left half, {name}: {found}")
    return found


holds = seen("by default") == {"nose": (20, 10), "left eye": (30, 50)}
holds &= seen("remove_invisible=False", remove_invisible=False) == {"nose": (80, 10), "left eye": (20, 10), "right eye": (30, 50)}
sys.exit(not holds)
PYTHON
