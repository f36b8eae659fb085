#!/bin/bash
# One Pascal VOC box has two places and two sizes, by the reader.
#
# One would guess: a box from (11, 21) to (30, 40) in a VOC file is the same box to every converter; VOC counts pixels from 1
# and both ends belong to the box, so it is 20 pixels wide.
# What happens: supervision takes 1 from the left and upper ends: 20 by 20 from (10, 20). Datumaro, globox and pylabel take the
# numbers as they are: 19 by 19 from (11, 21). A box round the whole picture is the whole picture to the first and leaves out a
# row and a column for the others. Supervision and datumaro write VOC back as they read it, so that a round trip shows nothing;
# but labels that pass from the one to the other move, and the IoU of the same 20 pixel box with itself is 0.90, and of an 8
# pixel one 0.77: an AP at IoU 0.8 and above scores it as missed.
# Versions: supervision 0.31.2, datumaro 1.13.12, globox 2.9.0, pylabel 0.1.55, pillow 12.3.0, numpy 2.2.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check supervision==0.31.2 datumaro==1.13.12 globox==2.9.0 pylabel==0.1.55 pillow==12.3.0 numpy==2.2.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import contextlib
import os
import pathlib
import sys

import datumaro
import globox
import supervision
from PIL import Image
from pylabel import importer

BOXES = {"cat": (1, 1, 100, 80), "dog": (11, 21, 30, 40), "bird": (51, 51, 58, 58)}
objects = "".join(
    f"<object><name>{name}</name><pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult><bndbox>"
    f"<xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox></object>"
    for name, (left, top, right, bottom) in BOXES.items()
)
size = "<size><width>100</width><height>80</height><depth>3</depth></size><segmented>0</segmented>"
for folder in ("JPEGImages", "Annotations", "ImageSets/Main"):
    os.makedirs(f"voc/{folder}")
Image.new("RGB", (100, 80)).save("voc/JPEGImages/pets.jpg")
pathlib.Path("voc/ImageSets/Main/train.txt").write_text("pets\n")
pathlib.Path("voc/Annotations/pets.xml").write_text(
    f"<annotation><folder>JPEGImages</folder><filename>pets.jpg</filename>{size}{objects}</annotation>"
)

with contextlib.redirect_stdout(sys.stderr):
    one = supervision.DetectionDataset.from_pascal_voc("voc/JPEGImages", "voc/Annotations")
    by_supervision = next(iter(one.annotations.values())).xyxy.tolist()
    item = next(iter(datumaro.Dataset.import_from("voc", "voc")))
    by_datumaro = [list(box.points) for box in item.annotations if isinstance(box, datumaro.Bbox)]
    by_globox = [list(box.ltrb) for box in next(iter(globox.AnnotationSet.from_pascal_voc("voc/Annotations"))).boxes]
    table = importer.ImportVOC(path="voc/Annotations", path_to_images="../JPEGImages", name="pets").df
    by_pylabel = table[[f"ann_bbox_{side}" for side in ("xmin", "ymin", "xmax", "ymax")]].astype(float).values.tolist()


def overlap(one, two):
    area = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, two)]
    common = (min(one[2], two[2]) - max(one[0], two[0])) * (min(one[3], two[3]) - max(one[1], two[1]))
    return round(common / (sum(area) - common), 2)


for name, first, second in zip(BOXES, by_supervision, by_datumaro, strict=True):
    print(f"{name} {BOXES[name]}: supervision {first}, datumaro {second}, IoU {overlap(first, second)}")
as_written = [list(map(float, box)) for box in BOXES.values()]
print(f"globox {by_globox}, pylabel {by_pylabel}")
holds = by_datumaro == by_globox == by_pylabel == as_written
holds &= by_supervision == [[left - 1, top - 1, right, bottom] for left, top, right, bottom in as_written]
holds &= [overlap(*pair) for pair in zip(by_supervision, by_datumaro, strict=True)] == [0.98, 0.9, 0.77]
sys.exit(not holds)
PYTHON
