#!/bin/bash
# Pillow turns a 16-bit grey picture white, though it reads the same picture in 16-bit colour well.
#
# One would guess: making 8 bits of 16 scales the values, as Pillow does for a 16-bit RGB PNG and OpenCV for both.
# What happens: for a grey one, convert("L") and convert("RGB") cut every value above 255 down to 255, without a warning. A
# ramp from black to white comes out white in more than 99 pixels of 100, while the same ramp saved as RGB comes out right.
# Versions: pillow 13.0.0, opencv-python-headless 5.0.0.93, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pillow==13.0.0 opencv-python-headless==5.0.0.93 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python -W error - <<'PYTHON'
import sys

import cv2
import numpy as np
from PIL import Image

ramp = np.linspace(0, 65535, 64 * 48).astype(np.uint16).reshape(48, 64)
cv2.imwrite("grey.png", ramp)
cv2.imwrite("colour.png", np.dstack([ramp, ramp, ramp]))

means, white = {}, {}
for name in ("grey", "colour"):
    for mode in ("L", "RGB"):
        pixels = np.asarray(Image.open(f"{name}.png").convert(mode))
        means[name, mode], white[name, mode] = float(pixels.mean()), float((pixels == 255).mean())
        print(f"Pillow, 16-bit {name} PNG to {mode}: mean {means[name, mode]:.1f}, white {white[name, mode]:.1%} of the pixels")
    means[name, "opencv"] = float(cv2.imread(f"{name}.png", cv2.IMREAD_GRAYSCALE).mean())
    print(f"OpenCV, 16-bit {name} PNG to 8-bit grey: mean {means[name, 'opencv']:.1f}")

scaled = [means["colour", "L"], means["colour", "RGB"], means["colour", "opencv"], means["grey", "opencv"]]
holds = all(abs(mean - 127.5) < 1 for mean in scaled) and white["colour", "L"] < 0.01
holds &= white["grey", "L"] > 0.99 and white["grey", "RGB"] > 0.99
sys.exit(not holds)
PYTHON
