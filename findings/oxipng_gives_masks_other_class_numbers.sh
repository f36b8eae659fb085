#!/bin/bash
# A mask that oxipng makes smaller without loss comes back with other class numbers.
#
# One would guess: a lossless optimiser keeps each pixel, so that a mask of the classes 0, 7, 15 and 255 (as Pascal VOC has
# them, in a palette) still has these, and a grey mask of 0, 128 and 255 too.
# What happens: every colour is kept, its number is not. Unused colours go, the others get new numbers, and a grey picture with
# few shades gets a palette. Read by numpy.asarray(Image.open(...)), as masks are, 0, 7, 15, 255 are 0, 1, 2, 3 in another
# order, and the grey 0, 128, 255 are three numbers up to 2. Each mask gets its own numbering, by the classes in it. Viewers
# show what they showed before, and comparing converted colours finds no difference. Of grey masks 0, 17, 34 stay, by chance.
# Versions: pyoxipng 9.1.1, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pyoxipng==9.1.1 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import numpy as np
import oxipng
from PIL import Image

holds = True
for name, classes in (("palette", [0, 7, 15, 255]), ("palette", [0, 15, 255]), ("grey", [0, 128, 255]), ("grey", [0, 17, 34])):
    mask = np.random.default_rng(1).choice(classes, (60, 60)).astype(np.uint8)
    image = Image.frombytes("P" if name == "palette" else "L", (60, 60), mask.tobytes())
    if name == "palette":
        image.putpalette([value for number in range(256) for value in (number, 255 - number, number * 7 % 256)])
    image.save("mask.png")
    oxipng.optimize("mask.png", "small.png")
    small = Image.open("small.png")
    numbers = np.asarray(small)
    became = {number: sorted(set(numbers[mask == number].tolist())) for number in classes}
    same = np.array_equal(np.asarray(small.convert("RGB")), np.asarray(image.convert("RGB")))
    print(f"{name} mask of {classes}: mode {small.mode}, same colours: {same}, class and what it is now: {became}")
    holds &= same and (classes == [0, 17, 34]) == (became == {number: [number] for number in classes}) and max(numbers.flat) <= max(classes)
sys.exit(not holds)
PYTHON
