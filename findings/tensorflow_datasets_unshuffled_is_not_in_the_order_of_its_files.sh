#!/bin/bash
# TensorFlow Datasets reads neither shards nor records in their order, though it was not asked to shuffle.
#
# One would guess: with shuffle_files=False, the default, as_dataset gives the records as they lie in the files, first shard
# first, so that predictions can be put beside a list of the files' records, or beside those of another reader.
# What happens: it takes 16 records of each of up to 16 shards by turns. Of two shards of 20 records, record 16 of the first is
# the 33rd, and the 17th is the first of the second shard. Split at "train[:30]" it gives the first 30, in such an order too. A
# list of names in the order of the files names from the 17th on another picture, and in a test with one shard, or with shards
# of up to 16 records, nothing of that shows. It is the same order each time, and no warning is printed.
# ReadConfig(interleave_cycle_length=1) keeps the files' order.
# Versions: tensorflow-datasets 4.9.10, tensorflow-cpu 2.21.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check tensorflow-datasets==4.9.10 tensorflow-cpu==2.21.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import os
import sys

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

features = tfds.features.FeaturesDict({"number": np.int64})
os.mkdir("demo")
for shard in range(2):
    with tf.io.TFRecordWriter(f"demo/demo-train.tfrecord-{shard:05d}-of-00002") as writer:
        for number in range(shard * 20, shard * 20 + 20):
            writer.write(features.serialize_example({"number": number}))
template = tfds.core.ShardedFileTemplate(
    template="{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}", dataset_name="demo", data_dir="demo", split="train", filetype_suffix="tfrecord"
)
split = tfds.core.SplitInfo(name="train", shard_lengths=[20, 20], num_bytes=0, filename_template=template)
tfds.folder_dataset.write_metadata(data_dir="demo", features=features, split_infos=[split])
builder = tfds.builder_from_directory("demo")


def seen(part, **more):
    return [int(example["number"]) for example in builder.as_dataset(split=part, **more)]


everything, some = seen("train"), seen("train[:30]")
ordered = seen("train", read_config=tfds.ReadConfig(interleave_cycle_length=1))
print(f"train: {everything}")
print(f"train[:30]: {some}")
print(f"train with interleave_cycle_length=1: {ordered}")
holds = everything == [*range(16), *range(20, 36), *range(16, 20), *range(36, 40)] and everything == seen("train")
holds &= some == [*range(16), *range(20, 30), *range(16, 20)] and ordered == list(range(40))
sys.exit(not holds)
PYTHON
