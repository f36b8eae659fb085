#!/bin/bash
# A class folder called "train" hides all the others from Hugging Face datasets.
#
# One would guess: a folder with the class folders bus, car and train (a vehicle, as in COCO and Pascal VOC) loads as nine
# images of three classes, as it does with the class folders bus, car and tram.
# What happens: "train" is taken for the name of a split. Only its three images are loaded, bus and car are left out without
# a word, and the label column is gone. A part of a name is enough: "test_tube", "dev-board" and "freight train" do the same.
# Versions: datasets 5.2.0, pillow 13.0.0.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check datasets==5.2.0 pillow==13.0.0 || { echo "could not install the packages" >&2; exit 2; }

HF_HOME="$work/cache" HF_DATASETS_OFFLINE=1 venv/bin/python - <<'PYTHON'
import os
import sys

import datasets
from PIL import Image

datasets.disable_progress_bars()


def load(*classes):
    folder = "+".join(classes)
    for number, name in enumerate(classes):
        os.makedirs(f"{folder}/{name}")
        for shade in (10, 120, 230):
            Image.new("RGB", (8, 8), (shade, 40 * number, 0)).save(f"{folder}/{name}/{shade}.png")
    splits = datasets.load_dataset("imagefolder", data_dir=folder)
    seen = {split: (len(rows), "label" in rows.features) for split, rows in splits.items()}
    told = ", ".join(f"{split}: {count} images, {'with' if label else 'no'} labels" for split, (count, label) in seen.items())
    print(f"{' '.join(repr(name) for name in classes)}: {told}")
    return seen


holds = load("bus", "car", "tram") == {"train": (9, True)}
holds &= load("bus", "car", "train") == {"train": (3, False)}
holds &= load("beaker", "flask", "test_tube") == {"test": (3, False)}
holds &= load("board", "dev-board") == {"validation": (3, False)}
holds &= load("plane", "freight train") == {"train": (3, False)}
sys.exit(not holds)
PYTHON
