#!/bin/bash
# tf.data's take and skip behind a shuffle train on the pictures that they keep for validation.
#
# One would guess: shuffled once with a seed, take(20) is the validation set and skip(20) the rest, so that each of a hundred
# pictures is in one of the two, in each epoch.
# What happens: every loop over either of them shuffles the hundred again, in another order, the seed notwithstanding. In the
# first epoch more than half of the validation set is in the training set of the same epoch, after a few epochs each picture
# was trained on, and the validation set itself is another one each time. The score says how well the network remembers.
# shuffle(..., reshuffle_each_iteration=False) keeps the parts apart. Nothing warns.
# Versions: tensorflow-cpu 2.21.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check tensorflow-cpu==2.21.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import tensorflow as tf


def epochs(**more):
    photos = tf.data.Dataset.range(100).shuffle(100, seed=1, **more)
    validation, training = photos.take(20), photos.skip(20)
    shared, trained, validated = [], set(), set()
    for _ in range(10):
        train, validate = (set(map(int, part.as_numpy_iterator())) for part in (training, validation))
        shared.append(len(train & validate))
        trained |= train
        validated |= validate
    print(f"{more or 'default'}: {shared} of 20 in both parts, by epoch; after ten epochs {len(trained)} trained, {len(validated)} validated")
    return shared, len(trained), len(validated)


shared, trained, validated = epochs()
holds = min(shared) >= 5 and trained == 100 and validated > 60
holds &= epochs(reshuffle_each_iteration=False) == ([0] * 10, 80, 20)
sys.exit(not holds)
PYTHON
