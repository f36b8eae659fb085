#!/bin/bash
# Label Studio's COCO of a turned photo contradicts itself.
#
# One would guess: a rectangle and a polygon drawn round the same thing come out of the COCO export at the same place, inside
# an image of the size that they were drawn on.
# What happens, with a 600x400 JPEG that its EXIF orientation shows upright as 400x600: the image is listed as 600x400 (the
# size as stored), the rectangle is in pixels of the upright 400x600, and the polygon, drawn with the very same corners, is
# stretched to 600x400. One file, two systems of coordinates, and the polygon fits neither picture.
# Versions: label-studio-sdk 2.1.2 (its converter is what Label Studio exports with), pillow 13.0.0.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check label-studio-sdk==2.1.2 pillow==13.0.0 || { echo "could not install the packages" >&2; exit 2; }

venv/bin/python - <<'PYTHON'
import json
import os
import sys

from label_studio_sdk.converter import Converter
from PIL import Image

orientation = Image.Exif()
orientation[274] = 6
Image.new("RGB", (600, 400), (180, 30, 30)).save("turned.jpg", exif=orientation)

drawn_on = {"original_width": 400, "original_height": 600, "image_rotation": 0, "to_name": "photo"}
rectangle = {"x": 10, "y": 20, "width": 50, "height": 25, "rotation": 0, "rectanglelabels": ["head"]}
polygon = {"points": [[10, 20], [60, 20], [60, 45], [10, 45]], "closed": True, "polygonlabels": ["head"]}
results = [
    {**drawn_on, "from_name": "box", "type": "rectanglelabels", "value": rectangle},
    {**drawn_on, "from_name": "outline", "type": "polygonlabels", "value": polygon},
]
annotation = {"id": 1, "completed_by": 1, "was_cancelled": False, "result": results}
with open("tasks.json", "w") as file:
    json.dump([{"id": 1, "data": {"photo": os.path.abspath("turned.jpg")}, "annotations": [annotation]}], file)
labelling = """<View><Image name="photo" value="$photo"/>
<RectangleLabels name="box" toName="photo"><Label value="head"/></RectangleLabels>
<PolygonLabels name="outline" toName="photo"><Label value="head"/></PolygonLabels></View>"""
converter = Converter(labelling, ".", download_resources=False)
converter.convert_to_coco("tasks.json", "coco", output_image_dir="coco/images", is_dir=False)

with open("coco/result.json") as file:
    coco = json.load(file)
size = [coco["images"][0]["width"], coco["images"][0]["height"]]
boxes = [[round(number) for number in found["bbox"]] for found in coco["annotations"]]
print(f"drawn on 400x600; COCO says the image is {size[0]}x{size[1]}")
print(f"the rectangle's box: {boxes[0]}; the box of a polygon with the same corners: {boxes[1]}")
sys.exit(not (size == [600, 400] and boxes == [[40, 120, 200, 150], [60, 80, 300, 100]]))
PYTHON
