#!/bin/bash
# A list of the records of a TFRecord file holds the last record, again and again.
#
# One would guess: list(tfrecord_iterator(path)) is the list of the file's records; sorting, shuffling or batching them is fine.
# What happens: each item is a view of one buffer that the reader fills anew for the next record. A loop sees the right bytes;
# once collected, all items show the last record (and where an earlier one was longer, its tail). Copy each with bytes() first.
# Versions: tfrecord 1.14.6, protobuf 7.36.2, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check tfrecord==1.14.6 protobuf==7.36.2 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - <<'PYTHON'
import sys

import tfrecord
from tfrecord import example_pb2
from tfrecord.reader import tfrecord_iterator

writer = tfrecord.TFRecordWriter("pets.tfrecord")
for name in (b"cat", b"dog", b"hen"):
    writer.write({"image/class/text": (name, "byte")})
writer.close()


def label(record):
    return example_pb2.Example.FromString(bytes(record)).features.feature["image/class/text"].bytes_list.value[0].decode()


looped = [label(record) for record in tfrecord_iterator("pets.tfrecord")]
collected = [label(record) for record in list(tfrecord_iterator("pets.tfrecord"))]
print(f"read one by one: {looped}; collected first: {collected}")
sys.exit(not (looped == ["cat", "dog", "hen"] and collected == ["hen", "hen", "hen"]))
PYTHON
