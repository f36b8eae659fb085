#!/bin/bash
# litdata's train_test_split has room for all records and leaves some out.
#
# One would guess: with splits=[0.8, 0.2], which are the whole, each record is in one of the two parts; eleven records are nine
# and two, say.
# What happens: each share is rounded down by itself. Eleven records become 8 and 2, ninety-nine in three parts of 70, 20 and
# 10 per cent become 69, 19 and 9: one and two records are in no part, from anywhere in the whole. Every record of a rare
# class may be among them; a count of the parts against the number of pictures is the one way to notice. No warning.
# Versions: litdata 0.2.76, torch 2.13.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check litdata==0.2.76 torch==2.13.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

cat >store.py <<'PYTHON'
import litdata


def record(number):
    return {"number": number}


if __name__ == "__main__":
    for count in (11, 99):
        litdata.optimize(record, list(range(count)), f"set{count}", chunk_size=4, num_workers=1)
PYTHON
venv/bin/python store.py >store.txt 2>&1 || { cat store.txt >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import litdata


def seen(count, splits):
    parts = litdata.train_test_split(litdata.StreamingDataset(f"set{count}"), splits=splits)
    numbers = [[found["number"] for found in part] for part in parts]
    missing = sorted(set(range(count)) - {number for part in numbers for number in part})
    print(f"{count} records in parts of {splits}: {[len(part) for part in numbers]}, records in none of them: {missing}")
    return [len(part) for part in numbers], len(missing)


holds = seen(11, [0.8, 0.2]) == ([8, 2], 1)
holds &= seen(99, [0.7, 0.2, 0.1]) == ([69, 19, 9], 2)
sys.exit(not holds)
PYTHON
