#!/bin/bash
# Asked for the pictures of a class that is not there, pycocotools gives all pictures.
#
# One would guess: getImgIds(catIds=getCatIds(["unicorn"])) is empty, or an error, in a data set without unicorns.
# What happens: an unknown name gives an empty list of categories, and an empty list is the same as no condition at all. So a
# misspelt class ("aeroplane" for "airplane", "Cat" for "cat") selects the whole data set, each annotation of every class with
# it; the training set of one class has them all. getAnnIds(imgIds=[]) does the same: the annotations of no picture are all
# annotations.
# Versions: pycocotools 2.0.11, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pycocotools==2.0.11 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import contextlib
import io
import sys

from pycocotools.coco import COCO

coco = COCO()
coco.dataset = {
    "images": [{"id": number, "width": 64, "height": 64, "file_name": f"{number}.jpg"} for number in (1, 2, 3)],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    "annotations": [
        {"id": 10 + number, "image_id": number, "category_id": label, "bbox": [8, 8, 20, 20], "area": 400, "iscrowd": 0}
        for number, label in ((1, 1), (2, 2), (3, 2))
    ],
}
with contextlib.redirect_stdout(io.StringIO()):
    coco.createIndex()


def selected(name):
    categories = coco.getCatIds(catNms=[name])
    found = sorted(coco.getImgIds(catIds=categories)), sorted(coco.getAnnIds(catIds=categories))
    print(f"{name!r}: categories {categories}, pictures {found[0]}, annotations {found[1]}")
    return found


holds = selected("cat") == ([1], [11])
holds &= selected("Cat") == selected("unicorn") == ([1, 2, 3], [11, 12, 13])
without = coco.getAnnIds(imgIds=[])
print(f"annotations of no picture: {without}")
sys.exit(not (holds and sorted(without) == [11, 12, 13]))
PYTHON
