#!/bin/bash
# Lossless WebP of Pillow and OpenCV is lossy where a picture is transparent.
#
# One would guess: a PNG saved as lossless WebP has the very same pixels, all four channels, so that a data set turned from PNG
# to WebP trains the same.
# What happens: the colours under wholly transparent pixels are thrown away (black in their place). Whoever then drops the alpha
# channel, as convert("RGB") and most loaders do, sees another picture than from the PNG, TIFF or lossless JPEG 2000.
# imagecodecs, which writes with the same library, keeps them; Pillow does with exact=True.
# Versions: pillow 13.0.0, opencv-python-headless 5.0.0.93, imagecodecs 2026.3.6, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pillow==13.0.0 opencv-python-headless==5.0.0.93 imagecodecs==2026.3.6 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - <<'PYTHON'
import sys

import cv2
import imagecodecs
import numpy as np
from PIL import Image

pixels = np.random.default_rng(0).integers(1, 256, (20, 20, 4), dtype=np.uint8)
pixels[:10, :, 3], pixels[10:, :, 3] = 255, 0
picture = Image.fromarray(pixels)
picture.save("pillow.png")
picture.save("pillow.tif")
picture.save("pillow.jp2", irreversible=False)
picture.save("pillow.webp", lossless=True)
picture.save("pillow_exact.webp", lossless=True, exact=True)
cv2.imwrite("opencv.webp", cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA), [cv2.IMWRITE_WEBP_QUALITY, 101])
with open("imagecodecs.webp", "wb") as file:
    file.write(imagecodecs.webp_encode(pixels, lossless=True))

kept = {}
for name in ("pillow.png", "pillow.tif", "pillow.jp2", "imagecodecs.webp", "pillow_exact.webp", "pillow.webp", "opencv.webp"):
    read = np.asarray(Image.open(name))
    opaque, hidden = np.array_equal(read[:10], pixels[:10]), np.array_equal(read[10:], pixels[10:])
    colour = np.asarray(Image.open(name).convert("RGB"))[10:]
    kept[name] = hidden if opaque else None
    print(f"{name}: opaque half kept {opaque}, transparent half kept {hidden}, its mean as RGB {colour.mean():.0f}")
sys.exit([name for name, hidden in kept.items() if hidden is not True] != ["pillow.webp", "opencv.webp"] or None in kept.values())
PYTHON
