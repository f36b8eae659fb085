#!/bin/bash
# With shuffle=False Keras validates on classes that it never trains.
#
# One would guess: image_dataset_from_directory(validation_split=0.25, shuffle=False) keeps a quarter of each class for
# validation and leaves the order alone; ImageDataGenerator of the same library does.
# What happens: the files are sorted by class and the last quarter is cut off. Of four classes of ten pictures the training
# part has three and none of the fourth, the validation part is the fourth and nothing else. Shuffled it is a cut through a
# random order: of the 40 pictures of these four classes validation has five, four, none and one. Each of them prints "Using
# 30 files for training" and no more.
# Versions: keras 3.15.1, tensorflow-cpu 2.21.0, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check keras==3.15.1 tensorflow-cpu==2.21.0 pillow==13.0.0 numpy==2.4.6 scipy==1.17.1 || { echo "could not install the packages" >&2; exit 2; }

TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys
from collections import Counter
from pathlib import Path

import keras
from keras.src.legacy.preprocessing.image import ImageDataGenerator
from PIL import Image

for label in ("ant", "bee", "cat", "dog"):
    Path("pets", label).mkdir(parents=True)
    for number in range(10):
        Image.new("RGB", (8, 8)).save(f"pets/{label}/{number}.png")


def counts(labels):
    found = Counter(int(label) for label in labels)
    return [found[number] for number in range(4)]


def split(subset, shuffle):
    part = keras.utils.image_dataset_from_directory(
        "pets", validation_split=0.25, subset=subset, shuffle=shuffle, seed=1, image_size=(8, 8), verbose=False
    )
    return counts(label for _, labels in part for label in labels)


found = {(subset, shuffle): split(subset, shuffle) for subset in ("training", "validation") for shuffle in (False, True)}
for (subset, shuffle), numbers in found.items():
    print(f"shuffle={shuffle}, {subset}: pictures of ant, bee, cat, dog: {numbers}")
older = ImageDataGenerator(validation_split=0.2).flow_from_directory("pets", subset="validation", shuffle=False)
print(f"ImageDataGenerator, validation: {counts(older.labels)}")
holds = found["training", False] == [10, 10, 10, 0] and found["validation", False] == [0, 0, 0, 10]
holds &= found["validation", True] == [5, 4, 0, 1] and counts(older.labels) == [2, 2, 2, 2]
sys.exit(not holds)
PYTHON
