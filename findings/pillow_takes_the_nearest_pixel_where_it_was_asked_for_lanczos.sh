#!/bin/bash
# Asked to reduce with LANCZOS, Pillow takes the nearest pixel of a picture that has a palette.
#
# One would guess: resize and thumbnail use the filter that they are given, so that a folder of PNG, part in true colour and
# part with a palette, gives thumbnails of one look; or a palette picture is refused.
# What happens: for modes P and 1 the filter is ignored, whatever its name, and single pixels are taken. The same photo saved
# as a GIF or as a PNG of 256 colours gives an aliased thumbnail: fine lines vanish or break, noise stays as strong as it was
# (a spread of 74 where averaging leaves 3). A network that sees one class from GIFs can tell it by that. The filter is obeyed
# if convert("RGB") comes before resize; after it, it is too late, and no warning says so.
# Versions: pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python -W error - <<'PYTHON'
import sys

import numpy as np
from PIL import Image

noise = np.random.default_rng(0).integers(0, 256, (800, 800), dtype=np.uint8)
true = Image.fromarray(np.stack([noise, noise // 2, np.full_like(noise, 40)], axis=-1))
true.save("true.png")
true.quantize(256).save("palette.png")
true.quantize(256).save("same.gif")


def reduced(name, way, first=False):
    with Image.open(name) as image:
        image = image.convert("RGB") if first else image.copy()
    found = np.asarray(image.resize((40, 40), getattr(Image.Resampling, way)).convert("RGB"), np.float32)[..., 0]
    print(f"{name} in mode {image.mode}, {way}: spread {found.std():.0f}")
    return found


holds = reduced("true.png", "LANCZOS").std() < 10
for name in ("palette.png", "same.gif"):
    nearest = reduced(name, "NEAREST")
    holds &= nearest.std() > 50
    for way in ("BOX", "BICUBIC", "LANCZOS"):
        holds &= np.array_equal(reduced(name, way), nearest)
    holds &= reduced(name, "LANCZOS", first=True).std() < 10
sys.exit(not holds)
PYTHON
