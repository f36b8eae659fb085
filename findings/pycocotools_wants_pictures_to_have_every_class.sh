#!/bin/bash
# With two classes pycocotools selects pictures that have both, but annotations of either.
#
# One would guess: getImgIds(catIds=[cat, dog]) and getAnnIds(catIds=[cat, dog]) mean the same by a list of classes: the
# pictures with a cat or a dog, and the annotations of cats and dogs. A subset with a few classes is made with the first.
# What happens: getImgIds keeps the pictures in which every class of the list occurs. Each class that is added makes the subset
# smaller: of three pictures, cats alone are in two, dogs in two, cats and dogs in one; with a third class, in none. With imgIds
# it works on the contrary as one would guess.
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

CAT, DOG, HEN = 1, 2, 3
coco = COCO()
coco.dataset = {
    "images": [{"id": number, "width": 64, "height": 64, "file_name": f"{number}.jpg"} for number in (1, 2, 3, 4)],
    "categories": [{"id": CAT, "name": "cat"}, {"id": DOG, "name": "dog"}, {"id": HEN, "name": "hen"}],
    "annotations": [
        {"id": 10 + place, "image_id": image, "category_id": label, "bbox": [8, 8, 20, 20], "area": 400, "iscrowd": 0}
        for place, (image, label) in enumerate(((1, CAT), (2, DOG), (3, CAT), (3, DOG), (4, HEN)))
    ],
}
with contextlib.redirect_stdout(io.StringIO()):
    coco.createIndex()


def selected(*labels):
    annotations = coco.loadAnns(coco.getAnnIds(catIds=list(labels)))
    found = sorted(coco.getImgIds(catIds=list(labels))), sorted({each["image_id"] for each in annotations})
    print(f"classes {labels}: getImgIds {found[0]}; pictures of the annotations of getAnnIds {found[1]}")
    return found


holds = selected(CAT) == ([1, 3], [1, 3]) and selected(DOG) == ([2, 3], [2, 3])
holds &= selected(CAT, DOG) == ([3], [1, 2, 3]) and selected(CAT, DOG, HEN) == ([], [1, 2, 3, 4])
holds &= sorted(coco.getAnnIds(imgIds=[1, 2])) == [10, 11]
sys.exit(not holds)
PYTHON
