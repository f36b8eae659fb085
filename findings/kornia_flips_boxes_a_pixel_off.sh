#!/bin/bash
# kornia moves a box by a pixel against the picture that it flips or turns with it.
#
# One would guess: AugmentationSequential with data_keys=["input", "bbox_xyxy"] keeps a box on its object, so that a box from
# the left to the right edge of a picture is the same box in the mirrored picture.
# What happens: the picture's pixels are mirrored, the box is mirrored as if its ends were the centres of pixels: x becomes
# width - 1 - x, where the edge of a pixel is at width - x. A white rectangle from 10 to 30 of 60 is at 30 to 50 in the
# flipped picture, its box at 29 to 49. A box round the whole picture begins at -1 and leaves the last column out. Two flips
# undo each other, so that a round trip does not show it. A quarter turn is a pixel off, too, and then the IoU of an 8 pixel
# box with its object is 0.78. Resized to the double, the box is up to 0.6 pixels too large.
# Versions: kornia 0.9.0, torch 2.13.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check kornia==0.9.0 torch==2.13.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - <<'PYTHON'
import sys

import kornia.augmentation as augment
import torch


def moved(name, transform, box):
    picture = torch.zeros(1, 1, 40, 60)
    picture[..., box[1] : box[3], box[0] : box[2]] = 1
    both = augment.AugmentationSequential(transform, data_keys=["input", "bbox_xyxy"])
    out, boxes = both(picture, torch.tensor([[box]], dtype=torch.float32))
    white = torch.nonzero(out[0, 0] > 0.5)
    seen = [*white.min(0).values.flip(0).tolist(), *(white.max(0).values.flip(0) + 1).tolist()]
    found = [round(value, 1) for value in boxes.flatten().tolist()]
    print(f"{name} of {box}: the white pixels are at {seen}, the box is {found}")
    return seen, found


box, whole = [10, 5, 30, 25], [0, 0, 60, 40]
flip = augment.RandomHorizontalFlip(p=1)
holds = moved("flip", flip, box) == ([30, 5, 50, 25], [29, 5, 49, 25])
holds &= moved("flip", flip, whole) == ([0, 0, 60, 40], [-1, 0, 59, 40])
holds &= moved("flip upside down", augment.RandomVerticalFlip(p=1), box) == ([10, 15, 30, 35], [10, 14, 30, 34])
holds &= moved("quarter turn", augment.RandomRotation((90.0, 90.0), p=1), box) == ([15, 20, 35, 40], [15, 19, 35, 39])
holds &= moved("twice the size", augment.Resize((80, 120)), box) == ([20, 10, 60, 50], [20.2, 10.1, 60.5, 50.6])
sys.exit(not holds)
PYTHON
