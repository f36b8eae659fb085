#!/bin/bash
# OpenCV darkens a TIFF by its alpha channel, and leaves a PNG of the same pixels alone.
#
# One would guess: with the default flags imread drops the alpha channel, whatever the format, so that the RGBA picture (200,
# 100, 50) of a quarter opacity comes out as (200, 100, 50). With IMREAD_UNCHANGED its four numbers come out as they are in the
# file.
# What happens: so it does for PNG and WebP. In a TIFF whose alpha is of the "unassociated" kind (the usual one: colours are not
# multiplied yet), OpenCV multiplies the colours by the alpha: (50, 25, 13), and black where the picture is transparent. Asked
# for the colours alone it drops the alpha behind that, so that nothing shows why the picture is dark; IMREAD_UNCHANGED gives
# the darkened colours too, with the alpha. Pillow and tifffile give what is stored. A folder of cut-out objects, part PNG, part
# TIFF, holds two kinds of picture for the one network.
# Versions: opencv-python-headless 5.0.0.93, pillow 13.0.0, tifffile 2026.3.3, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check opencv-python-headless==5.0.0.93 pillow==13.0.0 tifffile==2026.3.3 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import cv2
import numpy as np
import tifffile
from PIL import Image

stored = np.empty((8, 8, 4), np.uint8)
stored[:] = 200, 100, 50, 64
tifffile.imwrite("object.tif", stored, photometric="rgb", extrasamples=["unassalpha"])
Image.fromarray(stored).save("object.png")
Image.fromarray(stored).save("object.webp", lossless=True)


def seen(name):
    colour, unchanged = cv2.imread(name), cv2.imread(name, cv2.IMREAD_UNCHANGED)
    found = colour[0, 0, ::-1].tolist(), cv2.cvtColor(unchanged, cv2.COLOR_BGRA2RGBA)[0, 0].tolist()
    pillow = list(Image.open(name).getpixel((0, 0)))
    print(f"{name}: OpenCV {found[0]}, unchanged {found[1]}; Pillow {pillow}")
    return *found, pillow


kept = ([200, 100, 50], [200, 100, 50, 64], [200, 100, 50, 64])
holds = seen("object.png") == kept and seen("object.webp") == kept
holds &= seen("object.tif") == ([50, 25, 13], [50, 25, 13, 64], kept[2])
holds &= tifffile.imread("object.tif")[0, 0].tolist() == kept[2]
sys.exit(not holds)
PYTHON
