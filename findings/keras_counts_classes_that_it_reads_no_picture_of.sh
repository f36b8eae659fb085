#!/bin/bash
# Keras gives a class number to a folder of WebP or TIFF pictures and reads none of them.
#
# One would guess: image_dataset_from_directory reads WebP and TIFF (tf.io.decode_image reads WebP), or warns about files that
# it leaves out; a class of which nothing can be read is an error.
# What happens: only .bmp, .gif, .jpeg, .jpg and .png are looked at, all else is skipped without a word. A class folder with
# WebP pictures keeps its name and number, so that the network gets an output that is never trained: "Found 2 files belonging to
# 4 classes". In a class that is part JPEG, part WebP, the part is missing in silence.
# Versions: keras 3.15.1, tensorflow-cpu 2.21.0, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check keras==3.15.1 tensorflow-cpu==2.21.0 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import os
import sys

import keras
import tensorflow as tf
from PIL import Image

for label, extensions in {"cat": ["jpg", "webp"], "dog": ["webp"], "eel": ["tif"], "hen": ["png"]}.items():
    os.makedirs(f"pets/{label}")
    for number, extension in enumerate(extensions):
        Image.new("RGB", (8, 8), (90, 120, 60)).save(f"pets/{label}/{number}.{extension}")

pictures = keras.utils.image_dataset_from_directory("pets", image_size=(8, 8), shuffle=False, batch_size=1, verbose=False)
labels = [label for _, batch in pictures for label in batch.numpy().tolist()]
with open("pets/dog/0.webp", "rb") as file:
    webp = tf.io.decode_image(file.read()).shape.as_list()[-3:]
print(f"classes {pictures.class_names}; numbers of the pictures that are read {labels}; decode_image of the WebP {webp}")
sys.exit(not (pictures.class_names == ["cat", "dog", "eel", "hen"] and labels == [0, 3] and webp == [8, 8, 3]))
PYTHON
