"""Files of annotators in the browser, of the clouds' services and of Kaggle's tables, written by their documentation."""

import json

from tests.tasks.sources.annotations.scenes import CLASSES, HEIGHT, SCENES, WIDTH
from tests.tasks.sources.annotations.writing import NAMED, TRAIN, pictures, put, yolo_line

USE = "aiplatform.googleapis.com/ml_use"


def sides(scene):
    x0, y0, x1, y1 = scene.box
    return x0, y0, x1 - x0, y1 - y0


def relative(scene):
    return [number / side for number, side in zip(scene.box, (WIDTH, HEIGHT, WIDTH, HEIGHT), strict=True)]


def use(scene):
    return "training" if scene in TRAIN else "validation"


def lines(items):
    return "".join(f"{json.dumps(item)}\n" for item in items)


def table(root, header, rows, name="labels.csv", folder="images"):
    pictures(root / folder)
    put(root / name, "".join(f"{','.join(map(str, row))}\n" for row in [*([header] if header else []), *rows]))


def via_region(scene, **attributes):
    x, y, width, height = sides(scene)
    return {"shape_attributes": {"name": "rect", "x": x, "y": y, "width": width, "height": height}} | {
        "region_attributes": attributes
    }


def via_project(root):
    """The class is the option of a radio button, whose number the regions have."""
    pictures(root / "photos")
    images = {
        f"{scene.name}900": {
            "filename": scene.name,
            "size": 900,
            "regions": [via_region(scene, kind=str(CLASSES.index(scene.label)))] if scene.box else [],
            "file_attributes": {"caption": "a photo"},
        }
        for scene in SCENES
    }
    options = {"type": "radio", "options": dict(enumerate(CLASSES)), "default_options": {}}
    project = {"_via_settings": {"core": {"default_filepath": "photos/"}}, "_via_img_metadata": images}
    put(root / "via_project.json", json.dumps(project | {"_via_attributes": {"region": {"kind": options}, "file": {}}}))


def via_csv(root):
    pictures(root)
    rows = ["filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"]
    for scene in SCENES:
        region = via_region(scene, label={scene.label: True}, note="") if scene.box else {}
        shape, own = (json.dumps(region.get(key, {})).replace('"', '""') for key in ("shape_attributes", "region_attributes"))
        rows.append(f'{scene.name},900,"{{}}",{int(bool(region))},0,"{shape}","{own}"')
    put(root / "via_region_data.csv", "\n".join(rows))


def vott_asset(scene):
    x, y, width, height = sides(scene) if scene.box else (0, 0, 0, 0)
    box = {"left": x, "top": y, "width": width, "height": height}
    region = {"id": "r", "type": "RECTANGLE", "tags": [scene.label], "boundingBox": box, "points": []}
    asset = {"id": scene.stem, "name": scene.name, "path": f"file:C:/My%20Photos/{scene.name}", "type": 1, "state": 2}
    size = {"size": {"width": WIDTH, "height": HEIGHT}}
    return {"asset": asset | size, "regions": [region] if scene.box else [], "version": "2.2.0"}


def vott_export(root):
    pictures(root / "vott-json-export")
    content = {"name": "pets", "tags": [], "version": "2.2.0", "assets": {scene.stem: vott_asset(scene) for scene in SCENES}}
    put(root / "vott-json-export" / "pets-export.json", json.dumps(content))


def vott_assets(root):
    pictures(root)
    for scene in SCENES:
        put(root / f"{scene.stem}-asset.json", json.dumps(vott_asset(scene)))


def dlib(root):
    pictures(root / "images")
    images = ""
    for scene in SCENES:
        box = ""
        if scene.box:
            x, y, width, height = sides(scene)
            box = f"<box top='{y}' left='{x}' width='{width}' height='{height}'><label>{scene.label}</label></box>"
            box += "<box top='0' left='0' width='3' height='3' ignore='1'><label>other</label></box>"
        images += f"<image file='images/{scene.name}' width='{WIDTH}' height='{HEIGHT}'>{box}</image>"
    put(root / "pets.xml", f"<?xml version='1.0' encoding='ISO-8859-1'?><dataset><images>{images}</images></dataset>")


def ground_truth(root):
    pictures(root)
    items = []
    for scene in NAMED:
        x, y, width, height = sides(scene)
        number = CLASSES.index(scene.label)
        box = {"class_id": number, "left": x, "top": y, "width": width, "height": height}
        value = {"annotations": [box], "image_size": [{"width": WIDTH, "height": HEIGHT, "depth": 3}]}
        about = {"class-map": {str(number): scene.label}, "type": "groundtruth/object-detection", "human-annotated": "yes"}
        items.append({"source-ref": f"s3://bucket/pets/{scene.name}", "boxes": value, "boxes-metadata": about})
    put(root / "manifests/output/output.manifest", lines(items))


def ground_truth_classes(root):
    pictures(root)
    about = {"type": "groundtruth/image-classification", "confidence": 0.95, "human-annotated": "yes"}
    items = [
        {"source-ref": f"s3://bucket/{scene.name}", "pets": 0, "pets-metadata": about | {"class-name": scene.label}}
        for scene in NAMED
    ]
    put(root / "output.manifest", lines(items))


def vertex(root):
    pictures(root)
    items = []
    for scene in SCENES:
        box = dict(zip(("xMin", "yMin", "xMax", "yMax"), relative(scene), strict=True)) if scene.box else {}
        item = {"imageGcsUri": f"gs://bucket/{scene.name}", "dataItemResourceLabels": {USE: use(scene)}}
        items.append(item | {"boundingBoxAnnotations": [box | {"displayName": scene.label}] if box else []})
    put(root / "data.jsonl", lines(items))


def azure(root):
    pictures(root)
    items = []
    for scene in NAMED:
        corners = dict(zip(("topX", "topY", "bottomX", "bottomY"), relative(scene), strict=True))
        details = {"format": "jpg", "width": f"{WIDTH}px", "height": f"{HEIGHT}px"}
        label = [corners | {"label": scene.label, "isCrowd": 0}]
        items.append({"image_url": f"AmlDatastore://store/{scene.name}", "image_details": details, "label": label})
    put(root / "labels.jsonl", lines(items))


def ultralytics(root):
    pictures(root / "images")
    items = [{"type": "dataset", "task": "detect", "name": "pets", "class_names": dict(enumerate(CLASSES))}]
    for scene in SCENES:
        boxes = [[float(word) for word in yolo_line(scene).split()]] if scene.box else []
        item = {"type": "image", "file": scene.name, "url": f"https://images.example.org/{scene.name}", "split": scene.split}
        sizes = {"width": WIDTH, "height": HEIGHT}
        items.append(item | sizes | {"annotations": {"boxes": [[int(box[0]), *box[1:]] for box in boxes]}})
    put(root / "pets.ndjson", lines(items))


def automl(root):
    rows = []
    for scene in NAMED:
        x0, y0, x1, y1 = relative(scene)
        rows.append([use(scene).upper(), f"gs://bucket/{scene.name}", scene.label, x0, y0, "", "", x1, y1, "", ""])
    table(root, None, rows)


def make_sense(root):
    table(root, None, [[scene.label, *sides(scene), scene.name, WIDTH, HEIGHT] for scene in NAMED])


def yolo_keras(root):
    pictures(root)
    boxes = {scene: [*scene.box, CLASSES.index(scene.label)] for scene in NAMED}
    rows = [f"{scene.name} {','.join(map(str, boxes[scene]))}" if scene.box else scene.name for scene in SCENES]
    put(root / "_annotations.txt", "\n".join(rows))
    put(root / "_classes.txt", "\n".join(CLASSES))


def apples_createml(root):
    pictures(root)
    items = []
    for scene in NAMED:
        x, y, width, height = sides(scene)
        inner = {"x": x + width / 2, "y": y + height / 2, "width": width, "height": height}
        items.append({"imagefilename": scene.name, "annotation": [{"coordinates": inner, "label": scene.label}]})
    put(root / "annotations.json", json.dumps(items))


def boxes_by_id(root):
    rows = [[scene.stem, scene.label, CLASSES.index(scene.label), *scene.box] for scene in NAMED]
    header = ["image_id", "class_name", "class_id", "x_min", "y_min", "x_max", "y_max"]
    table(root, header, [*rows, ["nothing", "No finding", 14, "", "", "", ""]])


def labels_by_id(root):
    table(root, ["id", "breed"], [[scene.stem, scene.label] for scene in NAMED])


def one_hot_by_id(root):
    rows = [[scene.stem, *(float(label == scene.label) for label in CLASSES)] for scene in NAMED]
    table(root, ["image", *CLASSES], rows, name="train.csv", folder="train")


def pixels_in_yolo(root):
    pictures(root / "images")
    put(root / "classes.txt", "\n".join(CLASSES))
    for scene in NAMED:
        x, y, width, height = sides(scene)
        line = f"{CLASSES.index(scene.label)} {x + width / 2} {y + height / 2} {width} {height}"
        put(root / "labels" / f"{scene.stem}.txt", line)


def rotated_in_yolo(root):
    """Lines of nine numbers, without a data.yaml, as Label Studio has them."""
    pictures(root / "images")
    put(root / "classes.txt", "\n".join(CLASSES))
    for scene in NAMED:
        x0, y0, x1, y1 = relative(scene)
        put(root / "labels" / f"{scene.stem}.txt", f"{CLASSES.index(scene.label)} {x0} {y0} {x1} {y0} {x1} {y1} {x0} {y1}\n")


def lvis(root):
    """Images by the URL of COCO's file alone."""
    pictures(root / "train2017")
    images = [
        {"id": n, "coco_url": f"http://images.cocodataset.org/train2017/{scene.name}", "width": WIDTH, "height": HEIGHT}
        for n, scene in enumerate(NAMED)
    ]
    boxes = [
        {"id": n, "image_id": n, "category_id": CLASSES.index(scene.label), "bbox": sides(scene)}
        for n, scene in enumerate(NAMED)
    ]
    categories = [{"id": n, "name": label} for n, label in enumerate(CLASSES)]
    content = {"images": images, "annotations": boxes, "categories": categories}
    put(root / "lvis_v1.json", json.dumps(content))
