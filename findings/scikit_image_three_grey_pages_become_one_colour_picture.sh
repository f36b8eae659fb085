#!/bin/bash
# Three grey pages are one colour picture to scikit-image; two or five pages are a stack.
#
# One would guess: the number of pages of a grey TIFF does not change the order of the axes, so three pages of 20x30 give
# (3, 20, 30), as two pages give (2, 20, 30).
# What happens: skimage.io.imread moves the first axis to the end wherever it is 3 or 4 long, so three pages come back as a
# 20x30 RGB picture and four as RGBA. It does so to any picture: a 4 pixels high grey-and-alpha PNG has its axes mixed up as
# well, and one that is 5 pixels high has not. imageio, which does the reading for it, gives the pages as they are.
# Versions: scikit-image 0.26.0, imageio 2.38.1, tifffile 2026.3.3, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check scikit-image==0.26.0 imageio==2.38.1 tifffile==2026.3.3 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - <<'PYTHON'
import sys

import imageio.v3 as imageio
import skimage.io
from PIL import Image

holds = True
for count, expected in {2: (2, 20, 30), 3: (20, 30, 3), 4: (20, 30, 4), 5: (5, 20, 30)}.items():
    pages = [Image.new("L", (30, 20), 10 * page) for page in range(count)]
    pages[0].save("pages.tif", save_all=True, append_images=pages[1:])
    shape, plain = skimage.io.imread("pages.tif").shape, imageio.imread("pages.tif").shape
    print(f"{count} grey pages of 20x30: scikit-image {shape}, imageio {plain}")
    holds &= shape == expected and plain == (count, 20, 30)
for height, expected in {4: (7, 2, 4), 5: (5, 7, 2)}.items():
    Image.new("LA", (7, height), (90, 255)).save("grey_alpha.png")
    shape = skimage.io.imread("grey_alpha.png").shape
    print(f"grey and alpha PNG, {height} high and 7 wide: scikit-image {shape}")
    holds &= shape == expected
sys.exit(not holds)
PYTHON
