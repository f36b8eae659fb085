"""Makes exports/nucleus: run by hand in an environment with scale-nucleus (0.22.3), `python make_nucleus.py exports`.

The SDK's own writer of annotations, as they are sent to Nucleus and come from it, a list per split.
"""

import json
import shutil
import sys
from pathlib import Path

import scenes
from nucleus import BoxAnnotation, Point, PolygonAnnotation


def annotation_of(scene):
    x0, y0, x1, y1 = scene.box
    if scene.stem == "three":
        corners = [Point(x, y) for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
        return PolygonAnnotation(label=scene.label, vertices=corners, reference_id=scene.name)
    return BoxAnnotation(label=scene.label, x=x0, y=y0, width=x1 - x0, height=y1 - y0, reference_id=scene.name)


def main(target):
    root = target / "nucleus"
    shutil.rmtree(root, ignore_errors=True)
    for split in ("train", "val"):
        chosen = [scene for scene in scenes.SCENES if scene.split == split]
        scenes.write(root / split, chosen)
        annotations = [annotation_of(scene).to_payload() for scene in chosen if scene.box]
        (root / split / "annotations.json").write_text(json.dumps({"annotations": annotations}, indent=1))


main(Path(sys.argv[1]).absolute())
