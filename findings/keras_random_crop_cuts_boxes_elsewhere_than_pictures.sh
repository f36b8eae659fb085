#!/bin/bash
# Keras's RandomCrop cuts a picture at one place and moves its boxes as if it was cut at another.
#
# One would guess: a layer that takes pictures with their boxes moves both by the same numbers, as RandomFlip and CenterCrop
# of the same library do, so that a box still lies round its object.
# What happens: RandomCrop exchanges x and y for the boxes. Of a picture it cuts the first 2 columns and 1 row, say; from the
# box it takes 1 off x and 2 off y. In 30 crops of 30 by 40 pixels out of 40 by 60 a white rectangle and its box lie on each
# other in two, where both numbers happen to be equal, and are up to 16 pixels apart. Nothing warns, and a detector trains on
# boxes beside their objects. With RandomFlip all are right.
# Versions: keras 3.15.1, tensorflow-cpu 2.21.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check keras==3.15.1 tensorflow-cpu==2.21.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import keras
import numpy as np

BOX = [18, 8, 38, 30]


def apart(name, make):
    """How far the box is from the white rectangle that it was drawn round, in each of 30 runs."""
    picture = np.zeros((1, 40, 60, 3), np.float32)
    picture[:, BOX[1] : BOX[3], BOX[0] : BOX[2]] = 255
    distances, exchanged = [], []
    for seed in range(30):
        data = {"images": picture, "bounding_boxes": {"boxes": np.array([[BOX]], np.float32), "labels": np.array([[1]])}}
        out = make(seed)(data, training=True)
        rows, columns = np.nonzero(np.array(out["images"])[0, ..., 0] > 127)
        seen = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        box = np.array(out["bounding_boxes"]["boxes"])[0, 0]
        if seed < 2:
            print(f"{name}, seed {seed}: the white pixels are at {seen.tolist()}, the box is {box.round(1).tolist()}")
        distances.append(float(np.abs(seen - box).max()))
        if seen[2] - seen[0] == BOX[2] - BOX[0] and seen[3] - seen[1] == BOX[3] - BOX[1]:
            columns, rows = BOX[0] - seen[0], BOX[1] - seen[1]
            exchanged.append(bool(np.array_equal(box, np.maximum(np.array(BOX) - [rows, columns, rows, columns], 0))))
    exact = sum(distance < 0.5 for distance in distances)
    print(f"{name}: {exact} of {len(distances)} boxes fit, the worst is {max(distances):g} pixels off")
    return exact, max(distances), exchanged


cropped = apart("RandomCrop", lambda seed: keras.layers.RandomCrop(30, 40, seed=seed, bounding_box_format="xyxy"))
flipped = apart("RandomFlip", lambda seed: keras.layers.RandomFlip(seed=seed, bounding_box_format="xyxy"))
print(f"RandomCrop: {sum(cropped[2])} of {len(cropped[2])} boxes of whole rectangles are where x and y exchanged put them")
holds = cropped[0] < 5 and cropped[1] > 5 and len(cropped[2]) > 5 and all(cropped[2])
sys.exit(not (holds and flipped[:2] == (30, 0.0)))
PYTHON
