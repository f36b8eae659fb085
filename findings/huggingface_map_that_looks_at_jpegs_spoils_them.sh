#!/bin/bash
# A map that looks at JPEGs makes Hugging Face datasets compress them anew, at quality 75.
#
# One would guess: map stores what the function returns. map(lambda row: {"width": row["image"].width}) adds a column and leaves
# the pictures the files that they were.
# What happens, with pictures that lie in Parquet as the Hub's do: a picture that was looked at is decoded in the row, and the
# whole row is encoded again with Pillow's default, quality 75 and half the colour resolution. Here six of seven bytes go, and
# pixels are off by more than 20 levels. A map that does not touch the picture keeps every byte; so does a filter that looks at
# it, and the very same map where the pictures came from a folder. Nothing warns.
# Versions: datasets 5.2.0, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check datasets==5.2.0 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

HF_HOME="$work/cache" HF_DATASETS_OFFLINE=1 venv/bin/python - <<'PYTHON'
import os
import sys

import datasets
import numpy as np
from PIL import Image

datasets.disable_progress_bars()
y, x = np.mgrid[0:128, 0:192]
waves = np.dstack([128 + 60 * np.sin(x / (9 + c)) + 50 * np.cos(y / (5 + 2 * c)) for c in range(3)])
photo = (waves + np.random.default_rng(0).normal(0, 8, waves.shape)).clip(0, 255).astype(np.uint8)
os.makedirs("photos/cat")
Image.fromarray(photo).save("photos/cat/a.jpg", quality=97, subsampling=0)
folder = datasets.load_dataset("imagefolder", data_dir="photos", split="train")
with open("photos/cat/a.jpg", "rb") as file:
    table = {"image": [{"bytes": file.read(), "path": "a.jpg"}]}
datasets.Dataset.from_dict(table, features=datasets.Features({"image": datasets.Image()})).to_parquet("photos.parquet")
parquet = datasets.Dataset.from_parquet("photos.parquet")


def stored(rows):
    picture = rows.cast_column("image", datasets.Image(decode=False))[0]["image"]
    if picture["bytes"] is not None:
        return picture["bytes"]
    with open(picture["path"], "rb") as file:
        return file.read()


def pixels(rows):
    return np.asarray(rows[0]["image"]).astype(int)


def seen(name, rows):
    size, difference = len(stored(rows)), int(np.abs(pixels(rows) - pixels(parquet)).max())
    print(f"{name}: {size} bytes, pixels up to {difference} levels off")
    return size, difference


loaded = seen("Parquet, loaded", parquet)
kept = [
    seen("Parquet, filter by the width", parquet.filter(lambda row: row["image"].width > 100)),
    seen("Parquet, map adds a constant", parquet.map(lambda row: {"source": "camera"})),
    seen("folder, map adds the width", folder.map(lambda row: {"width": row["image"].width})),
]
size, difference = seen("Parquet, map adds the width", parquet.map(lambda row: {"width": row["image"].width}))
sys.exit(not (loaded[1] == 0 and kept == [loaded] * 3 and size < loaded[0] / 4 and difference > 20))
PYTHON
