#!/bin/bash
# to_parquet of Hugging Face datasets leaves the pictures of an image folder out.
#
# One would guess: an image folder that was loaded and saved with to_parquet is a Parquet file with the pictures in it, as those
# on the Hub are, and as save_to_disk stores them. It can be moved to another machine.
# What happens: the file holds the full path of each picture and no bytes: about a kilobyte for 450 KB of PNG. Nothing warns, and
# it reads well for as long as the folder stays where it was. save_to_disk does copy the pictures.
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
os.makedirs("photos/cat")
for number in range(3):
    Image.effect_noise((300, 200), 60).convert("RGB").save(f"photos/cat/{number}.png")


def size(folder):
    return sum(os.path.getsize(os.path.join(root, name)) for root, _, names in os.walk(folder) for name in names)


def first_picture(rows):
    try:
        return rows[0]["image"].size
    except FileNotFoundError as error:
        return type(error).__name__


loaded = datasets.load_dataset("imagefolder", data_dir="photos", split="train")
loaded.to_parquet("photos.parquet")
loaded.save_to_disk("saved")
pictures, parquet, saved = size("photos"), os.path.getsize("photos.parquet"), size("saved")
print(f"{pictures} bytes of pictures, {parquet} bytes of Parquet, {saved} bytes saved to disk")
before = first_picture(datasets.Dataset.from_parquet("photos.parquet"))
os.rename("photos", "moved")
after = first_picture(datasets.Dataset.from_parquet("photos.parquet"))
after_saved = first_picture(datasets.load_from_disk("saved"))
print(f"first picture from Parquet: {before}; once the folder was moved: {after}; from what was saved to disk: {after_saved}")
holds = parquet < pictures / 20 and saved > pictures
sys.exit(not (holds and before == after_saved == (300, 200) and after == "FileNotFoundError"))
PYTHON
