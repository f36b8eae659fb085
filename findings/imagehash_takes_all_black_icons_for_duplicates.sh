#!/bin/bash
# imagehash finds that a circle and a slash are one picture, if they are drawn in black on a transparent ground.
#
# One would guess: a perceptual hash describes what is seen, so that two icons differ as they do on white paper.
# What happens: each hash begins with convert("L"), which drops the alpha channel. A black drawing on a transparent ground is
# black all over behind that, and all such drawings (icons, signatures, stamps, cut-out silhouettes) have one hash, a distance
# of 0. A cleaning step that keeps one of each group of duplicates deletes all but one. On a white ground the same two drawings
# are 26 to 34 of 64 bits apart. Nothing warns.
# Versions: imagehash 4.3.2, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check imagehash==4.3.2 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import imagehash
from PIL import Image, ImageDraw


def drawing(ground, shape):
    image = Image.new("RGBA", (64, 64), ground)
    draw = ImageDraw.Draw(image)
    if shape == "circle":
        draw.ellipse((5, 5, 60, 60), fill=(0, 0, 0, 255))
    else:
        draw.line((0, 0, 63, 63), fill=(0, 0, 0, 255), width=8)
    return image


holds = True
for name in ("average_hash", "phash", "dhash", "whash"):
    hashed = getattr(imagehash, name)
    clear, white = (int(hashed(drawing(g, "circle")) - hashed(drawing(g, "slash"))) for g in ((0, 0, 0, 0), (255, 255, 255, 255)))
    print(f"{name}: circle and slash are {clear} bits apart on a transparent ground, {white} on a white one")
    holds &= clear == 0 and white > 20
sys.exit(not holds)
PYTHON
