#!/bin/bash
# A picture that two people labelled is two pictures in Label Studio's COCO, and half labelled in its YOLO.
#
# One would guess: an export has each picture once, with one person's boxes or with both's, and the same in each format.
# What happens: COCO lists the picture twice, under two ids and the one file name, each with the boxes of one person: a trainer
# sees it twice, once without what the other one drew, and a split may put one into training and one into validation. YOLO and
# Pascal VOC write a file per person under the one name, so that the last person's boxes replace the first's. Here a dog and a
# cat by the first and an ant by the second: three boxes in COCO, one in YOLO and in VOC. Nothing warns.
# Versions: label-studio-sdk 2.1.2 (its converter is what Label Studio exports with), pillow 13.0.0.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check label-studio-sdk==2.1.2 pillow==13.0.0 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import json
import os
import pathlib
import re
import sys

from label_studio_sdk.converter import Converter
from PIL import Image

CONFIG = """<View><Image name="img" value="$image"/><RectangleLabels name="box" toName="img">
<Label value="ant"/><Label value="cat"/><Label value="dog"/></RectangleLabels></View>"""


def box(label, left, top):
    place = {"x": left, "y": top, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": [label]}
    size = {"original_width": 600, "original_height": 400, "image_rotation": 0}
    return {"id": label, "from_name": "box", "to_name": "img", "type": "rectanglelabels", "value": place} | size


def annotation(number, *boxes):
    return {"id": number, "completed_by": {"id": number, "email": f"annotator{number}@example.com"}, "result": list(boxes)}


def seen(folder, *annotations):
    os.makedirs(folder)
    task = {"id": 1, "data": {"image": "pets.png"}, "annotations": list(annotations)}
    pathlib.Path(f"{folder}/tasks.json").write_text(json.dumps([task]))
    converter = Converter(CONFIG, project_dir=".", upload_dir=".", download_resources=False)
    source = f"{folder}/tasks.json"
    converter.convert_to_coco(source, f"{folder}/coco", output_image_dir=f"{folder}/coco/images", is_dir=False)
    converter.convert_to_yolo(source, f"{folder}/yolo", is_dir=False)
    converter.convert_to_voc(source, f"{folder}/voc", is_dir=False)
    coco = json.loads(pathlib.Path(f"{folder}/coco/result.json").read_text())
    files = [os.path.basename(image["file_name"]) for image in coco["images"]]
    names = {category["id"]: category["name"] for category in coco["categories"]}
    per_image = {image["id"]: [] for image in coco["images"]}
    for each in coco["annotations"]:
        per_image[each["image_id"]].append(names[each["category_id"]])
    classes = pathlib.Path(f"{folder}/yolo/classes.txt").read_text().split()
    yolo = [classes[int(line.split()[0])] for line in pathlib.Path(f"{folder}/yolo/labels/pets.txt").read_text().splitlines()]
    voc = re.findall(r"<object>\s*<name>(\w+)", pathlib.Path(f"{folder}/voc/Annotations/pets.xml").read_text())
    print(f"{folder}: COCO has {files} with {list(per_image.values())}; YOLO has {yolo}; VOC has {voc}")
    return files, list(per_image.values()), yolo, voc


Image.new("RGB", (600, 400)).save("pets.png")
first, second = annotation(1, box("dog", 50, 25), box("cat", 10, 10)), annotation(2, box("ant", 10, 60))
file, both = "pets.png", ["dog", "cat"]
holds = seen("one", first) == ([file], [both], both, both)
holds &= seen("two", first, second) == ([file, file], [both, ["ant"]], ["ant"], ["ant"])
sys.exit(not holds)
PYTHON
