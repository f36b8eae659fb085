"""Makes the exports beside it from project.json, with Label Studio's own converter, which it exports with too.

    pip install label-studio-sdk==2.1.2 && python make_exports.py

The tests write the pictures themselves, and read the exports as they are here. No paths of this machine are in them.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path

from label_studio_sdk.converter import Converter
from label_studio_sdk.converter.converter import Format
from PIL import Image

HERE = Path(__file__).parent
CONFIG = """<View><Image name="photo" value="$image_source"/>
<Choices name="animal" toName="photo"><Choice value="cat"/><Choice value="dog"/></Choices>
<RectangleLabels name="thing" toName="photo"><Label value="head"/><Label value="tail"/></RectangleLabels>
<EllipseLabels name="round" toName="photo"><Label value="eye"/></EllipseLabels>
<PolygonLabels name="outline" toName="photo"><Label value="body"/></PolygonLabels>
<KeyPointLabels name="point" toName="photo"><Label value="nose"/></KeyPointLabels></View>"""
SIZE = (400, 600)  # as people saw the pictures


def region(kind, control, name, number, **value):
    """A region as the editor writes it."""
    labels = {f"{kind}labels": [name]}
    size = {"original_width": SIZE[0], "original_height": SIZE[1], "image_rotation": 0}
    where = {"from_name": control, "to_name": "photo", "type": f"{kind}labels", "origin": "manual"}
    return {**size, "value": value | labels, "id": f"r{number}", **where}


def rectangle(x, y, width, height, name="head", **more):
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": 0} | more
    return region("rectangle", "thing", name, 1, **value)


def choice(*choices):
    return {"value": {"choices": list(choices)}, "id": "c", "from_name": "animal", "to_name": "photo", "type": "choices"}


def annotation(number, by, *results, **more):
    at = f"2026-01-0{1 + number % 9}T10:00:00.{number:06}Z"
    base = {"id": number, "completed_by": by, "result": list(results), "was_cancelled": False, "ground_truth": False}
    return base | {"created_at": at, "updated_at": at, "lead_time": 7.2, "unique_id": f"u{number}"} | more


def task(number, image, *annotations, predictions=()):
    data = {"image_source": image, "label": "guess", "page": "https://example.com/a.html"}
    counts = {"drafts": [], "predictions": list(predictions), "total_annotations": len(annotations)}
    return {
        "id": 100 + number,
        "annotations": list(annotations),
        "file_upload": "tasks.csv",
        "data": data,
        "project": 1,
    } | counts


def project():
    upload, local = "/data/upload/1/", "/data/local-files/?d="
    circle = region("ellipse", "round", "eye", 7, x=50, y=50, radiusX=20, radiusY=10, rotation=0)
    outline = region("polygon", "outline", "body", 8, points=[[10, 10], [60, 20], [40, 70]], closed=True)
    nose = region("keypoint", "point", "nose", 9, x=10, y=10, width=0.5)
    guess = {"model_version": "m", "score": 0.9, "result": [choice("dog"), rectangle(0, 0, 100, 100)]}
    ones = [
        task(1, upload + "0a1b2c3d-straight.jpg", annotation(1, 1, rectangle(10, 20, 50, 25), choice("cat"))),
        task(2, upload + "0a1b2c3d-turned6.jpg", annotation(2, 1, choice("dog"), rectangle(10, 20, 50, 25, "tail"))),
        task(3, upload + "0a1b2c3d-%C3%9Cn%C3%AFcode.jpg", annotation(3, 2, choice("cat"), outline, circle, nose)),
        task(4, local + "more/a%20b%2Bc.jpg", annotation(4, 1, choice("dog"), rectangle(40, 30, 20, 10, rotation=30))),
        task(5, local + "more/cats&dogs#1.jpg", annotation(5, 1, choice("cat")), predictions=[guess]),
        task(6, upload + "0a1b2c3d-predicted.jpg", predictions=[guess]),
        task(7, upload + "0a1b2c3d-skipped.jpg", annotation(7, 1, choice("cat"), was_cancelled=True)),
        task(8, upload + "0a1b2c3d-empty.jpg", annotation(8, 1)),
    ]
    both = [
        task(
            1,
            upload + "0a1b2c3d-straight.jpg",
            annotation(11, 1, choice("cat"), rectangle(0, 0, 5, 5)),
            annotation(12, 2, rectangle(10, 20, 50, 25), choice("cat")),
            annotation(13, 3, choice("dog"), was_cancelled=True),
        ),
        task(2, upload + "0a1b2c3d-turned6.jpg", annotation(14, 2, choice("dog"), rectangle(10, 20, 50, 25, "tail"))),
    ]
    votes = [annotation(15, 1, choice("cat")), annotation(16, 2, choice("cat")), annotation(17, 3, choice("dog"))]
    votes[0]["ground_truth"] = True
    return {"project": ones, "annotators": both, "disputed": [*both, task(4, local + "more/a%20b%2Bc.jpg", *votes)]}


def main():
    for name, tasks in project().items():
        (HERE / f"{name}.json").write_text(json.dumps(tasks, ensure_ascii=False) + "\n")
        for form, ending in ((Format.JSON_MIN, "min.json"), (Format.CSV, "csv"), (Format.TSV, "tsv")):
            with tempfile.TemporaryDirectory() as folder:
                Converter(CONFIG, folder, download_resources=False).convert(
                    str(HERE / f"{name}.json"), folder, form, is_dir=False
                )
                (made,) = Path(folder).iterdir()
                shutil.copy(made, HERE / f"{name}.{ending}")
    coco()


def coco():
    """COCO of the task with two annotators, with the picture beside it."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Image.new("RGB", SIZE).save("straight.jpg")
        first = project()["annotators"][0]
        first["data"]["image_source"] = os.path.abspath("straight.jpg")
        Path("tasks.json").write_text(json.dumps([first]))
        converter = Converter(CONFIG, ".", download_resources=False)
        converter.convert_to_coco("tasks.json", "coco", output_image_dir="coco/images", is_dir=False)
        made = json.loads(Path("coco/result.json").read_text())
        for image in made["images"]:
            image["file_name"] = "images/0a1b2c3d-straight.jpg"
        (HERE / "annotators.coco.json").write_text(json.dumps(made) + "\n")


if __name__ == "__main__":
    main()
