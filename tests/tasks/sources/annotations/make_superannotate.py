"""Makes exports/superannotate: by hand, in an environment with superannotate (4.6.2): `python make_superannotate.py exports`.

Its SDK converts COCO into the files that it exports and imports.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import scenes
from superannotate import import_annotation


def coco(chosen):
    sides = {"width": scenes.WIDTH, "height": scenes.HEIGHT}
    images = [{"id": n, "file_name": scene.name} | sides for n, scene in enumerate(chosen, 1)]
    annotations = []
    for n, scene in enumerate(chosen, 1):
        if scene.box:
            x0, y0, x1, y1 = scene.box
            box = {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0), "iscrowd": 0}
            box["segmentation"] = [[x0, y0, x1, y0, x1, y1, x0, y1]]
            annotations.append({"id": n, "image_id": n, "category_id": scenes.CLASSES.index(scene.label) + 1} | box)
    categories = [{"id": n, "name": name, "supercategory": name} for n, name in enumerate(scenes.CLASSES, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def main(target):
    root = target / "superannotate"
    shutil.rmtree(root, ignore_errors=True)
    for split, task in (("train", "object_detection"), ("val", "instance_segmentation")):
        chosen = [scene for scene in scenes.SCENES if scene.split == split]
        with tempfile.TemporaryDirectory() as folder:
            given, written = Path(folder) / "given", Path(folder) / "written"
            given.mkdir()
            scenes.write(given, chosen)
            (given / "pets.json").write_text(json.dumps(coco(chosen)))
            import_annotation(str(given), str(written), "COCO", "pets", "Vector", task)
            shutil.copytree(written, root / split)
        scenes.write(root / split, chosen)


main(Path(sys.argv[1]).absolute())
