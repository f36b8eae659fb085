#!/bin/bash
# imageio and scikit-image read a 16-bit colour PNG as 8 bits, and a 16-bit grey one as 16.
#
# One would guess: a 16-bit PNG gives 16-bit numbers, in colour as in grey and as a 16-bit colour TIFF does.
# What happens: the colour PNG comes out as uint8, the lower half of each value cut off, without a warning, because Pillow reads
# it for them. Three shades that differ by up to 255 steps are one. Code that divides by 65535 gets a picture 257 times too dark
# from the colour files of a folder and a right one from the grey. OpenCV with IMREAD_UNCHANGED gives all 16 bits of each.
# Versions: imageio 2.38.1, scikit-image 0.26.0, tifffile 2026.3.3, opencv-python-headless 5.0.0.93, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check imageio==2.38.1 scikit-image==0.26.0 tifffile==2026.3.3 opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import cv2
import imageio.v3 as imageio
import numpy as np
import skimage.io
import tifffile

grey = np.tile(np.array([0x1200, 0x1280, 0x12FF], np.uint16), (8, 8))
colour = np.dstack([grey] * 3)
files = {"grey.png": grey, "colour.png": colour, "colour.tif": colour}
for name in ("grey.png", "colour.png"):
    cv2.imwrite(name, files[name])
tifffile.imwrite("colour.tif", colour, photometric="rgb")

holds = True
for name, pixels in files.items():
    found = {}
    for reader, read in (("imageio", imageio.imread), ("scikit-image", skimage.io.imread)):
        values = read(name)
        found[reader] = values.dtype.name, np.unique(values).tolist()
    kept = np.array_equal(cv2.imread(name, cv2.IMREAD_UNCHANGED), pixels)
    print(f"{name}: {found}, OpenCV unchanged {'has' if kept else 'has not'} all bits")
    expected = ("uint8", [0x12]) if name == "colour.png" else ("uint16", [0x1200, 0x1280, 0x12FF])
    holds &= kept and all(values == expected for values in found.values())
sys.exit(not holds)
PYTHON
