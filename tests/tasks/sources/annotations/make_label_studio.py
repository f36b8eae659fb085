"""Makes exports/label_studio_*: run by hand with label-studio-sdk (2.1.2), `python make_label_studio.py exports`.

Its converter leaves the images where they are; here they are put into `images`, where the server's exports have them.
"""

import json
import shutil
import sys
from pathlib import Path

import scenes
from label_studio_sdk.converter import Converter
from label_studio_sdk.converter.converter import Format

CONFIG = (
    '<View><Image name="image" value="$image"/><RectangleLabels name="label" toName="image">'
    '<Label value="cat"/><Label value="dog"/></RectangleLabels></View>'
)


def task(number, scene, pictures):
    results = []
    if scene.box:
        x0, y0, x1, y1 = (100 * value / side for value, side in zip(scene.box, (scenes.WIDTH, scenes.HEIGHT) * 2, strict=True))
        value = {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0, "rotation": 0, "rectanglelabels": [scene.label]}
        sizes = {"original_width": scenes.WIDTH, "original_height": scenes.HEIGHT, "image_rotation": 0}
        named = {"id": "r", "from_name": "label", "to_name": "image", "type": "rectanglelabels"}
        results.append(named | sizes | {"value": value})
    times = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "lead_time": 3.0}
    annotation = {"id": number, "completed_by": 1, "was_cancelled": False, "result": results} | times
    return {"id": number, "data": {"image": str(pictures / scene.name)}, "annotations": [annotation]}


def main(target):
    pictures = scenes.write(target / "pictures")
    tasks = [task(number, scene, pictures) for number, scene in enumerate(scenes.SCENES, start=1)]
    (target / "export.json").write_text(json.dumps(tasks))
    for form in (Format.COCO, Format.VOC, Format.YOLO):
        output = target / f"label_studio_{form.name.lower()}"
        shutil.rmtree(output, ignore_errors=True)
        converter = Converter(CONFIG, project_dir=None, download_resources=False)
        converter.convert(str(target / "export.json"), str(output), form, is_dir=False)
        scenes.write(output / "images")
        for path in output.rglob("*"):
            if path.suffix in (".json", ".xml"):
                text = path.read_text().replace("\\/", "/").replace(str(pictures), "/home/anna/label-studio/media/upload/1")
                path.write_text(text)
    (target / "export.json").unlink()
    shutil.rmtree(pictures)


main(Path(sys.argv[1]).absolute())
