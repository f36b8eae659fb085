#!/bin/bash
# litdata stores a picture with a palette without its palette.
#
# One would guess: optimize() stores a Pillow image so that the one that is read back looks the same; a kind of image that it
# cannot store is an error.
# What happens: mode, size and pixels are stored, the palette is not. A red and blue GIF or PNG of few colours comes back in
# mode P with the right numbers and no colours: converted to RGB it is black all over. Masks that are read as numbers are
# right, so that it shows in pictures alone. RGB, grey and RGBA come back as they were. Nothing warns.
# Versions: litdata 0.2.76, torch 2.13.0, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check litdata==0.2.76 torch==2.13.0 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

cat >store.py <<'PYTHON'
import sys

import litdata
import numpy as np
from PIL import Image

MODES = ["RGB", "L", "RGBA", "P"]


def picture(number):
    stripes = np.zeros((8, 8, 3), np.uint8)
    stripes[:, :4], stripes[:, 4:] = (255, 0, 0), (0, 0, 255)
    colour = Image.fromarray(stripes)
    Image.Image.save(colour.quantize(4) if MODES[number] == "P" else colour.convert(MODES[number]), f"{number}.png")
    return {"number": number, "image": Image.open(f"{number}.png")}


def colours(image):
    return [image.convert("RGB").getpixel(place) for place in ((0, 0), (7, 0))]


if __name__ == "__main__":
    litdata.optimize(fn=picture, inputs=list(range(len(MODES))), output_dir="stored", chunk_bytes="1MB", num_workers=1)
    holds = True
    for sample in litdata.StreamingDataset("stored"):
        number, image = int(sample["number"]), sample["image"]
        before = Image.open(f"{number}.png")
        same = np.array_equal(np.asarray(before), np.asarray(image))
        print(f"{MODES[number]}: {colours(before)} stored, {colours(image)} read, pixel values {'equal' if same else 'differ'}")
        right = colours(image) == colours(before)
        holds &= same and (colours(image) == [(0, 0, 0), (0, 0, 0)] if MODES[number] == "P" else right)
    sys.exit(not holds)
PYTHON
HOME="$work" LITDATA_DISABLE_VERSION_CHECK=1 venv/bin/python store.py 2>errors.txt || { status=$?; cat errors.txt >&2; exit "$status"; }
