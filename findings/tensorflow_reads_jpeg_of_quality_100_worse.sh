#!/bin/bash
# TensorFlow reads a JPEG of quality 100 worse than one of quality 97.
#
# One would guess: a JPEG decodes to (nearly) the same pixels everywhere, and a higher quality comes back closer to the source.
# What happens: without dct_method TensorFlow uses libjpeg's fast inverse DCT. Pixels are more than 10 levels off from Pillow's
# in places, and the more so the higher the quality: what is read at 100 is farther from the source than at 97 and 99. With
# dct_method="INTEGER_ACCURATE" every pixel equals Pillow's.
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

import numpy as np
import tensorflow as tf
from PIL import Image

y, x = np.mgrid[0:256, 0:256]
waves = [128 + 60 * np.sin(x / (9 + c)) + 50 * np.cos(y / (5 + 2 * c) + x / 31) for c in range(3)]
grain = np.random.default_rng(0).normal(0, 12, (256, 256, 3))
source = (np.dstack(waves) + grain).clip(0, 255).astype(np.uint8)

error, largest, accurate_is_pillow = {}, {}, True
for quality in (95, 97, 99, 100):
    file = io.BytesIO()
    Image.fromarray(source).save(file, "JPEG", quality=quality, subsampling=0)
    default = tf.io.decode_jpeg(file.getvalue()).numpy().astype(int)
    accurate = tf.io.decode_jpeg(file.getvalue(), dct_method="INTEGER_ACCURATE").numpy().astype(int)
    pillow = np.asarray(Image.open(file)).astype(int)
    error[quality] = [float(np.sqrt(((pixels - source) ** 2).mean())) for pixels in (default, accurate)]
    largest[quality] = int(np.abs(default - pillow).max())
    accurate_is_pillow &= bool(np.array_equal(accurate, pillow))
    print(f"quality {quality}: RMS from the source {error[quality][0]:.2f} by default, {error[quality][1]:.2f} accurate; "
          f"default against Pillow up to {largest[quality]} levels")
print(f"accurate equals Pillow everywhere: {accurate_is_pillow}")
holds = accurate_is_pillow and largest[100] > 10
holds &= error[100][0] > error[97][0] > error[99][0] and error[100][1] < error[99][1] < error[97][1]
sys.exit(not holds)
PYTHON
