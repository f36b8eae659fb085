#!/bin/bash
# imageio gives the negative of one TIFF and colour numbers for another, where it reads the same pictures well as PNG.
#
# One would guess: imread gives what is to be seen, as it does for a PNG with a palette, whatever way a file stores it. That
# holds for Pillow and OpenCV.
# What happens: a grey TIFF that counts from white (as fax machines and some scanners write it) comes back as its negative, and
# a TIFF with a palette as the numbers of its colours, in the shape of a grey picture. scikit-image, which asks imageio, does
# so too. Nothing warns. With plugin="pillow" imageio reads both as they look.
# Versions: imageio 2.38.1, tifffile 2026.3.3, scikit-image 0.26.0, opencv-python-headless 5.0.0.93, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check imageio==2.38.1 tifffile==2026.3.3 scikit-image==0.26.0 opencv-python-headless==5.0.0.93 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - <<'PYTHON'
import sys

import cv2
import imageio.v3 as imageio
import numpy as np
import skimage.io
from PIL import Image

grey = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (48, 1))
Image.fromarray(grey).save("from_white.tif", tiffinfo={262: 0})
Image.fromarray(grey).save("from_white.png")
colours = np.zeros((48, 64, 3), np.uint8)
colours[:, :32], colours[:, 32:] = (200, 40, 30), (30, 60, 210)
Image.fromarray(colours).quantize(2).save("palette.tif")
Image.fromarray(colours).quantize(2).save("palette.png")
PATHS = ("from_white.tif", "from_white.png", "palette.tif", "palette.png")
looks = {"from_white": grey, "palette": colours}

readers = {
    "Pillow": lambda path: np.asarray(Image.open(path).convert("RGB" if "palette" in path else "L")),
    "OpenCV": lambda path: cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB if "palette" in path else cv2.COLOR_BGR2GRAY),
    "imageio, plugin pillow": lambda path: imageio.imread(path, plugin="pillow"),
    "imageio": imageio.imread,
    "scikit-image": skimage.io.imread,
}


def verdict(pixels, expected):
    if np.array_equal(pixels, expected):
        return "right"
    if np.array_equal(255 - pixels.astype(int), expected):
        return "negative"
    return "numbers of the colours" if pixels.shape == expected.shape[:2] and pixels.max() <= 1 else "something else"


holds = True
for reader, read in readers.items():
    seen = {path: verdict(read(path), looks[path.split(".")[0]]) for path in PATHS}
    print(f"{reader}: {seen}")
    raw = reader in ("imageio", "scikit-image")
    holds &= list(seen.values()) == (["negative", "right", "numbers of the colours", "right"] if raw else ["right"] * 4)
sys.exit(not holds)
PYTHON
