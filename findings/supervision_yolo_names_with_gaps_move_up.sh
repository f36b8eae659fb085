#!/bin/bash
# supervision calls a dog a hen if the class numbers of a YOLO data.yaml have a gap.
#
# One would guess: with "names: {0: cat, 2: dog, 3: hen}" the number 2 of a label file is a dog, as the file says (numbers are
# left out when a class was removed from a data set).
# What happens: from_yolo makes a list of the names without their numbers: cat, dog, hen. Number 2 is then the third name, hen,
# and number 3 has no name at all. Exported as COCO each dog is a hen. No error, no warning.
# Versions: supervision 0.31.2, pillow 12.3.0, numpy 2.2.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check supervision==0.31.2 pillow==12.3.0 numpy==2.2.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import json
import os
import pathlib
import sys

import supervision
from PIL import Image

os.makedirs("images")
os.makedirs("labels")
Image.new("RGB", (100, 80)).save("images/pets.jpg")
pathlib.Path("labels/pets.txt").write_text("0 0.2 0.5 0.2 0.2\n2 0.7 0.5 0.2 0.2\n")


def seen(names):
    pathlib.Path("data.yaml").write_text(f"names: {json.dumps(names)}\n".replace('"', ""))
    pets = supervision.DetectionDataset.from_yolo("images", "labels", "data.yaml")
    pets.as_coco(annotations_path="coco.json")
    coco = json.loads(pathlib.Path("coco.json").read_text())
    by_id = {category["id"]: category["name"] for category in coco["categories"]}
    found = [by_id[each["category_id"]] for each in coco["annotations"]]
    print(f"names {names}: numbers 0 and 2 are {found} in COCO")
    return found


holds = seen({0: "cat", 1: "cow", 2: "dog", 3: "hen"}) == ["cat", "dog"]
holds &= seen({0: "cat", 2: "dog", 3: "hen"}) == ["cat", "hen"]
sys.exit(not holds)
PYTHON
