#!/bin/bash
# A CMYK JPEG without Adobe's marker is the negative of itself in either TensorFlow or Pillow.
#
# One would guess: the decoders agree on what a CMYK JPEG shows, as they do when it has Adobe's marker (its values are stored
# upside down then, as Photoshop writes them).
# What happens: without the marker TensorFlow takes the values as they stand, Pillow and OpenCV still turn them over. One file
# with ink values (0, 255, 255, 0) is red in TensorFlow, and black in Pillow and OpenCV; the same values turned over are black
# in TensorFlow and red in the two others. Neither warns. The standard leaves it open, and both kinds of file exist.
# Versions: tensorflow-cpu 2.21.0, pillow 13.0.0, opencv-python-headless 5.0.0.93, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check tensorflow-cpu==2.21.0 pillow==13.0.0 opencv-python-headless==5.0.0.93 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import io
import sys

import cv2
import numpy as np
import tensorflow as tf
from PIL import Image


def with_marker(ink):
    file = io.BytesIO()
    Image.new("CMYK", (16, 16), ink).save(file, "JPEG", quality=95)
    return file.getvalue()


def without_marker(ink):
    data = with_marker(ink)
    start = data.index(b"\xff\xee")
    return data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], "big") :]


def seen(name, data):
    pixels = {
        "TensorFlow": tf.io.decode_jpeg(data, channels=3)[8, 8].numpy(),
        "Pillow": np.array(Image.open(io.BytesIO(data)).convert("RGB").getpixel((8, 8))),
        "OpenCV": cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[8, 8, ::-1],
    }
    names = ["red" if pixel[0] > 250 else "black" if pixel.max() < 5 else str(pixel) for pixel in pixels.values()]
    print(f"{name}: " + ", ".join(f"{reader} {colour}" for reader, colour in zip(pixels, names, strict=True)))
    return names


# Pillow writes the values upside down, so that the file has 255 minus these.
holds = seen("stored (255, 0, 0, 255), Adobe's marker", with_marker((0, 255, 255, 0))) == ["red", "red", "red"]
holds &= seen("stored (255, 0, 0, 255), no marker", without_marker((0, 255, 255, 0))) == ["black", "red", "red"]
holds &= seen("stored (0, 255, 255, 0), no marker", without_marker((255, 0, 0, 255))) == ["red", "black", "black"]
sys.exit(not holds)
PYTHON
