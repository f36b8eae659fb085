"""Parts of the layouts that tests write: pictures, and a scene as each format has it."""

from tests.tasks.sources.annotations.scenes import CLASSES, HEIGHT, SCENES, WIDTH, data_of

TRAIN = [scene for scene in SCENES if scene.split == "train"]
VALIDATION = [scene for scene in SCENES if scene.split == "val"]
SPLITS = {"train": TRAIN, "val": VALIDATION}
NAMED = [scene for scene in SCENES if scene.label]


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def pictures(folder, scenes=SCENES):
    for scene in scenes:
        put(folder / scene.name, data_of(scene))


def coco(scenes, first=1, name=lambda scene: scene.name, **more):
    images = [{"id": n, "file_name": name(scene), "width": WIDTH, "height": HEIGHT} for n, scene in enumerate(scenes, first)]
    annotations = [
        {
            "id": n,
            "image_id": n,
            "category_id": CLASSES.index(scene.label) + first,
            "bbox": [scene.box[0], scene.box[1], scene.box[2] - scene.box[0], scene.box[3] - scene.box[1]],
            "iscrowd": 0,
            "segmentation": [],
        }
        for n, scene in enumerate(scenes, first)
        if scene.box
    ]
    categories = [{"id": n, "name": label} for n, label in enumerate(CLASSES, first)]
    return {"images": images, "annotations": annotations, "categories": categories} | more


def yolo_line(scene):
    x0, y0, x1, y1 = scene.box
    numbers = (x0 + x1) / 2 / WIDTH, (y0 + y1) / 2 / HEIGHT, (x1 - x0) / WIDTH, (y1 - y0) / HEIGHT
    return f"{CLASSES.index(scene.label)} {' '.join(f'{number:.6f}' for number in numbers)}\n"


def voc(scene, *, size=True, name=None):
    x0, y0, x1, y1 = scene.box
    sides = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>" if size else ""
    box = f"<bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox>"
    label = name or scene.label
    return f"<annotation><filename>{scene.name}</filename>{sides}<object><name>{label}</name>{box}</object></annotation>"


HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
CVAT = HEAD + "<annotations><version>1.1</version><meta><task><name>x</name></task></meta>{}</annotations>"


def cvat_image(number, scene, *, subset="", tag=True, shape="box"):
    inner = ""
    if scene.box:
        x0, y0, x1, y1 = scene.box
        common = f'label="{scene.label}" source="manual" occluded="0" z_order="0"'
        inner += f'<tag label="{scene.label}" source="manual"></tag>' if tag else ""
        if shape == "box":
            inner += f'<box {common} xtl="{x0}" ytl="{y0}" xbr="{x1}" ybr="{y1}"><attribute name="color">red</attribute></box>'
        elif shape == "turned":  # 90° clockwise about the centre: the sides change places
            x, y, across, down = (x0 + x1) / 2, (y0 + y1) / 2, (y1 - y0) / 2, (x1 - x0) / 2
            inner += (
                f'<box {common} xtl="{x - across}" ytl="{y - down}" xbr="{x + across}" ybr="{y + down}" rotation="90.0"></box>'
            )
        else:
            inner += f'<polygon {common} points="{x0},{y0};{x1},{y0};{x1},{y1};{x0},{y1}"></polygon>'
    of = f' subset="{subset}" task_id="1"' if subset else ""
    return f'<image id="{number}" name="{scene.name}"{of} width="{WIDTH}" height="{HEIGHT}">{inner}</image>'
