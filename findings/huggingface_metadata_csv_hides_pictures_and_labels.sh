#!/bin/bash
# A metadata.csv makes Hugging Face datasets leave out pictures, and the labels of all of them.
#
# One would guess: metadata.csv adds columns to an image folder. A picture without a row has empty ones, and the class folders
# stay the labels.
# What happens: a picture without a row is left out, and the label column of the folders is gone, both without a word. Of four
# pictures in two class folders, notes on two of them leave two pictures without a class. drop_labels=False, which is there to
# keep them, changes neither.
# Versions: datasets 5.2.0, pillow 13.0.0.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check datasets==5.2.0 pillow==13.0.0 || { echo "could not install the packages" >&2; exit 2; }

HF_HOME="$work/cache" HF_DATASETS_OFFLINE=1 venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import os
import sys

import datasets
from PIL import Image

datasets.disable_progress_bars()


def load(folder, notes, **options):
    for name in ("cat/0", "cat/1", "dog/0", "dog/1"):
        os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
        Image.new("RGB", (8, 8), (len(folder), 0, 0)).save(f"{folder}/{name}.png")
    if notes:
        with open(f"{folder}/metadata.csv", "w") as file:
            file.write("file_name,note\n" + "".join(f"{name}.png,{note}\n" for name, note in notes.items()))
    rows = datasets.load_dataset("imagefolder", data_dir=folder, split="train", **options)
    print(f"notes {notes} {options or ''}: {len(rows)} pictures, columns {sorted(rows.features)}")
    return len(rows), sorted(rows.features)


some = {"cat/0": "asleep", "dog/1": "wet"}
everything = {name: "seen" for name in ("cat/0", "cat/1", "dog/0", "dog/1")}
holds = load("none", {}) == (4, ["image", "label"])
holds &= load("everything", everything) == (4, ["image", "note"])
holds &= load("some", some) == (2, ["image", "note"])
holds &= load("everything_labels", everything, drop_labels=False) == (4, ["image", "note"])
holds &= load("some_labels", some, drop_labels=False) == (2, ["image", "note"])
sys.exit(not holds)
PYTHON
