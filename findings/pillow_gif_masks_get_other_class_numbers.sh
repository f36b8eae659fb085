#!/bin/bash
# A mask saved as GIF by Pillow comes back with other class numbers.
#
# One would guess: GIF is lossless for up to 256 colours, so that a mask with the classes 0, 5 and 9 comes back as 0, 5 and 9,
# as it does from PNG, TIFF and BMP (masks of known competitions are GIFs).
# What happens: Pillow leaves unused colours out of the palette and numbers the others from 0: the file's pixels are 0, 1 and 2.
# The colours are the same, so every viewer shows the right mask, while numpy.asarray gives the wrong classes. Two masks of one
# set get two numberings, by which classes each has: here 9 is once 2, once 1. optimize=False keeps the numbers. A grey ("L")
# mask is renumbered as well, and is right only behind convert("L").
# Versions: pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import numpy as np
from PIL import Image

PALETTE = [value for number in range(256) for value in (number, 255 - number, number // 2)]


def stored(classes, extension, mode="P", **options):
    pixels = np.repeat(np.array(classes, np.uint8), 40).reshape(len(classes), 40)
    mask = Image.fromarray(pixels)
    if mode == "P":
        mask.putpalette(PALETTE)
    mask.save(f"mask.{extension}", **options)
    back = Image.open(f"mask.{extension}")
    numbers = np.unique(np.asarray(back)).tolist()
    same_look = np.array_equal(np.asarray(back.convert("RGB")), np.asarray(mask.convert("RGB")))
    look = "kept" if same_look else "changed"
    print(f"{mode} mask of classes {classes} as {extension} {options or ''}: classes {numbers}, colours {look}")
    return numbers if same_look else None


holds = all(stored([0, 5, 9], extension) == [0, 5, 9] for extension in ("png", "tif", "bmp"))
holds &= stored([0, 5, 9], "gif") == [0, 1, 2] and stored([0, 9], "gif") == [0, 1]
holds &= stored([0, 5, 9], "gif", mode="L") == [0, 1, 2]
holds &= stored([0, 5, 9], "gif", optimize=False) == [0, 5, 9]
sys.exit(not holds)
PYTHON
