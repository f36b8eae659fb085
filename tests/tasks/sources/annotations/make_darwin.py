"""Makes exports/darwin: run by hand in an environment with darwin-py (3.6.3), `python make_darwin.py exports`."""

import json
import shutil
import sys
from pathlib import Path

import darwin.datatypes as dt
import scenes
from darwin.exporter.formats.darwin import build_image_annotation


def annotation_of(scene):
    x0, y0, x1, y1 = scene.box
    if scene.stem != "three":
        return dt.make_bounding_box(scene.label, x0, y0, x1 - x0, y1 - y0)
    corners = [{"x": x, "y": y} for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
    return dt.make_polygon(scene.label, corners, {"x": x0, "y": y0, "w": x1 - x0, "h": y1 - y0})


def main(target):
    shutil.rmtree(target / "darwin", ignore_errors=True)
    for split in ("train", "val"):
        chosen = [scene for scene in scenes.SCENES if scene.split == split]
        scenes.write(target / "darwin" / split / "images", chosen)
        (target / "darwin" / split / "annotations").mkdir()
        for scene in chosen:
            annotations = [annotation_of(scene)] if scene.box else []
            classes = {annotation.annotation_class for annotation in annotations}
            file = {"path": Path(f"{scene.stem}.json"), "filename": scene.name, "remote_path": "/"}
            slot = dt.Slot(name="0", type="image", source_files=[], width=scenes.WIDTH, height=scenes.HEIGHT)
            whole = dt.AnnotationFile(
                annotation_classes=classes, annotations=annotations, slots=[slot], dataset_name="pets", **file
            )
            text = json.dumps(build_image_annotation(whole, "Anna"), indent=1)
            (target / "darwin" / split / "annotations" / f"{scene.stem}.json").write_text(text)


main(Path(sys.argv[1]).absolute())
