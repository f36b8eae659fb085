"""labels=many: images with several labels, from every input that can have them, and what readers and commands make of them."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagerecords import open_dataset, plan
from imagerecords.schemas.audit import AuditOptions
from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.results import Selection
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.audit.folder import audit_folder
from imagerecords.tasks.commands.diff import diff_datasets
from imagerecords.tasks.commands.extract import extract_images
from imagerecords.tasks.commands.locate import locate_image
from imagerecords.tasks.commands.remove import remove_images
from tests.flows.examples import examples

LABELS = {"a.jpg": ["dog", "cat"], "b.jpg": ["cat"], "c.jpg": ["emu", "dog"]}
SORTED = {"a.jpg": [1, 2], "b.jpg": [1], "c.jpg": [2, 3]}


@pytest.fixture
def pictures(tmp_path, picture):
    (tmp_path / "in").mkdir()
    for number, name in enumerate(LABELS):
        (tmp_path / "in" / name).write_bytes(picture(number + 1, size=(48, 32)))
    return tmp_path / "in"


def one_hot(folder):
    names = ["emu", "cat", "dog"]
    rows = [f"{image}, {', '.join(str(int(name in labels)) for name in names)}" for image, labels in LABELS.items()]
    (folder / "_classes.csv").write_text("filename, emu, cat, dog\n" + "\n".join(rows) + "\n")
    return {"annotations": str(folder)}


def coco(folder):
    names = ["emu", "cat", "dog"]
    content = {
        "images": [{"id": n, "file_name": image, "width": 48, "height": 32} for n, image in enumerate(LABELS)],
        "categories": [{"id": n, "name": name} for n, name in enumerate(names)],
        "annotations": [
            {"id": 10 * n + m, "image_id": n, "category_id": names.index(label), "bbox": [1, 1, 9, 9]}
            for n, labels in enumerate(LABELS.values())
            for m, label in enumerate(labels)
        ],
    }
    (folder / "instances.json").write_text(json.dumps(content))
    return {"annotations": str(folder)}


def repeated(folder):
    rows = [f"{image},{label}" for image, labels in LABELS.items() for label in labels]
    (folder / "labels.csv").write_text("image_id,label\n" + "\n".join(rows) + "\n")
    return {"annotations": str(folder)}


def open_images(folder):
    rows = [f"{image[0]},verification,{label},1" for image, labels in LABELS.items() for label in labels]
    (folder / "labels.csv").write_text("ImageID,Source,LabelName,Confidence\n" + "\n".join(rows) + "\n")
    return {"annotations": str(folder)}


def json_lines(folder):
    (folder / "list.jsonl").write_text(
        "".join(json.dumps({"path": path, "label": each}) + "\n" for path, each in LABELS.items())
    )
    return {"image_list": str(folder / "list.jsonl")}


def csv_with_json(folder):
    rows = [f'{path},"{json.dumps(each).replace(chr(34), chr(34) * 2)}"' for path, each in LABELS.items()]
    (folder / "list.csv").write_text("path,label\n" + "\n".join(rows) + "\n")
    return {"image_list": str(folder / "list.csv")}


def parquet(folder):
    pq.write_table(pa.table({"path": list(LABELS), "label": list(LABELS.values())}), folder / "list.parquet")
    return {"image_list": str(folder / "list.parquet")}


def label_studio(folder):
    tasks = [
        {
            "id": n,
            "data": {"image": image},
            "annotations": [
                {
                    "id": n,
                    "result": [{"from_name": "kind", "to_name": "image", "type": "choices", "value": {"choices": labels}}],
                }
            ],
        }
        for n, (image, labels) in enumerate(LABELS.items(), 1)
    ]
    (folder / "export.json").write_text(json.dumps(tasks))
    return {"label_studio": str(folder / "export.json")}


INPUTS = [one_hot, coco, repeated, open_images, json_lines, csv_with_json, parquet, label_studio]


def found(output):
    return {features["image/filename"][0].decode(): features for features in examples(output)}


@pytest.mark.parametrize("write", INPUTS)
def test_every_input_gives_all_labels_in_the_order_of_their_ids(write, pictures, build, tmp_path):
    build(**write(pictures), labels="many", train_shards=1, output_directory=tmp_path / "out")
    assert {name: features["image/class/label"] for name, features in found(tmp_path / "out").items()} == SORTED
    assert found(tmp_path / "out")["a.jpg"]["image/class/text"] == [b"cat", b"dog"]
    assert (tmp_path / "out/labels.txt").read_text() == "cat\ndog\nemu\n"
    assert audit_folder(str(tmp_path / "out"), {}, AuditOptions()).problems == ()


@pytest.mark.parametrize("write", [one_hot, coco, repeated, open_images, label_studio])
def test_with_one_label_several_are_refused_with_the_setting_that_takes_them(write, pictures, build, tmp_path):
    with pytest.raises(BadLayout, match=r"an image must have one label, got .*Pass --labels many"):
        build(**write(pictures), output_directory=tmp_path / "out")


@pytest.fixture
def built(pictures, build, tmp_path):
    build(**one_hot(pictures), labels="many", train_shards=1, tensorflow_check="all", output_directory=tmp_path / "out")
    return tmp_path / "out"


def test_a_labels_file_decides_which_is_first(pictures, build, tmp_path):
    (tmp_path / "labels.txt").write_text("emu\ndog\ncat\n")
    build(**one_hot(pictures), labels="many", labels_file=tmp_path / "labels.txt", output_directory=tmp_path / "out")
    assert found(tmp_path / "out")["a.jpg"]["image/class/text"] == [b"dog", b"cat"]


def test_unlisted_and_excluded_labels_leave_the_others(pictures, build, tmp_path):
    (tmp_path / "labels.txt").write_text("dog\nemu\n")
    settings = one_hot(pictures) | {"labels": "many", "labels_file": tmp_path / "labels.txt"}
    with pytest.raises(BadLayout, match=r"a label must be in .* got 'cat'"):
        build(**settings, output_directory=tmp_path / "out")
    build(**settings, unlisted_labels="ignore", output_directory=tmp_path / "out")
    assert {name: each["image/class/text"] for name, each in found(tmp_path / "out").items()} == {
        "a.jpg": [b"dog"],
        "c.jpg": [b"dog", b"emu"],
    }
    build(**one_hot(pictures), labels="many", exclude_labels=("dog",), output_directory=tmp_path / "less")
    assert {name: each["image/class/text"] for name, each in found(tmp_path / "less").items()} == {
        "a.jpg": [b"cat"],
        "b.jpg": [b"cat"],
        "c.jpg": [b"emu"],
    }


def test_plan_counts_an_image_for_each_of_its_labels(pictures, tmp_path):
    (split,) = plan(**one_hot(pictures), labels="many", output_directory=str(tmp_path / "out")).splits
    assert split.images == 3
    assert split.labels == {"cat": 2, "dog": 2, "emu": 1}


def test_commands_know_all_labels(built, tmp_path, build, pictures):
    (located,) = locate_image(str(built), "c.jpg", {})
    assert str(located).endswith("labels 2 'dog', 3 'emu'")
    done = extract_images(str(built), tmp_path / "all", Selection(), {})
    assert done.several == 2
    assert {str(path.relative_to(tmp_path / "all")) for path in (tmp_path / "all").rglob("*.jpg")} == {
        "cat/a.jpg",
        "cat/b.jpg",
        "dog/c.jpg",
    }
    extract_images(str(built), tmp_path / "dogs", Selection(label=("dog",)), {})
    assert {path.name for path in (tmp_path / "dogs").rglob("*.jpg")} == {"a.jpg", "c.jpg"}
    (pictures / "_classes.csv").write_text((pictures / "_classes.csv").read_text().replace("b.jpg, 0, 1, 0", "b.jpg, 0, 1, 1"))
    build(annotations=str(pictures), labels="many", train_shards=1, output_directory=tmp_path / "other")
    (change,) = diff_datasets(str(built), str(tmp_path / "other"), {})
    assert (change.kind, change.was, change.now) == ("relabelled", "1 cat", "1 cat, 2 dog")
    assert "dog" in (built / "report.html").read_text()


def test_a_removed_image_keeps_its_labels_in_the_manifest(built):
    remove_images(str(built), ["a.jpg"], {})
    assert found(built).keys() == {"b.jpg", "c.jpg"}
    assert locate_image(str(built), "a.jpg", {})[0].texts == ["cat", "dog"]
    assert audit_folder(str(built), {}, AuditOptions()).problems == ()


def test_records_alone_say_the_same(built):
    (built / "manifest.parquet").unlink()
    (located,) = locate_image(str(built), "c.jpg", {})
    assert located.texts == ["dog", "emu"]
    records = {record.path: record for record in open_dataset(built)["train"]}
    assert records["c.jpg"].texts == ("dog", "emu")


def test_python_and_keras_read_them(built):
    data = open_dataset(built)
    records = {record.path: record for record in data["train"]}
    assert records["a.jpg"].labels == (1, 2)
    assert (records["a.jpg"].label, records["a.jpg"].text) == (1, "cat")
    ones = [label.numpy().tolist() for _, label in data["train"].tf(batch=None, labels_from_zero=True)]
    assert sorted(ones) == [[0, 1, 1], [1, 0, 0], [1, 1, 0]]


def test_tfds_and_croissant_read_them(built):
    tfds = pytest.importorskip("tensorflow_datasets")
    mlcroissant = pytest.importorskip("mlcroissant")
    builder = tfds.builder_from_directory(str(built))
    names = builder.info.features["image"]["class"]["label"].feature
    texts = [
        [names.int2str(int(label)) for label in each["image"]["class"]["label"]]
        for each in tfds.as_numpy(builder.as_dataset(split="train"))
    ]
    assert sorted(texts) == [["cat"], ["cat", "dog"], ["dog", "emu"]]
    rows = list(mlcroissant.Dataset(str(built / "croissant.json")).records("images"))
    assert sorted(np.asarray(row["images/labels"]).tolist() for row in rows) == [[1], [1, 2], [2, 3]]


def test_images_are_appended_with_several_labels(built, build, pictures, picture):
    (pictures / "d.jpg").write_bytes(picture(9, size=(48, 32)))
    (pictures / "_classes.csv").write_text((pictures / "_classes.csv").read_text() + "d.jpg, 1, 1, 1\n")
    build(annotations=str(pictures), labels="many", append=True, output_directory=built)
    assert found(built)["d.jpg"]["image/class/label"] == [1, 2, 3]
    assert audit_folder(str(built), {}, AuditOptions()).problems == ()


def test_folders_and_synsets_have_one_label():
    with pytest.raises(ValueError, match="labels must be one with label folders"):
        BuildSettings(train_directory="in", output_directory="out", labels="many")
    with pytest.raises(ValueError, match="labels must be one with synsets_file"):
        BuildSettings(image_list="in.csv", output_directory="out", labels="many", synsets_file="s.txt")
