#!/bin/bash
# Two loaders of labels in CSV files rename the class "007" to 7 and make "None" a missing label.
#
# One would guess: a label in a CSV file is the text that stands there. Croissant even declares the column's type: sc:Text.
# What happens: Hugging Face datasets (metadata.csv of an image folder) and mlcroissant both let pandas guess. Labels that are
# all digits lose their zeros: 007 and 010 become 7 and 10, in mlcroissant after its declaration as text as well; one other
# label in the column and they are 007 and 010 again. "None", "NA" and "null", as labelling teams do call pictures without an
# object, become missing values. In JSON lines (metadata.jsonl) they stay what they are.
# Versions: datasets 5.2.0, mlcroissant 1.1.1, pandas 3.1.1, pillow 13.0.0.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check datasets==5.2.0 mlcroissant==1.1.1 pandas==3.1.1 pillow==13.0.0 || { echo "could not install the packages" >&2; exit 2; }

HF_HOME="$work/cache" HF_DATASETS_OFFLINE=1 venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import hashlib
import json
import os
import sys

import datasets
import mlcroissant
from PIL import Image

datasets.disable_progress_bars()


def by_datasets(folder, labels, lines=False):
    os.makedirs(folder)
    names = [f"{number}.png" for number in range(len(labels))]
    for name in names:
        Image.new("RGB", (8, 8), (len(folder), 0, 0)).save(f"{folder}/{name}")
    rows = list(zip(names, labels, strict=True))
    with open(f"{folder}/metadata.{'jsonl' if lines else 'csv'}", "w") as file:
        if lines:
            file.write("".join(json.dumps({"file_name": name, "kind": label}) + "\n" for name, label in rows))
        else:
            file.write("file_name,kind\n" + "".join(f"{name},{label}\n" for name, label in rows))
    return list(datasets.load_dataset("imagefolder", data_dir=folder, split="train")["kind"])


def by_mlcroissant(folder, labels):
    with open(f"{folder}/labels.csv", "w") as file:
        file.write("kind\n" + "".join(f"{label}\n" for label in labels))
    with open(f"{folder}/labels.csv", "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    table = mlcroissant.FileObject(
        id="table", name="table", content_url="labels.csv", encoding_formats=["text/csv"], sha256=digest
    )
    source = mlcroissant.Source(file_object="table", extract=mlcroissant.Extract(column="kind"))
    field = mlcroissant.Field(id="rows/kind", name="kind", data_types=[mlcroissant.DataType.TEXT], source=source)
    rows = mlcroissant.RecordSet(id="rows", name="rows", fields=[field])
    metadata = mlcroissant.Metadata(name="pets", distribution=[table], record_sets=[rows])
    with open(f"{folder}/croissant.json", "w") as file:
        json.dump(metadata.to_json(), file, default=str)
    kinds = [row["rows/kind"] for row in mlcroissant.Dataset(f"{folder}/croissant.json").records("rows")]
    return [kind.decode() if isinstance(kind, bytes) else kind for kind in kinds]


def seen(folder, labels):
    found = by_datasets(folder, labels), by_mlcroissant(folder, labels), by_datasets(f"{folder}_lines", labels, lines=True)
    print(f"{labels}: datasets {found[0]}, mlcroissant {found[1]}; JSON lines {found[2]}")
    return found


numbers, mixed, words = ["007", "010", "042"], ["007", "010", "cat"], ["None", "NA", "null", "cat"]
holds = seen("numbers", numbers) == ([7, 10, 42], ["7", "10", "42"], numbers)
holds &= seen("mixed", mixed) == (mixed, mixed, mixed)
holds &= seen("words", words) == ([None, None, None, "cat"], [None, None, None, "cat"], words)
sys.exit(not holds)
PYTHON
