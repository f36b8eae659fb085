"""unlabelled_images=keep: images without a label, as detection trains on them, in every file, command and reader."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from imagerecords import open_dataset, plan
from imagerecords.schemas.audit import AuditOptions
from imagerecords.schemas.results import Selection
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.audit.folder import audit_folder
from imagerecords.tasks.commands.diff import diff_datasets
from imagerecords.tasks.commands.extract import extract_images
from imagerecords.tasks.commands.locate import locate_image
from imagerecords.tasks.commands.remove import remove_images
from imagerecords.tasks.findings.find import find
from imagerecords.tasks.sources.annotations.rows import KEEP_THEM
from imagerecords.tasks.storage.folders import open_folder
from tests.flows.examples import boxes_of, examples

OBJECTS = {"a.jpg": ["cat", "dog"], "b.jpg": ["cat"], "c.jpg": [], "d.jpg": ["dog"]}
KEEP = {"labels": "many", "unlabelled_images": "keep", "features": "detection"}
NAMES = ["cat", "dog"]
SIZE = (48, 32)


def coco(folder):
    content = {
        "images": [{"id": n, "file_name": name, "width": 48, "height": 32} for n, name in enumerate(OBJECTS)],
        "categories": [{"id": n, "name": name} for n, name in enumerate(NAMES)],
        "annotations": [
            {"id": 10 * n + m, "image_id": n, "category_id": NAMES.index(name), "bbox": [1, 1, 9, 9]}
            for n, names in enumerate(OBJECTS.values())
            for m, name in enumerate(names)
        ],
    }
    (folder / "instances.json").write_text(json.dumps(content))


def yolo(folder):
    (folder / "classes.txt").write_text("\n".join(NAMES) + "\n")
    for name, objects in OBJECTS.items():
        lines = [f"{NAMES.index(each)} 0.5 0.5 0.25 0.25\n" for each in objects]
        (folder / name).with_suffix(".txt").write_text("".join(lines))


def voc(folder):
    box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
    for name, objects in OBJECTS.items():
        inner = "".join(f"<object><name>{each}</name>{box}</object>" for each in objects)
        size = "<size><width>48</width><height>32</height></size>"
        (folder / name).with_suffix(".xml").write_text(f"<annotation>{size}{inner}</annotation>")


def cvat(folder):
    images = [
        f'<image id="{n}" name="{name}" width="48" height="32">'
        + "".join(f'<box label="{each}" xtl="1" ytl="1" xbr="9" ybr="9"/>' for each in objects)
        + "</image>"
        for n, (name, objects) in enumerate(OBJECTS.items())
    ]
    (folder / "annotations.xml").write_text(f"<annotations><version>1.1</version>{''.join(images)}</annotations>")


def datumaro(folder):
    items = [
        {
            "id": name[0],
            "annotations": [{"type": "bbox", "label_id": NAMES.index(each), "bbox": [1, 1, 8, 8]} for each in objects],
            "image": {"path": name, "size": [32, 48]},
        }
        for name, objects in OBJECTS.items()
    ]
    labels = {"label": {"labels": [{"name": name} for name in NAMES]}}
    (folder / "annotations").mkdir()
    (folder / "annotations/train.json").write_text(json.dumps({"info": {}, "categories": labels, "items": items}))


def retinanet(folder):
    lines = [f"{name},1,1,9,9,{each}\n" for name, objects in OBJECTS.items() for each in objects]
    (folder / "objects.csv").write_text("".join([*lines, "c.jpg,,,,,\n"]))


@pytest.fixture
def pictures(tmp_path, picture):
    (tmp_path / "in").mkdir()
    for number, name in enumerate(OBJECTS):
        (tmp_path / "in" / name).write_bytes(picture(number + 1, size=SIZE))
    return tmp_path / "in"


@pytest.fixture
def built(pictures, build, tmp_path):
    coco(pictures)
    build(annotations=str(pictures), **KEEP, train_shards=1, output_directory=tmp_path / "out")
    return tmp_path / "out"


def found(output):
    return {features["image/filename"][0].decode(): features for features in examples(output)}


@pytest.mark.parametrize("write", [coco, yolo, voc, cvat, datumaro, retinanet])
def test_every_format_gives_its_images_without_objects(write, pictures, build, tmp_path):
    write(pictures)
    skipped = plan(annotations=str(pictures), labels="many", output_directory=str(tmp_path / "out"))
    assert skipped.skipped == {"without a label": 1}
    assert f"annotations: 1 image skipped (without a label): c.jpg{KEEP_THEM}" in skipped.notes
    build(annotations=str(pictures), **KEEP, train_shards=1, output_directory=tmp_path / "out")
    records = found(tmp_path / "out")
    assert {name: len(boxes_of(each)) for name, each in records.items()} == {"a.jpg": 2, "b.jpg": 1, "c.jpg": 0, "d.jpg": 1}
    assert records["c.jpg"]["image/class/label"] == records["c.jpg"]["image/class/text"] == []
    assert audit_folder(str(tmp_path / "out"), {}, AuditOptions()).problems == ()


def test_an_image_whose_entries_are_not_read_is_not_kept(pictures, tmp_path):
    """Else an object that nobody read would be background."""
    cvat(pictures)
    path = pictures / "annotations.xml"
    path.write_text(
        path.read_text().replace("</annotations>", '<image id="9" name="e.jpg"><points points="1,2"/></image></annotations>')
    )
    (pictures / "e.jpg").write_bytes((pictures / "a.jpg").read_bytes())
    planned = plan(annotations=str(pictures), **KEEP, output_directory=str(tmp_path / "out"))
    assert planned.skipped == {"without a label, with entries that are not read": 1}
    assert "annotations: 1 image without a label kept: c.jpg" in planned.notes


def test_rows_of_lists_may_lack_a_label(pictures, build, tmp_path):
    lists = {
        "list.csv": 'path,label,boxes\na.jpg,cat,"[[1,1,9,9]]"\nc.jpg,,"[[1,1,9,9,""cat""],[2,2,9,9],[3,3,9,9,""emu""]]"\n',
        "list.jsonl": '{"path": "a.jpg", "label": ["cat"]}\n{"path": "c.jpg", "label": []}\n',
    }
    for name, text in lists.items():
        (pictures / name).write_text(text)
        (error,) = plan(image_list=str(pictures / name), labels="many", output_directory=str(tmp_path / name)).errors
        assert error.startswith("a row must have a label, got none. To write such images pass --unlabelled_images keep: ")
        features = "detection" if name == "list.csv" else "classic"
        settings = KEEP | {"features": features, "tensorflow_check": "all"}
        build(image_list=str(pictures / name), **settings, train_shards=1, output_directory=tmp_path / name)
        assert found(tmp_path / name)["c.jpg"]["image/class/label"] == []
    assert [box[:2] for box in boxes_of(found(tmp_path / "list.csv")["c.jpg"])] == [(1, pytest.approx(1 / 48))]
    planned = plan(image_list=str(pictures / "list.csv"), **KEEP, output_directory=str(tmp_path / "again"))
    assert "2 × left out, since neither their object's name is a label nor has their image one" in "\n".join(
        f"{reason.count} × {reason.reason}" for reason in planned.boxes.reasons
    )


def test_of_duplicates_one_with_a_label_is_kept(pictures, build, tmp_path):
    (pictures / "c.jpg").write_bytes((pictures / "d.jpg").read_bytes())
    coco(pictures)
    build(annotations=str(pictures), **KEEP, duplicates="drop", output_directory=tmp_path / "out")
    assert found(tmp_path / "out").keys() == {"a.jpg", "b.jpg", "d.jpg"}


def test_counts_are_of_labels_and_of_images_without_any(built, tmp_path, pictures):
    planned = plan(annotations=str(pictures), **KEEP, output_directory=str(tmp_path / "other"))
    assert planned.splits[0].labels == {"no label": 1, "cat": 2, "dog": 2}
    row = next(row for row in pq.read_table(built / "manifest.parquet").to_pylist() if row["path"] == "c.jpg")
    assert (row["label"], row["text"], row["labels"], row["texts"], row["boxes"]) == (None, None, [], [], 0)
    assert "no label" in (built / "report.html").read_text()
    assert (built / "labels.txt").read_text() == "cat\ndog\n"


def test_commands_say_that_there_is_no_label(built, tmp_path, build, pictures):
    assert str(locate_image(str(built), "c.jpg", {})[0]).endswith("no label")
    done = extract_images(str(built), tmp_path / "all", Selection(), {})
    assert (done.written, done.unlabelled) == (4, 1)
    assert (tmp_path / "all/unlabelled/c.jpg").exists()
    content = json.loads((pictures / "instances.json").read_text())
    content["annotations"].append({"id": 99, "image_id": 2, "category_id": 1, "bbox": [1, 1, 9, 9]})
    (pictures / "instances.json").write_text(json.dumps(content))
    build(annotations=str(pictures), **KEEP, train_shards=1, output_directory=tmp_path / "other")
    (change,) = diff_datasets(str(built), str(tmp_path / "other"), {})
    assert (change.was, change.now) == ("no label", "2 dog")
    remove_images(str(built), ["a.jpg"], {})
    assert found(built).keys() == {"b.jpg", "c.jpg", "d.jpg"}
    assert audit_folder(str(built), {}, AuditOptions()).problems == ()


def test_they_are_stratified_and_appended(pictures, build, picture, tmp_path):
    for number in range(8):
        (pictures / f"n{number}.jpg").write_bytes(picture(20 + number, size=SIZE))
    rows = [*(f"{name},{label}" for name, labels in OBJECTS.items() for label in labels[:1])]
    (pictures / "list.csv").write_text("\n".join(["path,label", *rows, *(f"n{n}.jpg," for n in range(7))]) + "\n")
    settings = {
        "image_list": str(pictures / "list.csv"),
        **KEEP | {"features": "classic"},
        "validation_fraction": 0.5,
        "output_directory": tmp_path / "out",
    }
    build(**settings)
    labels = {
        split: [each["image/class/text"] for each in examples(tmp_path / "out", split)] for split in ("train", "validation")
    }
    assert {split: each.count([]) for split, each in labels.items()} == {"train": 4, "validation": 3}
    assert find(open_folder(str(tmp_path / "out"), {})).counts.missing_labels == 1  # one of two has one image
    with (pictures / "list.csv").open("a") as file:
        file.write("n7.jpg,\n")
    build(**settings, append=True)
    assert audit_folder(str(tmp_path / "out"), {}, AuditOptions()).problems == ()
    assert audit_folder(str(tmp_path / "out"), {}, AuditOptions()).records == 11


def test_python_and_keras_read_no_label(built):
    data = open_dataset(built)
    record = next(record for record in data["train"] if record.path == "c.jpg")
    assert (record.label, record.text, record.labels, record.texts, record.boxes) == (None, None, (), (), ())
    assert data.labels == ("cat", "dog")
    ones = [label.numpy().tolist() for _, label in data["train"].tf(batch=None, labels_from_zero=True)]
    assert sorted(ones) == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_tfds_and_croissant_read_no_label(built):
    tfds = pytest.importorskip("tensorflow_datasets")
    mlcroissant = pytest.importorskip("mlcroissant")
    builder = tfds.builder_from_directory(str(built))
    labels = [each["image"]["class"]["label"].tolist() for each in tfds.as_numpy(builder.as_dataset(split="train"))]
    assert sorted(labels) == [[], [1], [1, 2], [2]]
    rows = {row["images/path"]: row for row in mlcroissant.Dataset(str(built / "croissant.json")).records("images")}
    assert sorted(np.atleast_1d(row["images/labels"]).tolist() for row in rows.values()) == [[], [1], [1, 2], [2]]


@pytest.mark.parametrize("name", ["c.jpg", "a.jpg"])
def test_records_alone_say_the_same(built, name):
    (built / "manifest.parquet").unlink()
    (located,) = locate_image(str(built), name, {})
    assert str(located).endswith("no label" if name == "c.jpg" else "labels 1 'cat', 2 'dog'")


def test_without_lists_of_labels_the_setting_is_refused():
    with pytest.raises(ValueError, match="unlabelled_images keep must go with labels many, got one"):
        BuildSettings(annotations="in", output_directory="out", unlabelled_images="keep")
    with pytest.raises(ValueError, match="unlabelled_images keep must go with annotations or an image list"):
        BuildSettings(label_studio="in.json", output_directory="out", labels="many", unlabelled_images="keep")


def test_a_data_set_needs_a_label(pictures, tmp_path):
    (pictures / "list.csv").write_text("path,label\na.jpg,\nb.jpg,\n")
    (error,) = plan(image_list=str(pictures / "list.csv"), **KEEP, output_directory=str(tmp_path / "out")).errors
    assert error.startswith("image_list must list labelled images, got none: ")
