#!/bin/bash
# TensorFlow's steps for pictures do another thing, or nothing, behind a resize than before it.
#
# One would guess: convert_image_dtype(picture, tf.float32) makes 0 to 1 of 0 to 255, adjust_brightness(picture, 0.2) brightens
# by a fifth of white and adjust_jpeg_quality adds the traces of a JPEG, wherever they stand among the steps of a pipeline.
# What happens: they take the scale from the type. tf.image.resize turns uint8 into floats that still go from 0 to 255, and for
# floats white is 1. Behind it convert_image_dtype does nothing, so that a network gets 200 where it got 0.78; the brightness
# rises by 0.2 of 255, an augmentation that changes nothing; adjust_jpeg_quality cuts every picture to 1, an even white. No
# error, no warning, and all three are right with the resize as the last step.
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

photo = np.full((8, 8, 3), 100, np.uint8)
photo[4:] = 200
steps = {
    "convert_image_dtype": lambda picture: tf.image.convert_image_dtype(picture, tf.float32),
    "adjust_brightness by 0.2": lambda picture: tf.image.adjust_brightness(picture, 0.2),
    "adjust_jpeg_quality of 90": lambda picture: tf.image.adjust_jpeg_quality(picture, 90),
}
expected = {
    "convert_image_dtype": ([0.39, 0.78], [100, 200]),
    "adjust_brightness by 0.2": ([151, 251], [100.2, 200.2]),
    "adjust_jpeg_quality of 90": ([100, 200], [1, 1]),
}


def ends(picture):
    return [round(float(value), 2) for value in (picture[0, 0, 0], picture[-1, -1, 0])]


holds = True
for name, step in steps.items():
    before, behind = ends(tf.image.resize(step(photo), (4, 4))), ends(step(tf.image.resize(photo, (4, 4))))
    print(f"{name}, of 100 and 200: {before} before the resize, {behind} behind it")
    near = [np.allclose(found, values, atol=1.5 if "jpeg" in name else 0.1) for found, values in zip((before, behind), expected[name])]
    holds &= all(near)
sys.exit(not holds)
PYTHON
