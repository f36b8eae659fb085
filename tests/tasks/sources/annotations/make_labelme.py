"""Makes exports/labelme_*: run by hand in an environment with labelme (6.3.1), `python make_labelme.py exports`."""

import shutil
import sys
from pathlib import Path

import scenes
from labelme._label_file import write_label_file


def shapes_of(scene):
    if not scene.box:
        return []
    x0, y0, x1, y1 = scene.box
    corners = {
        "two": [[x1, y0], [x0, y1]],
        "three": [[x0, y0], [x1, y0], [x1, y1], [x0, y1]],
    }  # drawn from another corner; a polygon
    points = corners.get(scene.stem, [[x0, y0], [x1, y1]])
    kind = "polygon" if len(points) > 2 else "rectangle"
    named = {"label": scene.label, "group_id": None, "description": "", "flags": {}}
    return [named | {"shape_type": kind, "points": [[float(x), float(y)] for x, y in points]}]


def write(path, scene, image_path, **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    sizes = {"image_height": scenes.HEIGHT, "image_width": scenes.WIDTH}
    write_label_file(str(path), image_path=image_path, image_data=None, **sizes, **more)


def main(target):
    for name in ("labelme_beside", "labelme_windows", "labelme_flags"):
        shutil.rmtree(target / name, ignore_errors=True)
    scenes.write(target / "labelme_beside")
    scenes.write(target / "labelme_windows" / "pictures")
    scenes.write(target / "labelme_flags")
    for scene in scenes.SCENES:
        beside = target / "labelme_beside" / f"{scene.stem}.json"
        write(beside, scene, scene.name, shapes=shapes_of(scene))
        other = target / "labelme_windows" / "json" / f"{scene.stem}.json"
        write(other, scene, f"..\\pictures\\{scene.name}", shapes=shapes_of(scene))
        flags = {name: name == scene.label for name in scenes.CLASSES}
        write(target / "labelme_flags" / f"{scene.stem}.json", scene, scene.name, shapes=[], flags=flags)


main(Path(sys.argv[1]).absolute())
