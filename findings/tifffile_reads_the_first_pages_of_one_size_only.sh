#!/bin/bash
# tifffile's imread reads two of three pages, if the third has another size.
#
# One would guess: imread of a file with three pages gives three, or says that pages of two sizes do not make one array.
# What happens: pages of one shape and type are a "series", and imread gives the first series. Of two pages of 30 by 20 and one
# of 10 by 40, as a scanner with automatic paper size writes them, it returns the array of the two; of a page in grey and one
# in colour the first. Were the first page the odd one, it returns that alone. Nothing warns, and the shape looks like any
# other. Pillow counts three frames and OpenCV's imreadmulti reads three. TiffFile(...).series has them all.
# Versions: tifffile 2026.3.3, pillow 13.0.0, opencv-python-headless 5.0.0.93, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check tifffile==2026.3.3 pillow==13.0.0 opencv-python-headless==5.0.0.93 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import cv2
import tifffile
from PIL import Image

small, tall, colour = Image.new("L", (30, 20)), Image.new("L", (10, 40)), Image.new("RGB", (30, 20))
scans = {"30x20, 30x20, 10x40": [small, small, tall], "10x40, 30x20, 30x20": [tall, small, small], "grey, colour": [small, colour]}
found = {}
for name, (first, *others) in scans.items():
    first.save("scan.tif", save_all=True, append_images=others)
    frames = Image.open("scan.tif").n_frames, len(cv2.imreadmulti("scan.tif", flags=cv2.IMREAD_UNCHANGED)[1])
    found[name] = (tifffile.imread("scan.tif").shape, *frames)
    print(f"pages {name}: tifffile {found[name][0]}, Pillow {frames[0]} frames, OpenCV {frames[1]}")
sys.exit(list(found.values()) != [((2, 20, 30), 3, 3), ((40, 10), 3, 3), ((20, 30), 2, 2)])
PYTHON
