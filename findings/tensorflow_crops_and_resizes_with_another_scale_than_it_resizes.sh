#!/bin/bash
# TensorFlow's crop_and_resize of a whole picture is not its resize.
#
# One would guess: crop_and_resize with the box [0, 0, 1, 1] gives what tf.image.resize gives, and a box of the left half what
# resizing the left half gives; boxes relative to a picture's size are what the Object Detection API and TFRecords of it hold.
# What happens: crop_and_resize takes 0 and 1 for the centres of the first and the last pixel, not for the picture's edges,
# and puts the outermost new pixels onto the ends of the box. A ramp from 0 to 7, reduced to four, is 0, 2.33, 4.67, 7 where
# resize gives 0.5, 2.5, 4.5, 6.5. The left half of eight pixels, to four, is 0, 1.17, 2.33, 3.5 where the pixels are 0, 1, 2,
# 3: a crop of an object reaches up to half a pixel into its neighbours, which matters the more the smaller the object is. A
# picture that is only copied, from 8 to 8 pixels, hides it: with [0, 0, 1, 1] it is exact.
# Versions: tensorflow-cpu 2.21.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check tensorflow-cpu==2.21.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import numpy as np
import tensorflow as tf

ramp = np.tile(np.arange(8, dtype=np.float32)[None, None, :, None], (1, 8, 1, 1))


def compare(name, box, width):
    top, left, bottom, right = (round(8 * side) for side in box)
    cropped = tf.image.crop_and_resize(ramp, [box], [0], (8, width))[0, 0, :, 0]
    resized = tf.image.resize(ramp[:, top:bottom, left:right], (8, width))[0, 0, :, 0]
    cropped, resized = ([round(float(number), 2) for number in pixels] for pixels in (cropped, resized))
    print(f"{name} to {width} pixels: crop_and_resize {cropped}, cut and resize {resized}")
    return cropped, resized


third = [0.0, 2.33, 4.67, 7.0]
holds = compare("the whole, 0 to 7,", [0.0, 0.0, 1.0, 1.0], 4) == (third, [0.5, 2.5, 4.5, 6.5])
holds &= compare("the left half, 0 to 3,", [0.0, 0.0, 1.0, 0.5], 4) == ([0.0, 1.17, 2.33, 3.5], [0.0, 1.0, 2.0, 3.0])
copied = compare("the whole, 0 to 7,", [0.0, 0.0, 1.0, 1.0], 8)
holds &= copied[0] == copied[1] == list(range(8))
sys.exit(not holds)
PYTHON
