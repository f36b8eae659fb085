#!/bin/bash
# TensorFlow gives the index numbers of a palette BMP for its colours.
#
# One would guess: a BMP of up to 256 colours comes out in its colours, as a palette PNG or GIF does, or an error says that
# palettes are not supported.
# What happens: tf.io.decode_bmp and decode_image do not read the palette. A red picture, colour number 1, is (1, 1, 1), which
# is black to the eye, and with channels=3 just as well; without it the picture has one channel. A photo in 256 colours becomes
# noise of the right size, and trains without an error. Pillow and OpenCV give red.
# Versions: tensorflow-cpu 2.21.0, pillow 13.0.0, opencv-python-headless 5.0.0.93, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check tensorflow-cpu==2.21.0 pillow==13.0.0 opencv-python-headless==5.0.0.93 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import cv2
import tensorflow as tf
from PIL import Image

picture = Image.new("P", (16, 16), 1)
picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])


def seen(name, **options):
    picture.save(name)
    with open(name, "rb") as file:
        pixels = tf.io.decode_image(file.read(), **options).numpy()
    found = pixels[0, 0].tolist(), cv2.imread(name)[0, 0, ::-1].tolist(), list(Image.open(name).convert("RGB").getpixel((0, 0)))
    print(f"{name} {options or ''}: TensorFlow {found[0]}, OpenCV {found[1]}, Pillow {found[2]}")
    return found


red = [255, 0, 0]
holds = seen("red.png") == (red, red, red)
holds &= seen("red.bmp") == ([1], red, red) and seen("red.bmp", channels=3) == ([1, 1, 1], red, red)
sys.exit(not holds)
PYTHON
