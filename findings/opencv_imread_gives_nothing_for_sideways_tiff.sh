#!/bin/bash
# OpenCV's imread gives nothing for a TIFF that lies on its side, while imdecode reads the same bytes.
#
# One would guess: imread and imdecode agree, and IMREAD_IGNORE_ORIENTATION gives the pixels as stored.
# What happens: with orientation 5 to 8 (width and height change places) imread returns None, whatever the flags. imdecode of
# the same bytes works and turns the picture upright. With 2 to 4 imread works, but mirrors or turns the TIFF even when told
# to ignore the orientation. A JPEG behaves as one would guess in all eight cases.
# Versions: opencv-python-headless 5.0.0.93 (the same was seen with 4.12.0), pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

OPENCV_LOG_LEVEL=SILENT venv/bin/python - <<'PYTHON'
import sys

import cv2
import numpy as np
from PIL import Image, ImageOps

stored = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
AS_STORED = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def shape(pixels):
    return "nothing" if pixels is None else f"{pixels.shape[1]}x{pixels.shape[0]}"


holds = True
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(stored).save("a.tif", exif=exif)
    Image.fromarray(stored).save("a.jpg", exif=exif)
    Image.fromarray(stored).save("a.png", exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open("a.png")))
    read, ignored = cv2.imread("a.tif", cv2.IMREAD_COLOR), cv2.imread("a.tif", AS_STORED)
    decoded = cv2.imdecode(np.fromfile("a.tif", np.uint8), cv2.IMREAD_COLOR)
    unchanged = ignored is not None and np.array_equal(ignored[..., ::-1], stored)
    jpeg, jpeg_ignored = cv2.imread("a.jpg", cv2.IMREAD_COLOR), cv2.imread("a.jpg", AS_STORED)
    print(f"orientation {orientation}: TIFF imread {shape(read)}, imdecode {shape(decoded)}, told to ignore it {shape(ignored)}"
          f" (as stored: {unchanged}); JPEG imread {shape(jpeg)}, told to ignore it {shape(jpeg_ignored)}")
    sideways = orientation >= 5
    holds &= (read is None) == sideways and (ignored is None) == sideways and unchanged == (orientation == 1)
    holds &= shape(decoded) == shape(jpeg) == ("40x60" if sideways else "60x40") and np.array_equal(decoded[..., ::-1], upright)
    plain_jpeg = jpeg if orientation == 1 else plain_jpeg
    holds &= np.array_equal(jpeg_ignored, plain_jpeg)
sys.exit(not holds)
PYTHON
