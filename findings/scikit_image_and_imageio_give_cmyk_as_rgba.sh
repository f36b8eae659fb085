#!/bin/bash
# scikit-image and imageio hand out a CMYK JPEG as if it was RGBA.
#
# One would guess: a colour JPEG of a printer or a stock agency comes out in RGB, as OpenCV and TensorFlow give it, or an error
# says that it is CMYK.
# What happens: the four inks come out as four channels, in the shape and type of an RGBA picture, which is how code that looks
# at the number of channels takes it. A red JPEG is (0, 255, 255, 0): its first three channels are cyan, and rgba2rgb, which
# takes the absence of black ink for transparency, makes it white. mode="RGB" of imageio converts.
# Versions: scikit-image 0.26.0, imageio 2.38.1, opencv-python-headless 5.0.0.93, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check scikit-image==0.26.0 imageio==2.38.1 opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import cv2
import imageio.v3 as imageio
import skimage.color
import skimage.io
from PIL import Image

Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save("red.jpg", quality=95)
pixels = skimage.io.imread("red.jpg")
blended = (skimage.color.rgba2rgb(pixels)[8, 8] * 255).round().astype(int).tolist()
found = {
    "scikit-image": pixels[8, 8].tolist(),
    "imageio": imageio.imread("red.jpg")[8, 8].tolist(),
    'imageio, mode="RGB"': imageio.imread("red.jpg", mode="RGB")[8, 8].tolist(),
    "OpenCV": cv2.imread("red.jpg")[8, 8, ::-1].tolist(),
}
print(f"red.jpg: {found}; scikit-image's rgba2rgb of it: {blended}")
inks = [0, 255, 255, 0]
red = all(found[reader][0] > 250 and max(found[reader][1:]) < 5 for reader in ('imageio, mode="RGB"', "OpenCV"))
sys.exit(not (found["scikit-image"] == found["imageio"] == inks and red and blended == [255, 255, 255]))
PYTHON
