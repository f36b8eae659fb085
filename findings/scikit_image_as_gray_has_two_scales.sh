#!/bin/bash
# With as_gray scikit-image reads colour pictures from 0 to 1 and grey ones from 0 to 255.
#
# One would guess: as_gray makes a mixed folder uniform, as PIL's convert("L") and OpenCV's IMREAD_GRAYSCALE do: one type, one
# scale, whether the file was saved in colour or in grey.
# What happens: colour is turned into floats from 0 to 1, a grey file is handed out as it is: bytes from 0 to 255, or 0 to 65535
# for 16 bits. Two files of the very same look differ by the factor 255; a mean or a threshold over the folder means nothing.
# Versions: scikit-image 0.26.0, imageio 2.38.1, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check scikit-image==0.26.0 imageio==2.38.1 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - <<'PYTHON'
import sys

import numpy as np
import skimage.io
from PIL import Image

ramp = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
Image.fromarray(ramp).save("grey.png")
Image.fromarray(np.dstack([ramp, ramp, ramp])).save("colour.png")
Image.fromarray(ramp.astype(np.uint16) * 257).save("grey16.png")

seen = {}
for name in ("colour", "grey", "grey16"):
    pixels = skimage.io.imread(f"{name}.png", as_gray=True)
    seen[name] = (str(pixels.dtype), round(float(pixels.max()), 6))
    print(f"{name}.png with as_gray: {seen[name][0]}, white is {seen[name][1]:g}")
sys.exit(seen != {"colour": ("float64", 1.0), "grey": ("uint8", 255.0), "grey16": ("uint16", 65535.0)})
PYTHON
