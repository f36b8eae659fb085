#!/bin/bash
# With ignore_errors TensorFlow leaves out all that follows a damaged record in its shard.
#
# One would guess: tf.data's ignore_errors drops the elements that cannot be read and goes on with the next, as it does for a
# picture that cannot be decoded. A record whose check sum is wrong costs one record: its length is known and sound.
# What happens: at the first damaged record the reader is through with the file. In a shard of ten with one flipped bit in the
# third, eight are left out, those after it without any fault; the next shard is read as if nothing had happened. A bit in the
# middle of a shard of 10,000 pictures costs half of them, in each epoch and in silence. Interleaved shards lose the same.
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

for shard, start in (("a.tfrecord", 0), ("b.tfrecord", 10)):
    with tf.io.TFRecordWriter(shard) as writer:
        for number in range(start, start + 10):
            writer.write(f"{number:02d}")
size = 8 + 4 + 2 + 4
content = bytearray(open("a.tfrecord", "rb").read())
content[2 * size + 12] ^= 1
open("a.tfrecord", "wb").write(content)

shards = tf.data.Dataset.from_tensor_slices(["a.tfrecord", "b.tfrecord"])


def seen(records):
    return sorted(int(record) for record in records.ignore_errors().take(50).as_numpy_iterator())


plain = seen(tf.data.TFRecordDataset(["a.tfrecord", "b.tfrecord"]))
interleaved = seen(shards.interleave(tf.data.TFRecordDataset, cycle_length=2))
numbers = tf.data.Dataset.from_tensor_slices([0.0, 1.0, float("nan"), *map(float, range(3, 10))])
decoded = seen(numbers.map(lambda number: tf.debugging.check_numerics(number, "damaged")))
print(f"two shards of ten, record 2 damaged: {plain}")
print(f"interleaved:                         {interleaved}")
print(f"element 2 fails in a map:            {decoded}")
sys.exit(not (plain == interleaved == [0, 1, *range(10, 20)] and decoded == [0, 1, *range(3, 10)]))
PYTHON
