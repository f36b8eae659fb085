#!/bin/bash
# Datumaro makes a picture of nothing of a CVAT picture with a rotated box and an ellipse.
#
# One would guess: a rotated box becomes the upright box round it in formats that have no others, as an upright box stays what
# it is, and an ellipse its outline or its box; or the conversion says what it cannot carry over.
# What happens: an ellipse is left out as CVAT's XML is read. A rotated box is read, and left out as COCO, YOLO and Pascal VOC
# are written. The picture is there with an empty list of objects, which detectors take for a picture of background; a box
# beside them that happens to be upright arrives, so that no count of pictures shows it. Nothing warns.
# Versions: datumaro 1.13.12, pillow 12.3.0, numpy 2.4.6.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check datumaro==1.13.12 pillow==12.3.0 numpy==2.4.6 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - 2>errors.txt <<'PYTHON' || { status=$?; cat errors.txt >&2; exit "$status"; }
import glob
import json
import os
import sys
import xml.etree.ElementTree as xml

import datumaro as dm
from PIL import Image

BOX = '<box label="car" occluded="0" xtl="10" ytl="40" xbr="90" ybr="50" z_order="0"{}></box>'
SHAPES = {
    "upright": BOX.format(""),
    "rotated": BOX.format(' rotation="90"'),
    "ellipse": '<ellipse label="car" occluded="0" cx="50" cy="50" rx="20" ry="10" z_order="0"></ellipse>',
}
os.makedirs("cvat/images")
pictures = ""
for number, (name, shape) in enumerate(SHAPES.items()):
    Image.new("RGB", (100, 100)).save(f"cvat/images/{name}.jpg")
    pictures += f'<image id="{number}" name="{name}.jpg" width="100" height="100">{shape}</image>\n'
with open("cvat/annotations.xml", "w") as file:
    file.write(f"""<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><id>1</id><name>cars</name><size>3</size><mode>annotation</mode><overlap>0</overlap>
<labels><label><name>car</name><attributes></attributes></label></labels></task></meta>
{pictures}</annotations>
""")

photos = dm.Dataset.import_from("cvat", "cvat")
read = {item.id: [type(shape).__name__ for shape in item.annotations] for item in photos}
found = {}
for kind in ("coco", "yolo", "voc"):
    photos.export(kind, kind, save_media=True)
instances = [json.load(open(path)) for path in glob.glob("coco/annotations/instances*.json")]
names = {image["id"]: image["file_name"][:-4] for file in instances for image in file["images"]}
found["coco"] = {name: sum(names[shape["image_id"]] == name for file in instances for shape in file["annotations"]) for name in SHAPES}
found["yolo"] = {name: len(open(glob.glob(f"yolo/**/{name}.txt", recursive=True)[0]).read().splitlines()) for name in SHAPES}
files = {name: f"voc/Annotations/{name}.xml" for name in SHAPES}
found["voc"] = {name: len(xml.parse(path).findall("object")) if os.path.exists(path) else 0 for name, path in files.items()}
print(f"read from CVAT: {read}")
for kind, objects in found.items():
    print(f"objects in {kind}: {objects}")
expected = {"upright": 1, "rotated": 0, "ellipse": 0}
sys.exit(not (read == {"upright": ["Bbox"], "rotated": ["RotatedBbox"], "ellipse": []} and all(found[kind] == expected for kind in found)))
PYTHON
