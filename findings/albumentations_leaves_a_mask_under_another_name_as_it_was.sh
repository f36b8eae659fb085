#!/bin/bash
# Albumentations leaves a mask as it was, beside a picture that it flipped, if it does not know the mask's name.
#
# One would guess: Compose flips all that it is given with the picture, or refuses a name that it does not know ("label",
# "depth", "mask2"), since the result goes into training as a pair.
# What happens: only the names "image", "mask", "masks" and a few more are transformed. Anything else goes through untouched,
# even an array of the picture's own shape, and neither constructor nor call says so. Flipped, turned and cropped pictures get
# the masks of the upright ones; after a resize the shapes differ, but flips keep them. additional_targets={"depth": "mask"}
# names what is meant; declared as "image" instead, a mask of the classes 0 and 7 gets the classes between when it is resized.
# Versions: albumentations 2.0.8, opencv-python-headless 5.0.0.93, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check albumentations==2.0.8 opencv-python-headless==5.0.0.93 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

NO_ALBUMENTATIONS_UPDATE=1 venv/bin/python -W error::UserWarning - <<'PYTHON'
import sys

import albumentations
import numpy as np

picture = np.zeros((20, 30, 3), np.uint8)
picture[5:10, 5:10] = 255
mask = (picture[..., 0] > 0) * np.uint8(7)


def fits(name, transforms, **options):
    """Whether the mask lies on the white square afterwards."""
    done = albumentations.Compose(transforms, **options)(image=picture, **{name: mask})
    found = bool(np.array_equal(done["image"][..., 0] > 0, done[name] > 0))
    print(f"{name} {options or ''}: the mask {'lies' if found else 'does not lie'} on its object")
    return found


flip, larger = [albumentations.HorizontalFlip(p=1)], [albumentations.Resize(33, 47)]
holds = fits("mask", flip) and not fits("depth", flip) and not fits("label", flip) and not fits("mask2", flip)
holds &= fits("mask2", flip, additional_targets={"mask2": "mask"})
between = albumentations.Compose(larger, additional_targets={"mask2": "image"})(image=picture, mask2=mask)["mask2"]
print(f"resized as an image: classes {np.unique(between).tolist()}")
holds &= np.unique(between).tolist() == list(range(8))
sys.exit(not holds)
PYTHON
