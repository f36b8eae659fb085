#!/bin/bash
# MONAI reads PNG and JPEG mirrored along the diagonal.
#
# One would guess: LoadImage gives a picture of 30 by 20 pixels as 20 rows of 30, as Pillow, OpenCV, imageio and torchvision
# do and as networks that were trained on such pictures want it.
# What happens: it gives 30 rows of 20: rows and columns change places, also with ensure_channel_first, and a pixel in the top
# row is in the left column. That is a mirror image besides a quarter turn. A set of square pictures (chest films of 224 by
# 224) shows it in no shape; a network that was trained elsewhere sees each picture lying on its side, boxes and points read
# by another program have x and y exchanged, and one that was trained with MONAI and is served without it gets upright ones.
# PILReader(reverse_indexing=False) reads as one would guess.
# Versions: monai 1.6.1, torch 2.13.0, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check monai==1.6.1 torch==2.13.0 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - <<'PYTHON'
import sys

import numpy as np
from monai.data import PILReader
from monai.transforms import LoadImage
from PIL import Image


def white(array):
    """Where the one white pixel is."""
    return tuple(int(place) for place in np.argwhere(np.squeeze(np.asarray(array)) > 0)[0][:2])


def read(name, shape, **options):
    pixels = np.zeros(shape, np.uint8)
    pixels[0, 5] = 255
    Image.fromarray(pixels).save(name)
    array = LoadImage(image_only=True, **options)(name)
    print(f"{name} {shape}, white at row 0, column 5: {tuple(array.shape)}, white at {white(array)} {list(options) or ''}")
    return tuple(array.shape), white(array)


holds = read("colour.png", (20, 30, 3)) == ((30, 20, 3), (5, 0))
holds &= read("grey.png", (20, 20)) == ((20, 20), (5, 0))
holds &= read("grey.png", (20, 20), ensure_channel_first=True) == ((1, 20, 20), (5, 0))
holds &= read("grey.png", (20, 30), reader=PILReader(reverse_indexing=False)) == ((20, 30), (0, 5))
sys.exit(not holds)
PYTHON
