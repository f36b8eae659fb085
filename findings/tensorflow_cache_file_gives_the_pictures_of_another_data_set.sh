#!/bin/bash
# tf.data's cache in a file gives what was once written there, whatever data set it is put on.
#
# One would guess: cache("cache") keeps the results of the steps before it, and fills the file again when these steps, or the
# files that they read, are others; or it notices that the file belongs to another data set.
# What happens: a file of that name is read, and the data set in front of it is not looked at. With a mean subtracted that was
# forgotten at first, with new pictures in the shards, or as the validation set of a script that names one cache twice, it
# gives the old elements, all of them: five where the new set has three. Only another type is an error. Nothing warns; a score
# on the training set passes for one of the validation set.
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


def seen(numbers):
    return [int(number) for number in numbers.as_numpy_iterator()]


train = tf.data.Dataset.range(5)
first = seen(train.cache("cache"))
scaled = seen(train.map(lambda number: number * 10).cache("cache"))
validation = tf.data.Dataset.range(100, 103)
validated, uncached = seen(validation.cache("cache")), seen(validation)
print(f"training: {first}; the same times ten: {scaled}")
print(f"validation without a cache: {uncached}, with the same file: {validated}")
sys.exit(not (first == scaled == validated == [0, 1, 2, 3, 4] and uncached == [100, 101, 102]))
PYTHON
