#!/bin/bash
# Hugging Face datasets goes on with labels and pictures that were corrected or added since.
#
# One would guess: Dataset.from_generator(read_folder) reads the folder as it is now, and map(look_up_label) looks labels up in
# the file as it is now, as load_dataset("imagefolder") notices a new picture.
# What happens: results are kept on disk by the text of the function. What the function opens is no part of that. A third
# picture in the folder does not appear, and after the label file was corrected each row has its old label, in each later run
# on that machine, too, while a colleague gets the new ones. No message. cache_dir=another folder, or
# load_from_cache_file=False for map, read afresh.
# Versions: datasets 5.2.0.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check datasets==5.2.0 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import json
import os
import sys

os.environ.update(HF_HOME=os.path.abspath("cache"), HF_HUB_OFFLINE="1")
import datasets

datasets.disable_progress_bars()
os.mkdir("photos")
for name in ("1.jpg", "2.jpg"):
    open(f"photos/{name}", "w").close()
json.dump({"1.jpg": "cat", "2.jpg": "cat"}, open("labels.json", "w"))


def photos():
    for name in sorted(os.listdir("photos")):
        yield {"name": name}


def label(row):
    return {"label": json.load(open("labels.json"))[row["name"]]}


def seen(**more):
    rows = datasets.Dataset.from_generator(photos)
    return list(rows["name"]), list(rows.map(label, **more)["label"])


before = seen()
open("photos/3.jpg", "w").close()
json.dump({"1.jpg": "cat", "2.jpg": "dog", "3.jpg": "hen"}, open("labels.json", "w"))
after, fresh = seen(), seen(load_from_cache_file=False)
print(f"before: {before}")
print(f"a picture added and a label corrected: {after}")
print(f"with load_from_cache_file=False in map: {fresh}")
old = ["1.jpg", "2.jpg"]
sys.exit(not (before == after == (old, ["cat", "cat"]) and fresh == (old, ["cat", "dog"])))
PYTHON
