#!/bin/bash
# A Croissant record set that refers to another can be read once; then it is empty.
#
# One would guess: dataset.records("images") starts from the beginning each time, since the data set was loaded once and its
# files do not change. A training loop of three epochs sees the same rows three times.
# What happens: so it does, until a field gets "references" (a label that points at the table of labels, say). Then the first
# loop gives all rows and each later one, also of a fresh records() call, gives none, without an error.
# Versions: mlcroissant 1.1.1.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check mlcroissant==1.1.1 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import hashlib
import json
import sys

import mlcroissant as mlc

TABLES = {"labels.csv": "index,name\n0,cat\n1,dog\n", "images.csv": "file,label\na.jpg,0\nb.jpg,1\nc.jpg,1\n"}


def field(table, column, kind, **more):
    source = mlc.Source(file_object=f"{table}.csv", extract=mlc.Extract(column=column))
    return mlc.Field(id=f"{table}/{column}", name=column, data_types=[kind], source=source, **more)


def rows_per_loop(**more):
    files = []
    for name, text in TABLES.items():
        with open(name, "w") as file:
            file.write(text)
        check_sum = hashlib.sha256(text.encode()).hexdigest()
        files.append(mlc.FileObject(id=name, name=name, content_url=name, encoding_formats=["text/csv"], sha256=check_sum))
    labels = [field("labels", "index", mlc.DataType.INTEGER), field("labels", "name", mlc.DataType.TEXT)]
    images = [field("images", "file", mlc.DataType.TEXT), field("images", "label", mlc.DataType.INTEGER, **more)]
    tables = [mlc.RecordSet(id="labels", name="labels", key="labels/index", fields=labels)]
    tables.append(mlc.RecordSet(id="images", name="images", fields=images))
    metadata = mlc.Metadata(name="pets", url="https://example.org/pets", distribution=files, record_sets=tables)
    with open("croissant.json", "w") as file:
        json.dump(metadata.to_json(), file)
    dataset = mlc.Dataset("croissant.json")
    return [len(list(dataset.records("images"))) for _ in range(3)]


plain = rows_per_loop()
referring = rows_per_loop(references=mlc.Source(field="labels/index"))
print(f"rows in three loops: {plain} without references, {referring} with")
sys.exit(not (plain == [3, 3, 3] and referring == [3, 0, 0]))
PYTHON
