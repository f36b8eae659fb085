#!/bin/bash
# Datumaro's YOLO export leaves polygons out, unless the data set went through COCO first.
#
# One would guess: an object drawn as a polygon gets the box round it in a YOLO (Darknet) export, as converters commonly do, or
# an error says that YOLO has no polygons; and a detour by way of COCO, which keeps both kinds, changes nothing.
# What happens: exported at once, the polygon is gone and nothing tells of it, so the picture of a labelled dog trains as one of
# no dog. Exported to COCO, imported and exported to YOLO, the dog's box is there: the import adds a box to each polygon. Pascal
# VOC fares the same.
# Versions: datumaro 1.13.12, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check datumaro==1.13.12 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import contextlib
import io
import pathlib
import re
import sys

import datumaro
from datumaro.components.annotation import Bbox, Polygon
from PIL import Image

Image.new("RGB", (40, 30), (90, 120, 60)).save("pets.png")
cat = Bbox(4, 3, 10, 9, label=0)
dog = Polygon([20, 6, 32, 6, 32, 18], label=1)
picture = datumaro.Image.from_file(path="pets.png")
item = datumaro.DatasetItem("pets", subset="train", media=picture, annotations=[cat, dog])
drawn = datumaro.Dataset.from_iterable([item], categories=["cat", "dog"])


def boxes(dataset, name):
    told = io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(told):
        dataset.export(f"{name}_yolo", "yolo", save_media=True)
        dataset.export(f"{name}_voc", "voc", save_media=True)
    lines = pathlib.Path(f"{name}_yolo/obj_train_data/pets.txt").read_text().splitlines()
    yolo = sorted(["cat", "dog"][int(line.split()[0])] for line in lines)
    objects = re.findall(r"<object>\s*<name>(\w+)</name>", pathlib.Path(f"{name}_voc/Annotations/pets.xml").read_text())
    print(f"{name}: boxes in YOLO {yolo}, in Pascal VOC {sorted(objects)}; said: {told.getvalue()!r}")
    return yolo, sorted(objects), told.getvalue()


at_once = boxes(drawn, "at_once")
drawn.export("coco", "coco", save_media=True)
through_coco = boxes(datumaro.Dataset.import_from("coco", "coco"), "through_coco")
sys.exit(not (at_once == (["cat"], ["cat"], "") and through_coco[:2] == (["cat", "dog"], ["cat", "dog"])))
PYTHON
