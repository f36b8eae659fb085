#!/bin/bash
# OpenCV and Pillow make the most negative values of some TIFFs the brightest ones.
#
# One would guess: a TIFF with signed numbers (heights, X-ray densities, differences) is read with its signs, or turned into 8
# bits so that what is less stays less, or refused.
# What happens: with its default flags OpenCV reads signed 16 bits as if they were unsigned and keeps the upper half: -1 is
# 255 and -1000 is 252, white, while 0 to 255 are 0, black. A dark valley with a sea of 0 around it is a white one. With
# IMREAD_UNCHANGED the signs are there. Pillow keeps the signs of 16 bits (mode "I") and loses those of 8: -5 is 251, in mode
# "L". tifffile reads each as it is. None of them warns.
# Versions: opencv-python-headless 5.0.0.93, pillow 13.0.0, tifffile 2026.3.3, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check opencv-python-headless==5.0.0.93 pillow==13.0.0 tifffile==2026.3.3 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - <<'PYTHON'
import sys

import cv2
import numpy as np
import tifffile
from PIL import Image


def read(name, values, kind):
    tifffile.imwrite(name, np.tile(np.array(values, kind), (8, 1)))
    pillow = Image.open(name)
    found = {
        "tifffile": tifffile.imread(name)[0].tolist(),
        "OpenCV, default": cv2.imread(name)[0, :, 0].tolist(),
        "OpenCV, unchanged": cv2.imread(name, cv2.IMREAD_UNCHANGED)[0].tolist(),
        f"Pillow, {pillow.mode}": np.asarray(pillow)[0].tolist(),
    }
    print(f"{np.dtype(kind)} {values}")
    for reader, numbers in found.items():
        print(f"  {reader}: {numbers}")
    return found


deep, shallow = [-1000, -100, -1, 0, 100, 1000], [-128, -5, -1, 0, 5, 100]
wide = read("int16.tif", deep, np.int16)
narrow = read("int8.tif", shallow, np.int8)
holds = wide["OpenCV, default"] == [252, 255, 255, 0, 0, 3] and wide["OpenCV, unchanged"] == deep
holds &= wide["Pillow, I"] == deep and narrow["Pillow, L"] == [128, 251, 255, 0, 5, 100]
holds &= narrow["OpenCV, unchanged"] == shallow and wide["tifffile"] == deep and narrow["tifffile"] == shallow
sys.exit(not holds)
PYTHON
