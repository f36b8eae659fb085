"""Label folders, and the same labels and boxes in every other format that a build reads."""

import json

LABELS = {"n01": 2, "n02": 3}
# By image, in eighths, which pixels, percentages and float32 all hold exactly; the images are 64 × 32.
BOXES = {
    "n01/a0": [("n01", 0.125, 0.25, 0.5, 0.75)],
    "n02/b0": [("n02", 0.0, 0.0, 1.0, 1.0), ("n01", 0.25, 0.5, 0.375, 0.625)],
    "n02/b2": [("n02", 0.5, 0.5, 1.0, 1.0)],
}
WIDTH, HEIGHT = 64, 32


def write_inputs(root, picture):
    """Write all of them below `root`."""
    for folder, names in {"n01": ["a0", "a1"], "n02": ["b0", "b1", "b2"]}.items():
        (root / "in" / folder).mkdir(parents=True)
        for name in names:
            (root / "in" / folder / f"{name}.JPEG").write_bytes(picture(int(name[1]), size=(WIDTH, HEIGHT)))
    (root / "boxes.csv").write_text(
        "".join(f"{image[4:]}.JPEG,{','.join(map(str, box))}\n" for image, boxes in BOXES.items() for _, *box in boxes)
    )
    write_voc(root / "boxes-voc")
    write_coco(root / "coco.json")
    write_image_list(root / "in/images.jsonl")
    write_export(root / "in/export.json")
    (root / "synsets.txt").write_text("n01\tcrane\nn02\tcrane\nn03\tgiraffe\n")  # ImageNet has two cranes


def write_voc(folder):
    folder.mkdir()
    for image, boxes in BOXES.items():
        objects = ""
        for name, xmin, ymin, xmax, ymax in boxes:
            pixels = {"xmin": xmin * WIDTH, "ymin": ymin * HEIGHT, "xmax": xmax * WIDTH, "ymax": ymax * HEIGHT}
            corners = "".join(f"<{corner}>{value:g}</{corner}>" for corner, value in pixels.items())
            objects += f"<object><name>{name}</name><bndbox>{corners}</bndbox></object>"
        size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
        (folder / f"{image[4:]}.xml").write_text(f"<annotation><filename>%s</filename>{size}{objects}</annotation>")


def write_coco(path):
    images = [{"id": n, "file_name": f"{image}.JPEG", "width": WIDTH, "height": HEIGHT} for n, image in enumerate(BOXES)]
    annotations = [
        {
            "image_id": n,
            "category_id": int(name[1:]),
            "bbox": [xmin * WIDTH, ymin * HEIGHT, (xmax - xmin) * WIDTH, (ymax - ymin) * HEIGHT],
        }
        for n, boxes in enumerate(BOXES.values())
        for name, xmin, ymin, xmax, ymax in boxes
    ]
    categories = [{"id": 1, "name": "n01"}, {"id": 2, "name": "n02"}]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))


def paths_of(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*.JPEG"))


def write_image_list(path):
    rows = [
        {
            "path": image,
            "label": image[:3],
            "boxes": [[*box, name] for name, *box in BOXES.get(image.removesuffix(".JPEG"), [])],
        }
        for image in paths_of(path.parent)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_export(path):
    tasks = []
    for image in paths_of(path.parent):
        results = [{"type": "choices", "value": {"choices": [image[:3]]}}]
        for name, xmin, ymin, xmax, ymax in BOXES.get(image.removesuffix(".JPEG"), []):
            value = {"x": xmin * 100, "y": ymin * 100, "width": (xmax - xmin) * 100, "height": (ymax - ymin) * 100}
            results.append({"type": "rectanglelabels", "value": value | {"rectanglelabels": [name]}})
        tasks.append({"data": {"image": f"/data/local-files/?d={image}"}, "annotations": [{"result": results}]})
    path.write_text(json.dumps(tasks))


def sources(root):
    """The settings of each source with its boxes; all but the CSV name their objects."""
    folders = {"train_directory": root / "in"}
    return {
        "csv": folders | {"bounding_boxes": root / "boxes.csv"},
        "voc": folders | {"bounding_boxes": root / "boxes-voc"},
        "coco": folders | {"bounding_boxes": root / "coco.json"},
        "image_list": {"image_list": root / "in/images.jsonl"},
        "label_studio": {"label_studio": root / "in/export.json"},
    }
