#!/bin/bash
# Albumentations flips alike in each worker of a DataLoader, and alike in each epoch.
#
# One would guess: with two workers each picture has its own chance to be flipped, and another one in the next epoch; a seed
# makes a run repeatable, as it does without workers, and does not make its parts equal.
# What happens: a Compose holds its own random numbers, and each worker gets a copy of it. Both workers flip their first,
# second, third ... picture alike; new workers are started for each epoch, with the same copy, so that a picture that was not
# flipped in the first epoch is not flipped in the last: the augmentation is a second, fixed data set. It is so with seed=1 and
# without a seed. In the main process (num_workers=0) each epoch differs; persistent_workers=True makes the epochs differ, and
# not the workers. Nothing warns.
# Versions: albumentations 2.0.8, torch 2.13.0, opencv-python-headless 5.0.0.93, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check albumentations==2.0.8 torch==2.13.0 opencv-python-headless==5.0.0.93 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import albumentations as augment
import numpy as np
from torch.utils.data import DataLoader, Dataset


class Photos(Dataset):
    def __init__(self, **more):
        self.flip = augment.Compose([augment.HorizontalFlip(p=0.5)], **more)

    def __len__(self):
        return 32

    def __getitem__(self, number):
        photo = np.array([[[0] * 3, [1] * 3]], np.uint8)
        return int(self.flip(image=photo)["image"][0, 0, 0])


def epochs(name, workers, persist=False, **more):
    context = "fork" if workers else None
    loader = DataLoader(Photos(**more), batch_size=8, num_workers=workers, multiprocessing_context=context, persistent_workers=persist)
    first, second = ([batch.tolist() for batch in loader] for _ in range(2))
    print(f"{name}: pictures flipped in the first epoch {first}")
    print(f"{' ' * len(name)}  and in the second {second}")
    return first, second


holds = True
for name, more in (("two workers, no seed", {}), ("two workers, seed=1", {"seed": 1})):
    first, second = epochs(name, 2, **more)
    holds &= first == second and first[0] == first[1] and first[2] == first[3] and first[0] != first[2]
first, second = epochs("two workers that are kept", 2, persist=True)
holds &= first != second and first[0] == first[1]
first, second = epochs("no workers, seed=1", 0, seed=1)
holds &= first != second and first[0] != first[1]
sys.exit(not holds)
PYTHON
