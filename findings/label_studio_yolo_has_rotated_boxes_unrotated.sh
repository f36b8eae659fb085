#!/bin/bash
# Label Studio exports a rotated box to the right place in COCO, and to an empty place in YOLO and Pascal VOC.
#
# One would guess: formats that have upright boxes only get the upright box round the rotated one, all the same; or the rotated
# box is left out, or refused.
# What happens: COCO has the box round it. YOLO and VOC have the box as it was before it was rotated, and Label Studio rotates
# boxes about their upper left corner, so that a box of 40 by 10 at (50, 20), rotated by 90 degrees, lies at (40, 20) to (50,
# 60) and is exported as (50, 20) to (90, 30): the two do not touch. The angle is in neither file. Nothing warns. (The export
# "YOLO with oriented boxes" has it right.)
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
import sys
import xml.etree.ElementTree as xml

from label_studio_sdk.converter import Converter
from PIL import Image

CONFIG = """<View><Image name="image" value="$image"/>
<RectangleLabels name="label" toName="image"><Label value="car"/></RectangleLabels></View>"""
os.mkdir("photos")
Image.new("RGB", (100, 100)).save("photos/a.jpg")
value = {"x": 50, "y": 20, "width": 40, "height": 10, "rotation": 90, "rectanglelabels": ["car"]}
box = {"id": "1", "type": "rectanglelabels", "from_name": "label", "to_name": "image", "value": value}
box |= {"original_width": 100, "original_height": 100, "image_rotation": 0}
task = {"id": 1, "data": {"image": "photos/a.jpg"}, "annotations": [{"id": 1, "completed_by": {"id": 1}, "result": [box]}]}
json.dump([task], open("tasks.json", "w"))

converter = Converter(CONFIG, project_dir=None, download_resources=False)
converter.convert_to_coco("tasks.json", "coco", is_dir=False)
converter.convert_to_yolo("tasks.json", "yolo", is_dir=False)
converter.convert_to_voc("tasks.json", "voc", is_dir=False)
x, y, width, height = json.load(open("coco/result.json"))["annotations"][0]["bbox"]
coco = [round(end) for end in (x, y, x + width, y + height)]
_, x, y, width, height = (float(number) * 100 for number in open("yolo/labels/a.txt").read().split())
yolo = [round(end) for end in (x - width / 2, y - height / 2, x + width / 2, y + height / 2)]
voc = [int(xml.parse("voc/Annotations/a.xml").find(f".//{end}").text) for end in ("xmin", "ymin", "xmax", "ymax")]
print(f"40 by 10 at (50, 20), rotated by 90 degrees: COCO {coco}, YOLO {yolo}, VOC {voc}")
sys.exit(not (coco == [40, 20, 50, 60] and yolo == voc == [50, 20, 90, 30]))
PYTHON
