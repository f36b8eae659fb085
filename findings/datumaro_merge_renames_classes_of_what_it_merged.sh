#!/bin/bash
# Datumaro's merge makes cats of the dogs of the second data set, in the data set that it was given.
#
# One would guess: merge returns a new data set and leaves the two alone, so that the second one can be merged with a third or
# exported afterwards, and a second call gives what the first gave.
# What happens: if the second lists its classes in another order, merge (by "union" or "intersect") gives its objects other
# numbers, in place, and leaves its list of names as it was. The result is right, once; from then on each dog of the second
# data set is a cat and each cat a dog, in whatever is made of it. The same call again gives the wrong result. So it is with
# data sets imported from COCO. Nothing warns.
# Versions: datumaro 1.13.12, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check datumaro==1.13.12 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import datumaro as dm
import numpy as np


def data_set(classes, folder, **kinds):
    items = []
    for name, kind in kinds.items():
        box = dm.Bbox(1, 1, 5, 5, label=classes.index(kind))
        items.append(dm.DatasetItem(id=name, annotations=[box], media=dm.Image.from_numpy(np.zeros((20, 20, 3), np.uint8))))
    dm.Dataset.from_iterable(items, categories=classes).export(folder, "coco", save_media=True)
    return dm.Dataset.import_from(folder, "coco")


def seen(photos):
    names = [label.name for label in photos.categories()[dm.AnnotationType.label]]
    return {item.id: names[item.annotations[0].label] for item in photos}


holds = True
for policy in ("union", "intersect"):
    first = data_set(["cat", "dog"], f"{policy}-first", a="cat")
    second = data_set(["dog", "cat"], f"{policy}-second", b="dog", c="cat")
    before = seen(second)
    once = seen(dm.HLOps.merge(first, second, merge_policy=policy))
    after, twice = seen(second), seen(dm.HLOps.merge(first, second, merge_policy=policy))
    print(f"by {policy}: merged {once}, merged again {twice}; the second data set before {before}, after {after}")
    right, swapped = {"b": "dog", "c": "cat"}, {"b": "cat", "c": "dog"}
    holds &= before == right and once == {"a": "cat", **right} and after == swapped and twice == {"a": "cat", **swapped}
sys.exit(not holds)
PYTHON
