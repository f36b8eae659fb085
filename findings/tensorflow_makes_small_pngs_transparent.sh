#!/bin/bash
# With four channels TensorFlow reads an opaque PNG of few colours as all but transparent.
#
# One would guess: decode_png(..., channels=4) of a PNG without alpha adds an alpha of 255, since the picture is opaque.
# What happens: so it does for 8 bits a pixel. For fewer, as a PNG of up to 16 colours or shades has them, the alpha is the
# largest number of that many bits: 1 for black and white, 3 for four colours, 15 for sixteen. Whoever blends pictures onto a
# background by their alpha, or masks by it, gets the background alone from logos, drawings and small palettes. Pillow gives 255
# for all of them.
# Versions: tensorflow-cpu 2.21.0, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check tensorflow-cpu==2.21.0 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import io
import sys

import tensorflow as tf
from PIL import Image


def alpha(name, picture):
    file = io.BytesIO()
    picture.save(file, "PNG")
    bits = file.getvalue()[24]
    found = tf.io.decode_png(file.getvalue(), channels=4)[0, 0, 3].numpy().item()
    pillow = Image.open(file).convert("RGBA").getpixel((0, 0))[3]
    print(f"{name}, {bits} bits: alpha {found} by TensorFlow, {pillow} by Pillow")
    return bits, found, pillow


def palette(colours):
    picture = Image.new("P", (16, 16), 1)
    picture.putpalette([shade for number in range(colours) for shade in (255 - number, number, 0)])
    return picture


holds = alpha("black and white", Image.new("1", (16, 16), 1)) == (1, 1, 255)
holds &= alpha("4 colours", palette(4)) == (2, 3, 255)
holds &= alpha("16 colours", palette(16)) == (4, 15, 255)
holds &= alpha("256 colours", palette(256)) == (8, 255, 255)
holds &= alpha("RGB", Image.new("RGB", (16, 16), (255, 0, 0))) == (8, 255, 255)
sys.exit(not holds)
PYTHON
