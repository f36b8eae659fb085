#!/bin/bash
# The mid-grey of a 12-bit PGM is white in Pillow, almost black in OpenCV, and has two values in between.
#
# One would guess: a PGM states its white in the header (4095 for a 12-bit camera), so grey 2048 is half of white for each
# reader, or stays 2048 for each.
# What happens: Pillow stretches the values to 65535 (32776 here, mode "I"), and imageio and scikit-image with it; convert("L")
# then cuts that down to 255, which is white. OpenCV keeps 2048 with IMREAD_UNCHANGED, and with its default flags divides by 256
# although white is 4095: 8 of 255, almost black. It is no matter of 16 bits alone: with a white of 100, a 50 is 128 to Pillow
# and 50 to OpenCV, so the same mask or picture has other values in each. None of them warns.
# Versions: pillow 13.0.0, opencv-python-headless 5.0.0.93, imageio 2.38.1, scikit-image 0.26.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pillow==13.0.0 opencv-python-headless==5.0.0.93 imageio==2.38.1 scikit-image==0.26.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import cv2
import imageio.v3 as imageio
import numpy as np
import skimage.io
from PIL import Image


def seen(white, grey):
    pixels = np.full((4, 4), grey, ">u2" if white > 255 else "u1")
    with open("grey.pgm", "wb") as file:
        file.write(f"P5\n4 4\n{white}\n".encode() + pixels.tobytes())
    picture = Image.open("grey.pgm")
    values = {
        "Pillow": picture.getpixel((0, 0)),
        'Pillow, convert("L")': picture.convert("L").getpixel((0, 0)),
        "imageio": int(imageio.imread("grey.pgm")[0, 0]),
        "scikit-image": int(skimage.io.imread("grey.pgm")[0, 0]),
        "OpenCV": int(cv2.imread("grey.pgm")[0, 0, 0]),
        "OpenCV, unchanged": int(cv2.imread("grey.pgm", cv2.IMREAD_UNCHANGED)[0, 0]),
    }
    print(f"white {white}, grey {grey}: " + ", ".join(f"{reader} {value}" for reader, value in values.items()))
    return list(values.values())


holds = seen(255, 128) == [128] * 6
holds &= seen(4095, 2048) == [32776, 255, 32776, 32776, 8, 2048]
holds &= seen(100, 50) == [128, 128, 128, 128, 50, 50]
sys.exit(not holds)
PYTHON
