"""Makes exports/pycocotools and pycocotools_masks.json: by hand, with pycocotools (2.0.11), `python make_pycocotools.py .`.

COCO without a bbox: masks as its C code and its Python write them, and polygons; and the boxes that it finds around masks.
"""

import json
import random
import shutil
import sys
from pathlib import Path

import numpy as np
import scenes
from pycocotools import mask as masks


def runs_of(mask):
    """Uncompressed run lengths, as the annotations of COCO's crowds have them."""
    runs, value = [0], 0
    for pixel in mask.ravel(order="F"):
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    return {"size": list(mask.shape), "counts": runs}


def text_of(mask):
    """Compressed run lengths."""
    encoded = masks.encode(np.asfortranarray(mask))
    return {"size": list(encoded["size"]), "counts": encoded["counts"].decode()}


def segmentation_of(number, scene):
    x0, y0, x1, y1 = scene.box
    mask = np.zeros((scenes.HEIGHT, scenes.WIDTH), np.uint8)
    mask[y0:y1, x0:x1] = 1
    polygon = [[x0, y0, x1, y0, x1, y1, x0, y1]]
    return (text_of(mask), runs_of(mask), polygon)[number % 3]


def main(home):
    root = home / "exports/pycocotools"
    shutil.rmtree(root, ignore_errors=True)
    for split in ("train", "val"):
        chosen = [scene for scene in scenes.SCENES if scene.split == split]
        scenes.write(root / split, chosen)
        sides = {"width": scenes.WIDTH, "height": scenes.HEIGHT}
        images = [{"id": n, "file_name": scene.name} | sides for n, scene in enumerate(chosen, 1)]
        annotations = [
            {"id": n, "image_id": n, "category_id": scenes.CLASSES.index(scene.label) + 1, "iscrowd": 0}
            | {"segmentation": segmentation_of(n, scene)}
            for n, scene in enumerate(chosen, 1)
            if scene.box
        ]
        categories = [{"id": n, "name": label} for n, label in enumerate(scenes.CLASSES, 1)]
        content = {"images": images, "annotations": annotations, "categories": categories}
        (root / split / "_annotations.coco.json").write_text(json.dumps(content, indent=1))
    found, numbers = [], random.Random(7)
    for n in range(40):
        height, width = numbers.randint(1, 40), numbers.randint(1, 40)
        mask = np.array([numbers.random() < (0.002, 0.02, 0.5, 1)[n % 4] for _ in range(height * width)], np.uint8)
        mask[numbers.randrange(height * width)] = 1
        mask = mask.reshape(height, width)
        (box,) = masks.toBbox([masks.encode(np.asfortranarray(mask))]).tolist()
        found.append({"box": box, "text": text_of(mask), "runs": runs_of(mask)})
    (home / "pycocotools_masks.json").write_text("".join(f"{json.dumps(item)}\n" for item in found))


main(Path(sys.argv[1]).absolute())
