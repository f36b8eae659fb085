#!/bin/bash
# Keras reduces a picture in one way for training and in another for a prediction.
#
# One would guess: image_dataset_from_directory(image_size=(64, 64)) and load_img(path, target_size=(64, 64)) give a model the
# same pixels, since the one reads the training set and the other, in Keras's own examples, the picture to be classified.
# What happens: the first interpolates between four neighbours, the second takes the nearest pixel; and load_img with
# interpolation="bilinear" averages all that a new pixel covers, which the first never does. A fine check of black and white,
# reduced to a quarter, is grey in training and black in the prediction. Of noise 1000 pixels wide, reduced to 64, the spread
# is 49 in training, 74 with load_img and 3 with load_img's bilinear: the first two are aliased, the last is smooth, as other
# programs' thumbnails are. No setting of load_img gives the training's pixels.
# Versions: keras 3.15.1, tensorflow-cpu 2.21.0, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check keras==3.15.1 tensorflow-cpu==2.21.0 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys
from pathlib import Path

import keras
import numpy as np
from PIL import Image


def ways(name, pixels):
    folder = Path(name, "class")
    folder.mkdir(parents=True)
    Image.fromarray(np.repeat(pixels[..., None], 3, 2)).save(folder / "0.png")
    train = keras.utils.image_dataset_from_directory(name, image_size=(64, 64), labels=None, verbose=False)
    found = {"training": next(iter(train)).numpy()[0]}
    for way in ("nearest", "bilinear", "bicubic", "lanczos"):
        found[way] = np.asarray(keras.utils.load_img(folder / "0.png", target_size=(64, 64), interpolation=way), np.float32)
    for way, reduced in found.items():
        off = np.abs(reduced - found["training"]).mean()
        print(f"{name}, {way}: mean {reduced.mean():.0f}, spread {reduced.std():.0f}, {off:.0f} off from training")
    return found


check = ((np.indices((256, 256)).sum(0) % 2) * 255).astype(np.uint8)
noise = np.random.default_rng(0).integers(0, 256, (1000, 1000), dtype=np.uint8)
checked, noisy = ways("check", check), ways("noise", noise)
holds = checked["training"].mean() == 127.5 and checked["nearest"].max() == 0
holds &= noisy["nearest"].std() > 60 and noisy["training"].std() > 30 and noisy["bilinear"].std() < 10
holds &= all(np.abs(noisy[way] - noisy["training"]).mean() > 20 for way in noisy if way != "training")
sys.exit(not holds)
PYTHON
