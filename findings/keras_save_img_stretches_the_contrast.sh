#!/bin/bash
# Keras saves a picture with another contrast than it has.
#
# One would guess: save_img writes the pixels that it gets, so that load_img gives them back; at least for uint8 pixels from 0
# to 255.
# What happens: save_img (and array_to_img) stretches the values of each picture to 0 to 255 by default. A night photo from 10
# to 60 becomes one of full contrast, an even grey one becomes black, and two crops of one photo get two exposures. An augmented
# data set that is written with it is another one. With scale=False the pixels are kept.
# Versions: keras 3.15.1, tensorflow-cpu 2.21.0, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check keras==3.15.1 tensorflow-cpu==2.21.0 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import keras
import numpy as np
from PIL import Image


def saved(name, pixels, **options):
    keras.utils.save_img("saved.png", pixels, **options)
    back = np.asarray(Image.open("saved.png"))
    found = int(back.min()), int(back.max())
    print(f"{name} {pixels.dtype} {options or ''}: {pixels.min():g} to {pixels.max():g} saved as {found[0]} to {found[1]}")
    return found


night = np.tile(np.linspace(10, 60, 64).astype(np.uint8)[:, None], (64, 1, 3))
even = np.full((64, 64, 3), 128, np.uint8)
holds = saved("night photo", night) == (0, 255) and saved("night photo", night.astype(np.float32)) == (0, 255)
holds &= saved("even grey", even) == (0, 0)
holds &= saved("night photo", night, scale=False) == (10, 60) and saved("even grey", even, scale=False) == (128, 128)
sys.exit(not holds)
PYTHON
