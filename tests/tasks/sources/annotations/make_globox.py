"""Makes exports/globox_*: run by hand in an environment with globox (2.9.0), `python make_globox.py exports`."""

import shutil
import sys
from pathlib import Path

import scenes
from globox import Annotation, AnnotationSet, BoundingBox


def main(target):
    found = AnnotationSet()
    for scene in scenes.SCENES:
        corners = dict(zip(("xmin", "ymin", "xmax", "ymax"), scene.box or (), strict=False))
        boxes = [BoundingBox(label=scene.label, **corners)] if scene.box else []
        found.add(Annotation(image_id=scene.name, image_size=(scenes.WIDTH, scenes.HEIGHT), boxes=boxes))
    for form in ("via", "open_images"):
        shutil.rmtree(target / f"globox_{form}", ignore_errors=True)
        scenes.write(target / f"globox_{form}")
    found.save_via_json(target / "globox_via" / "via.json", image_folder=target / "globox_via")
    found.save_openimage(target / "globox_open_images" / "boxes.csv")


main(Path(sys.argv[1]).absolute())
