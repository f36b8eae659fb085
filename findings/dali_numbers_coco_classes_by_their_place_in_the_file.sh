#!/bin/bash
# DALI gives one class two numbers, if two COCO files list their categories in another order.
#
# One would guess: readers.coco gives the "category_id" of each annotation, or numbers the classes by their ids or names, so
# that a training and a validation file with the same ids have the same numbers.
# What happens: each class gets its place in the list of categories of that file, counted from 1, whatever its id. With {1:
# cat, 2: dog} in the one file and {2: dog, 1: cat} in the other, a cat is 1 in training and 2 in validation, and a dog the
# reverse: a perfect detector scores nothing. A file with the one category 7 gives 1. Files from two exports or two tools
# differ so. A crowd region ("iscrowd": 1) comes out as an object like any other. avoid_class_remapping=True gives the ids.
# Nothing warns.
# Versions: nvidia-dali-cuda120 2.4.0 (its CPU operators), pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check nvidia-dali-cuda120==2.4.0 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import json
import sys
from pathlib import Path

import numpy as np
from nvidia.dali import fn, pipeline_def
from PIL import Image

Path("images").mkdir()
Image.new("RGB", (60, 40)).save("images/0.jpg")


def numbers(name, categories, crowd=0, **options):
    """The class numbers of one annotation per category, in the order of their ids."""
    boxes = [
        {"id": place, "image_id": 1, "category_id": number, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": crowd}
        for place, number in enumerate(sorted(categories), 1)
    ]
    listed = [{"id": number, "name": text} for number, text in categories.items()]
    images = [{"id": 1, "file_name": "0.jpg", "width": 60, "height": 40}]
    Path("coco.json").write_text(json.dumps({"images": images, "categories": listed, "annotations": boxes}))

    @pipeline_def(batch_size=1, num_threads=1, device_id=None)
    def read():
        return fn.readers.coco(file_root="images", annotations_file="coco.json", **options)[2]

    pipeline = read()
    pipeline.build()
    found = np.array(pipeline.run()[0][0]).ravel().tolist()
    numbered = dict(zip(sorted(categories), found, strict=False))
    print(f"{name} {options or ''}: categories {categories} have the numbers {numbered}")
    return found


train, validation = {1: "cat", 2: "dog"}, {2: "dog", 1: "cat"}
holds = numbers("training", train) == [1, 2] and numbers("validation", validation) == [2, 1]
holds &= numbers("validation", validation, avoid_class_remapping=True) == [1, 2]
holds &= numbers("one class", {7: "hen"}) == [1] and numbers("a crowd", {7: "hen"}, crowd=1) == [1]
sys.exit(not holds)
PYTHON
