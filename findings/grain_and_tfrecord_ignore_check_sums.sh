#!/bin/bash
# Two TFRecord readers never look at the check sums that the format carries.
#
# One would guess: every TFRecord frame has a CRC of its data so that readers notice damage, and TensorFlow does ("corrupted
# record"); so do other readers.
# What happens: grain and the tfrecord package step over the four bytes. One byte changed in a class name, and both hand out
# "cebra" for "zebra", although the check sum in the file shows the damage.
# Versions: grain 0.2.18 (its experimental TFRecordIterDataset), tfrecord 1.14.6, protobuf 7.36.2, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check grain==0.2.18 tfrecord==1.14.6 protobuf==7.36.2 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import struct
import sys

import grain
import tfrecord
from tfrecord import example_pb2

writer = tfrecord.TFRecordWriter("good.tfrecord")
writer.write({"image/class/text": (b"zebra", "byte")})
writer.close()
with open("good.tfrecord", "rb") as file:
    good = file.read()
bad = good.replace(b"zebra", b"cebra")
with open("bad.tfrecord", "wb") as file:
    file.write(bad)


def check_sum_fits(frame):
    (length,) = struct.unpack("<Q", frame[:8])
    return tfrecord.TFRecordWriter.masked_crc(frame[12 : 12 + length]) == frame[12 + length :]


print(f"check sum fits: before {check_sum_fits(good)}, after one byte was changed {check_sum_fits(bad)}")
seen = {"tfrecord": [row["image/class/text"] for row in tfrecord.tfrecord_loader("bad.tfrecord", None)]}
records = grain.experimental.TFRecordIterDataset("bad.tfrecord")
features = [example_pb2.Example.FromString(record).features.feature for record in records]
seen["grain"] = [feature["image/class/text"].bytes_list.value[0] for feature in features]
for reader, names in seen.items():
    print(f"{reader} reads {names} and says nothing")
holds = check_sum_fits(good) and not check_sum_fits(bad) and all(names == [b"cebra"] for names in seen.values())
sys.exit(not holds)
PYTHON
