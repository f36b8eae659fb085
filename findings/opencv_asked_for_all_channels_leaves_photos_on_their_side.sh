#!/bin/bash
# OpenCV leaves a sideways photo on its side if it is asked for the alpha channel or for 16 bits.
#
# One would guess: IMREAD_UNCHANGED keeps the number of channels and bits, and the photo stands upright as it does with every
# other flag; there is a flag of its own, IMREAD_IGNORE_ORIENTATION, for the pixels as stored.
# What happens: IMREAD_UNCHANGED leaves the EXIF orientation alone as well. A folder that is read with it for the sake of its
# PNGs has its phone photos with width and height exchanged, off their boxes and off what other parts of the same program read
# with the default flag. So it is for JPEG, PNG and WebP. IMREAD_ANYCOLOR | IMREAD_ANYDEPTH gives them upright. No warning.
# Versions: opencv-python-headless 5.0.0.93, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import cv2
from PIL import Image

exif = Image.Exif()
exif[0x0112] = 6
flags = {
    "the default": cv2.IMREAD_COLOR,
    "IMREAD_GRAYSCALE": cv2.IMREAD_GRAYSCALE,
    "IMREAD_ANYCOLOR | IMREAD_ANYDEPTH": cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH,
    "IMREAD_UNCHANGED": cv2.IMREAD_UNCHANGED,
}
holds = True
for path in ("photo.jpg", "photo.png", "photo.webp"):
    Image.new("RGB", (60, 40), "red").save(path, exif=exif)
    found = {name: cv2.imread(path, flag).shape[:2] for name, flag in flags.items()}
    print(f"{path}, upright it has 60 rows of 40: {found}")
    holds &= found.pop("IMREAD_UNCHANGED") == (40, 60) and set(found.values()) == {(60, 40)}
sys.exit(not holds)
PYTHON
