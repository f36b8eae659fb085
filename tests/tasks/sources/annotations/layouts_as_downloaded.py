"""Published data sets as they are downloaded: lists and tables beside the images, by their documentation."""

import json

from tests.tasks.sources.annotations.scenes import CLASSES, HEIGHT, SCENES, WIDTH, data_of
from tests.tasks.sources.annotations.writing import NAMED, SPLITS, pictures, put, voc


def _lines(path, scenes, line):
    put(path, "".join(f"{line(scene)}\n" for scene in scenes))


def _by_split(line, root, name="{}.txt"):
    for split, scenes in SPLITS.items():
        _lines(root / name.format(split), [scene for scene in scenes if scene.label], line)


def _number(scene, first=0):
    return CLASSES.index(scene.label) + first


def _folder(scene):
    return f"{scene.label}/{scene.name}"


def _in_label_folders(root):
    for scene in NAMED:
        put(root / _folder(scene), data_of(scene))


def cub(root):
    home = root / "CUB_200_2011"
    _in_label_folders(home / "images")
    numbered = dict(enumerate(NAMED, 1))
    put(home / "images.txt", "".join(f"{n} {_folder(scene)}\n" for n, scene in numbered.items()))
    put(home / "image_class_labels.txt", "".join(f"{n} {_number(scene, 1)}\n" for n, scene in numbered.items()))
    put(home / "classes.txt", "".join(f"{n} {name}\n" for n, name in enumerate(CLASSES, 1)))
    put(home / "train_test_split.txt", "".join(f"{n} {int(scene.split == 'train')}\n" for n, scene in numbered.items()))
    boxes = {n: (x0, y0, x1 - x0, y1 - y0) for n, scene in numbered.items() for x0, y0, x1, y1 in [scene.box]}
    put(home / "bounding_boxes.txt", "".join(f"{n} {' '.join(f'{value}.0' for value in box)}\n" for n, box in boxes.items()))
    put(home / "attributes/certainties.txt", "1 not visible\n")


def tiny_imagenet(root):
    for scene in SPLITS["train"]:
        if scene.label:
            put(root / "train" / scene.label / "images" / scene.name, data_of(scene))
    for name in CLASSES:
        scenes = [scene for scene in SPLITS["train"] if scene.label == name]
        _lines(root / f"train/{name}/{name}_boxes.txt", scenes, lambda s: "\t".join([s.name, *map(str, s.box)]))
    pictures(root / "val/images", SPLITS["val"])
    _lines(root / "val/val_annotations.txt", SPLITS["val"], lambda s: "\t".join([s.name, s.label, *map(str, s.box)]))
    put(root / "test/images/test_0.JPEG", data_of(SCENES[0]))
    put(root / "wnids.txt", "\n".join(CLASSES))


def stanford_dogs(root):
    _in_label_folders(root / "Images")
    for scene in NAMED:
        put(root / "Annotation" / scene.label / scene.stem, voc(scene._replace(name="%s")))


def oxford_pets(root):
    lines = {scene.split: [] for scene in NAMED}
    for number, scene in enumerate(NAMED):
        name = f"{scene.label}_{number}"
        put(root / "images" / f"{name}.jpg", data_of(scene))
        put(root / "annotations/trimaps" / f"{name}.png", data_of(scene))
        put(root / "annotations/xmls" / f"{name}.xml", voc(scene, name="species"))
        lines[scene.split].append(f"{name} {_number(scene, 1)} 1 1\n")
    header = "#Image CLASS-ID SPECIES BREED ID\n#ID: 1:37 Class ids\n"
    put(root / "annotations/list.txt", header + "".join(lines["train"] + lines["val"]))
    put(root / "annotations/trainval.txt", "".join(lines["train"]))
    put(root / "annotations/test.txt", "".join(lines["val"]))


def gtsrb(root):
    for name in CLASSES:
        lines = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
        for scene in NAMED:
            if scene.label == name:
                put(root / "Images" / _folder(scene), data_of(scene))
                lines.append(";".join(map(str, [scene.name, WIDTH, HEIGHT, *scene.box, scene.label])))
        put(root / "Images" / name / f"GT-{name}.csv", "\r\n".join(lines))


def food_101(root):
    _in_label_folders(root / "images")
    _by_split(lambda scene: f"{scene.label}/{scene.stem}", root / "meta")
    put(root / "meta/classes.txt", "\n".join(CLASSES))


def mit_indoor(root):
    _in_label_folders(root / "Images")
    for split, name in {"train": "TrainImages", "val": "ValImages"}.items():
        _lines(root / f"{name}.txt", [scene for scene in SPLITS[split] if scene.label], _folder)


def places(root):
    pictures(root / "val_256", SPLITS["val"])
    for scene in SPLITS["train"]:
        put(root / "data_256/x" / (scene.label or "none") / scene.name, data_of(scene))
    train = [scene for scene in SPLITS["train"] if scene.label]
    _lines(root / "places365_train_standard.txt", train, lambda s: f"/x/{_folder(s)} {_number(s)}")
    _lines(root / "places365_val.txt", SPLITS["val"], lambda s: f"{s.name} {_number(s)}")
    put(root / "categories_places365.txt", "".join(f"{name} {n}\n" for n, name in enumerate(CLASSES)))


def paddle(root, *, first=0, home="", encoding="utf-8"):
    for split, scenes in SPLITS.items():
        pictures(root / split, scenes)
        lines = [f"{home}{split}/{scene.name} {_number(scene, first)}\n" for scene in scenes if scene.label]
        put(root / f"{split}_list.txt", "".join(lines).encode(encoding))
    put(root / "labels.txt", "\n".join(CLASSES))


def mmpretrain(root):
    for split, scenes in SPLITS.items():
        for scene in scenes:
            if scene.label:
                put(root / split / _folder(scene), data_of(scene))
        _lines(root / f"meta/{split}.txt", [s for s in scenes if s.label], lambda s: f"{_folder(s)} {_number(s)}")


def aircraft(root):
    pictures(root / "data/images")
    _by_split(lambda scene: f"{scene.stem} {scene.label}", root / "data", "images_variant_{}.txt")
    _by_split(lambda scene: scene.stem, root / "data", "images_{}.txt")
    _lines(root / "data/images_box.txt", NAMED, lambda scene: f"{scene.stem} {' '.join(map(str, scene.box))}")
    put(root / "data/variants.txt", "\n".join(CLASSES))


def deep_fashion(root):
    pictures(root / "img")
    _lines(root / "Anno/list_category_img.txt", NAMED, lambda scene: f"img/{scene.name}    {scene.label}")
    _lines(root / "Anno/list_bbox.txt", NAMED, lambda scene: f"img/{scene.name} {' '.join(map(str, scene.box))}")
    lines = "".join(f"img/{scene.name}    {scene.split}\n" for scene in NAMED)
    put(root / "Eval/list_eval_partition.txt", f"5\nimage_name  evaluation_status\n{lines}")


def unpacked_sets(root, *, twice):
    for split, folder in {"train": "training_set", "val": "val_set"}.items():
        for scene in SPLITS[split]:
            if scene.label:
                put(root / folder / (folder if twice else "") / _folder(scene), data_of(scene))


def table(root, header, row, name="train.csv"):
    pictures(root / "images")
    put(root / name, "\n".join([header, *map(row, NAMED)]) + "\n")


def signed_attributes(root):
    table(root, "image_id,cat,dog", lambda s: f"{s.name},{1 if s.label == 'cat' else -1},{1 if s.label == 'dog' else -1}")
    put(root / "list_eval_partition.csv", "image_id,partition\n" + "".join(f"{scene.name},0\n" for scene in NAMED))


def fastai(root):
    for split, folder in (("train", "train"), ("val", "valid")):
        pictures(root / folder, SPLITS[split])
    folders = {"train": "train", "val": "valid"}
    put(root / "labels.csv", "name,label\n" + "".join(f"{folders[s.split]}/{s.name},{s.label}\n" for s in NAMED))


def with_split_column(root):
    table(
        root,
        "class id,filepaths,labels,data set",
        lambda s: f"{_number(s)},images/{s.name},{s.label},{'train' if s.split == 'train' else 'valid'}",
        "birds.csv",
    )


def labels_as_json(root):
    table(root, "image,labels", lambda s: f"{s.stem},{json.dumps([s.label]).replace(chr(34), chr(39))}")


def label_json(root, content):
    pictures(root / "images")
    put(root / "labels.json", json.dumps(content))


def label_lines(root):
    pictures(root / "images")
    rows = [{"image": f"images/{s.name}", "label": s.label, "split": "train" if s.split == "train" else "val"} for s in NAMED]
    put(root / "labels.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def text(root, line, header="", name="train.txt"):
    pictures(root / "images")
    put(root / name, header + "".join(f"{line(scene)}\n" for scene in NAMED))


def table_of_names(root):
    table(root, "image,label", lambda scene: f"{scene.name},{scene.label}")
    put(root / "classes.csv", "id,name\n0,cat\n1,dog\n")


def detection_table(root):
    def row(scene):
        return ",".join(map(str, [scene.name, _number(scene), scene.label, *scene.box, scene.split]))

    table(root, "filename,class,class_name,xmin,ymin,xmax,ymax,split", row, "boxes.csv")
