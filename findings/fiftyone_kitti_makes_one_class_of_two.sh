#!/bin/bash
# FiftyOne writes two classes of a data set as one in KITTI's format: "red car" and "red_car" are the same there.
#
# One would guess: the classes of an export are those of the data set, or the export is refused, as a KITTI line is divided by spaces.
# What happens: each space in a class becomes an underscore, without a word. Read again, "traffic light" is "traffic_light", a
# class that no list of names has, and two classes that differ only there are one for good.
# Versions: fiftyone 1.22.1, pillow 12.3.0.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export HOME=$work FIFTYONE_DO_NOT_TRACK=1
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check fiftyone==1.22.1 pillow==12.3.0 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import pathlib
import sys

import fiftyone as fo
from fiftyone.utils.kitti import KITTIDetectionDatasetExporter
from PIL import Image

pathlib.Path("in").mkdir()
exporter = KITTIDetectionDatasetExporter(export_dir="out")
with exporter:
    for name, label in (("one", "red car"), ("two", "red_car")):
        path = str(pathlib.Path(f"in/{name}.jpg").absolute())
        Image.new("RGB", (100, 80)).save(path)
        boxes = [fo.Detection(label=label, bounding_box=[0.1, 0.1, 0.5, 0.5])]
        exporter.export_sample(path, fo.Detections(detections=boxes), metadata=fo.ImageMetadata.build_for(path))
labels = {path.stem: path.read_text().split(" ")[0] for path in sorted(pathlib.Path("out/labels").glob("*.txt"))}
print(f"classes written: {labels}")
sys.exit(labels != {"one": "red_car", "two": "red_car"})
PYTHON
