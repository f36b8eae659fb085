#!/bin/bash
# Asked for JPEG and nothing else, Pillow opens a picture whose format is not JPEG.
#
# One would guess: Image.open(path, formats=["JPEG"]) either gives a picture whose format is "JPEG" or says that it cannot; and
# a .jpg that every JPEG decoder reads is a JPEG to Pillow as well.
# What happens: a JPEG with a second picture behind it (as many phones and stereo cameras write) is "MPO", with two frames that
# may differ in size, also when JPEG is the only format that was allowed. A check for format == "JPEG" rejects such photos; and
# the name that Pillow gives them is no format that one could allow: formats=["MPO"] is a KeyError.
# Versions: pillow 13.0.0, opencv-python-headless 5.0.0.93, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pillow==13.0.0 opencv-python-headless==5.0.0.93 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - <<'PYTHON'
import sys

import cv2
from PIL import Image

red, blue = Image.new("RGB", (60, 40), "red"), Image.new("RGB", (30, 20), "blue")
red.save("plain.jpg")
red.save("phone.jpg", format="MPO", save_all=True, append_images=[blue])


def opened(path, formats):
    try:
        with Image.open(path, formats=formats) as image:
            return image.format, getattr(image, "n_frames", 1)
    except KeyError as error:
        return repr(error), 0


seen = {(path, asked): opened(path, [asked]) for path in ("plain.jpg", "phone.jpg") for asked in ("JPEG", "MPO")}
for (path, asked), (kind, frames) in seen.items():
    print(f"{path}, formats=['{asked}']: {kind}" + (f", frames: {frames}" if frames else ""))
decoded = cv2.imread("phone.jpg").shape
print(f"OpenCV reads phone.jpg as a picture of {decoded[1]}x{decoded[0]}")
holds = seen["plain.jpg", "JPEG"] == ("JPEG", 1) and seen["phone.jpg", "JPEG"] == ("MPO", 2) and decoded == (40, 60, 3)
sys.exit(not (holds and seen["phone.jpg", "MPO"] == ("KeyError('MPO')", 0)))
PYTHON
