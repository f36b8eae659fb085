#!/bin/bash
# Hugging Face datasets reads the dogs of one Parquet file as the cats of another.
#
# One would guess: each Parquet file carries its class names, so labels of several files are matched by name, or files whose
# names differ are refused, as concatenate_datasets refuses them.
# What happens: load_dataset("parquet") takes the names from the first file and the bare numbers from all of them. With ["cat",
# "dog"] in the first and ["dog", "hen"] in the second, each dog of the second comes out as a cat and each hen as a dog. Train
# and test as two splits fare the same: the test split gets the names of the training split, and every label of it is wrong.
# Such files come about easily: the classes of an image folder are numbered by what is in that folder, so a test folder without
# cats numbers dogs from 0. Streaming does it too. Nothing warns.
# Versions: datasets 5.2.0.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check datasets==5.2.0 || { echo "could not install the packages" >&2; exit 2; }

HF_HOME="$work/cache" HF_DATASETS_OFFLINE=1 venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import sys

import datasets

datasets.disable_progress_bars()
FILES = {"train": ["cat", "dog"], "test": ["dog", "hen"]}
rows = {}
for name, classes in FILES.items():
    features = datasets.Features({"label": datasets.ClassLabel(names=classes)})
    rows[name] = datasets.Dataset.from_dict({"label": [0, 1]}, features=features)
    rows[name].to_parquet(f"{name}.parquet")


def names(rows):
    return [rows.features["label"].int2str(row["label"]) for row in rows]


written = {name: names(each) for name, each in rows.items()}
paths = {name: f"{name}.parquet" for name in FILES}
splits = {name: names(each) for name, each in datasets.load_dataset("parquet", data_files=paths).items()}
together = names(datasets.load_dataset("parquet", data_files=list(paths.values()), split="train"))
streamed = names(datasets.load_dataset("parquet", data_files=list(paths.values()), split="train", streaming=True))
try:
    datasets.concatenate_datasets(list(rows.values()))
    refused = False
except ValueError:
    refused = True
print(f"written: {written}")
print(f"loaded as two splits: {splits}; as one: {together}; streamed: {streamed}")
print(f"concatenate_datasets refuses the two: {refused}")
holds = refused and written == FILES and splits == {"train": ["cat", "dog"], "test": ["cat", "dog"]}
sys.exit(not (holds and together == streamed == ["cat", "dog", "cat", "dog"]))
PYTHON
