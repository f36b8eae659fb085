#!/bin/bash
# Two converters write COCO's category ids into YOLO labels, so that each class gets its neighbour's name.
#
# One would guess: a COCO file with the categories 1 cat, 2 dog, 3 hen becomes YOLO labels with 0, 1 and 2, which are the places
# of the names in the data.yaml written beside them, as YOLO counts.
# What happens: sahi and pylabel write the ids 1, 2 and 3 as they are, next to "names: [cat, dog, hen]" and "nc: 3". A cat is
# read as number 1, dog; a dog as hen; and number 3 is none of the three. Nothing warns. Ids of most COCO files begin with 1, so
# that it is the ordinary case; with gaps in the ids the numbers go further astray. Datumaro counts from 0.
# Versions: sahi 0.12.8, pylabel 0.1.55, datumaro 1.13.12, pillow 12.3.0, numpy 2.2.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check sahi==0.12.8 pylabel==0.1.55 datumaro==1.13.12 pillow==12.3.0 numpy==2.2.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import contextlib
import json
import os
import pathlib
import sys

import datumaro
import yaml
from PIL import Image
from pylabel import importer
from sahi.utils.coco import Coco

NAMES = {1: "cat", 2: "dog", 3: "hen"}
REST = {"iscrowd": 0, "segmentation": []}
boxes = [
    {"id": label, "image_id": 1, "category_id": label, "bbox": [25 * label, 20, 20, 20], "area": 400} | REST for label in NAMES
]
truth = {
    "images": [{"id": 1, "width": 100, "height": 80, "file_name": "pets.jpg"}],
    "categories": [{"id": label, "name": name, "supercategory": ""} for label, name in NAMES.items()],
    "annotations": boxes,
}
os.makedirs("coco/images/train")
os.makedirs("coco/annotations")
Image.new("RGB", (100, 80)).save("coco/images/train/pets.jpg")
pathlib.Path("coco/annotations/instances_train.json").write_text(json.dumps(truth))


def seen(converter, labels, names):
    rows = [line.split() for line in pathlib.Path(labels).read_text().splitlines()]
    numbers = [int(number) for number, *_ in sorted(rows, key=lambda row: float(row[1]))]
    read = [names[number] if number < len(names) else "(none)" for number in numbers]
    print(f"{converter}: cat, dog, hen are written as {numbers} with the names {names}, which reads {', '.join(read)}")
    return numbers, names


with contextlib.redirect_stdout(sys.stderr):
    coco = Coco.from_coco_dict_or_path("coco/annotations/instances_train.json", image_dir="coco/images/train")
    coco.export_as_yolo("sahi", train_split_rate=1.0, disable_symlink=True)
    table = importer.ImportCoco("coco/annotations/instances_train.json", path_to_images="coco/images/train", name="pets")
    table.export.ExportToYoloV5(output_path="pylabel/labels", yaml_file="pylabel.yaml", copy_images=False)
    datumaro.Dataset.import_from("coco", "coco").export("datumaro", "yolo", save_media=True)

plain = ["cat", "dog", "hen"]
settings = {name: yaml.safe_load(next(pathlib.Path(name).rglob("*.y*ml")).read_text()) for name in ("sahi", "pylabel")}
by_sahi = seen("sahi", "sahi/train/pets.txt", settings["sahi"]["names"])
by_pylabel = seen("pylabel", "pylabel/labels/pets.txt", settings["pylabel"]["names"])
by_datumaro = seen("datumaro", "datumaro/obj_train_data/pets.txt", pathlib.Path("datumaro/obj.names").read_text().split())
sys.exit(not (by_sahi == by_pylabel == ([1, 2, 3], plain) and by_datumaro == ([0, 1, 2], plain)))
PYTHON
