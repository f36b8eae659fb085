#!/bin/bash
# Hugging Face datasets stores a 16-bit colour picture modulo 256.
#
# One would guess: a NumPy array of uint16 is stored with 16 bits, or scaled to 8, or refused; the Image feature refuses floats
# in colour with an error that names the type.
# What happens: a grey uint16 array is kept, a colour one keeps the lower 8 bits of each value: 255 stays 255, 256 becomes 0,
# 511 becomes 255. A smooth ramp becomes 256 stripes, a picture of high contrast noise. Numbers in int64 beyond 255 (a sum or a
# difference of pictures, -1 as a mark) wrap round just as well. Nothing warns.
# Versions: datasets 5.2.0, pillow 13.0.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check datasets==5.2.0 pillow==13.0.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

HF_HOME="$work/cache" HF_DATASETS_OFFLINE=1 venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import datasets
import numpy as np

datasets.disable_progress_bars()
FEATURES = datasets.Features({"image": datasets.Image()})


def stored(name, pixels):
    try:
        back = np.asarray(datasets.Dataset.from_dict({"image": [pixels]}, features=FEATURES)[0]["image"])
    except TypeError:
        found = "refused"
    else:
        kept = np.array_equal(back, pixels)
        wrapped = back.dtype == np.uint8 and np.array_equal(back, pixels.astype(np.int64) % 256)
        found = "kept" if kept else "modulo 256" if wrapped else "other"
    print(f"{name}, {pixels.dtype}, {pixels.min()} to {pixels.max()}: {found}")
    return found


ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
colour = np.dstack([ramp] * 3)
holds = stored("grey ramp", ramp) == "kept" and stored("colour ramp", colour) == "modulo 256"
holds &= stored("difference of two pictures", colour.astype(np.int64) // 256 - 128) == "modulo 256"
holds &= stored("colour of 8 bits", (colour // 256).astype(np.uint8)) == "kept"
holds &= stored("colour in floats", colour / np.float32(65535)) == "refused"
sys.exit(not holds)
PYTHON
