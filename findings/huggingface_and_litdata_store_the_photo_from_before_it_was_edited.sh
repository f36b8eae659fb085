#!/bin/bash
# Two writers of data sets store the photo as it was before its faces were blacked out.
#
# One would guess: an image that is handed to a writer is stored as it is in memory: after a number plate was covered with
# ImageDraw, a notice pasted over it, or the photo made small with thumbnail.
# What happens: Hugging Face's Image feature and litdata's JPEG serializer look whether the image still knows the file that it
# was opened from, and store that file. Pillow's methods that change an image in place leave the name in it, so what was
# drawn, pasted or reduced is gone and the plate is in the data set. Methods that return another image (resize, convert, copy)
# lose the name, and their result is stored. Nothing warns. An image opened from bytes is stored as it is, too.
# Versions: datasets 5.2.0, litdata 0.2.76, torch 2.13.0, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check datasets==5.2.0 litdata==0.2.76 torch==2.13.0 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

HF_HOME="$work/huggingface" HF_HUB_OFFLINE=1 LITDATA_DISABLE_VERSION_CHECK=1 venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import io
import sys

import datasets
import numpy as np
from litdata.streaming.serializers import JPEGSerializer
from PIL import Image, ImageDraw

Image.new("RGB", (64, 64), (200, 200, 200)).save("photo.jpg")


def black(image):
    ImageDraw.Draw(image).rectangle((0, 0, 63, 63), fill=(0, 0, 0))
    return image


def small(image):
    image.thumbnail((16, 16))
    return image


def by_hugging_face(image):
    features = datasets.Features({"image": datasets.Image()})
    return datasets.Dataset.from_dict({"image": [image]}, features=features)[0]["image"]


def by_litdata(image):
    return Image.open(io.BytesIO(JPEGSerializer().serialize(image)[0]))


def look(image):
    return image.size, round(float(np.asarray(image).mean()))


steps = {
    "blacked out": lambda: black(Image.open("photo.jpg")),
    "made small": lambda: small(Image.open("photo.jpg")),
    "blacked out on a copy": lambda: black(Image.open("photo.jpg").copy()),
}
holds = True
for step, edited in steps.items():
    for name, store in {"Hugging Face": by_hugging_face, "litdata": by_litdata}.items():
        before, after = look(edited()), look(store(edited()))
        print(f"{name}, {step}: size and mean {before} before, {after} as stored")
        holds &= after == (before if step == "blacked out on a copy" else ((64, 64), 200))
sys.exit(not holds)
PYTHON
