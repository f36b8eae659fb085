"""object_labels=own: objects with classes of their own, and what detection's records say of crowds, difficulty and areas."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from imagerecords import open_dataset
from imagerecords.schemas.audit import AuditOptions
from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.audit.folder import audit_folder
from imagerecords.tasks.commands.remove import remove_images
from tests.flows.examples import boxes_of, examples

SIZE = (64, 32)
CLASSES = {7: "wheel", 3: "door"}
OBJECTS = [  # image, category, box in pixels, iscrowd, area
    ("a0.JPEG", 7, [0, 0, 32, 16], 0, 300.0),
    ("a0.JPEG", 3, [32, 0, 32, 32], "1", 900),
    ("b0.JPEG", 7, [8, 8, 16, 16], 0, 0),
]


def coco(objects=OBJECTS, classes=CLASSES):
    names = sorted({image for image, *_ in objects})
    return {
        "images": [{"id": name, "file_name": name, "width": SIZE[0], "height": SIZE[1]} for name in names],
        "categories": [{"id": number, "name": name} for number, name in classes.items()],
        "annotations": [
            {"id": n, "image_id": image, "category_id": category, "bbox": box, "iscrowd": crowd, "area": area}
            for n, (image, category, box, crowd, area) in enumerate(objects, 1)
        ],
    }


@pytest.fixture
def source(tmp_path, picture):
    for label, names in (("car", ["a0", "a1"]), ("van", ["b0"])):
        (tmp_path / "in" / label).mkdir(parents=True)
        for name in names:
            (tmp_path / "in" / label / f"{name}.JPEG").write_bytes(picture(ord(name[0]) + int(name[1]), size=SIZE))
    (tmp_path / "boxes.json").write_text(json.dumps(coco()))
    return tmp_path


@pytest.fixture
def own(source, build):
    def run(**more):
        settings = {
            "train_directory": source / "in",
            "bounding_boxes": str(source / "boxes.json"),
            "train_shards": 1,
            "features": "detection",
            "object_labels": "own",
            "output_directory": source / "out",
        }
        build(**settings | more)
        found = {features["image/filename"][0].decode(): features for features in examples(source / "out")}
        return SimpleNamespace(path=source / "out", **{name[:2]: features for name, features in found.items()})

    return run


def problems(built):
    return audit_folder(str(built.path), {}, AuditOptions(pixels=True)).problems


def test_objects_have_classes_of_their_own_and_boxes_their_images_label(own):
    built = own(crowd="keep")
    assert built.a0["image/class/text"] == [b"car"]
    assert built.a0["image/object/class/text"] == [b"wheel", b"door"]
    assert built.a0["image/object/class/label"] == [2, 1]
    assert built.a0["image/object/bbox/label"] == [1, 1]
    assert built.b0["image/object/class/text"] == [b"wheel"]
    assert built.b0["image/object/bbox/label"] == [2]
    assert (built.path / "labels.txt").read_text() == "car\nvan\n"
    assert (built.path / "object_labels.txt").read_text() == "door\nwheel\n"
    assert 'id: 2\n  name: "wheel"' in (built.path / "label_map.pbtxt").read_text()
    assert problems(built) == ()


def test_crowds_are_dropped_or_kept_and_areas_are_the_files_own(own):
    dropped = own()
    assert dropped.a0["image/object/class/text"] == [b"wheel"]
    assert (dropped.path / "object_labels.txt").read_text() == "wheel\n"
    kept = own(crowd="keep", overwrite=True)
    assert kept.a0["image/object/is_crowd"] == [0, 1]
    assert kept.a0["image/object/area"] == [300, 900]
    assert kept.b0["image/object/area"] == [256]  # 0 is no area
    assert len(boxes_of(kept.a0)) == 2


def test_an_area_larger_than_its_box_is_reported_and_the_boxs_own(own, source, build):
    (source / "boxes.json").write_text(json.dumps(coco([("a0.JPEG", 7, [0, 0, 32, 16], 0, 5000)])))
    built = own()
    assert built.a0["image/object/area"] == [512]
    summary = build(
        train_directory=source / "in",
        bounding_boxes=str(source / "boxes.json"),
        features="detection",
        output_directory=source / "again",
    )
    assert any("stated one is larger" in reason.reason for reason in summary.boxes.reasons)


def test_areas_grow_smaller_with_the_image(own):
    assert own(resize_shorter_side=16).a0["image/object/area"] == [75]


def test_difficult_objects_of_voc_are_marked(own, source):
    xml = "<annotation><size><width>64</width><height>32</height></size>{}</annotation>"
    element = (
        "<object><name>{}</name><difficult>{}</difficult><bndbox><xmin>0</xmin><ymin>0</ymin><xmax>9</xmax><ymax>9</ymax>"
        "</bndbox></object>"
    )
    (source / "voc").mkdir()
    (source / "voc/a0.xml").write_text(xml.format(element.format("wheel", 1) + element.format("door", 0)))
    built = own(bounding_boxes=str(source / "voc"))
    assert built.a0["image/object/difficult"] == [1, 0]
    assert built.b0["image/object/difficult"] == []


def test_a_file_orders_the_classes_and_others_are_an_error_or_left_out(own, source):
    (source / "classes.txt").write_text("wheel\ndoor\nroof\n")
    built = own(object_labels_file=source / "classes.txt")
    assert built.a0["image/object/class/label"] == [1]
    assert (built.path / "object_labels.txt").read_text() == "wheel\ndoor\nroof\n"
    (source / "classes.txt").write_text("door\n")
    with pytest.raises(BadLayout, match="must be in object_labels_file, got 'wheel'"):
        own(object_labels_file=source / "classes.txt", output_directory=source / "other")
    (source / "map.pbtxt").write_text('item {\n  id: 1\n  name: "door"\n}\n')
    built = own(object_labels_file=source / "map.pbtxt", unlisted_labels="ignore", crowd="keep", overwrite=True)
    assert built.a0["image/object/class/text"] == [b"door"]
    assert built.b0["image/object/class/text"] == []


def test_a_data_set_that_grows_keeps_its_classes(own, source, picture):
    own()
    (source / "in/car/a2.JPEG").write_bytes(picture(77, size=SIZE))
    (source / "boxes.json").write_text(
        json.dumps(coco([*OBJECTS, ("a2.JPEG", 9, [0, 0, 9, 9], 0, 9)], CLASSES | {9: "antenna"}))
    )
    built = own(append=True)
    assert (built.path / "object_labels.txt").read_text() == "wheel\nantenna\n"
    assert built.a2["image/object/class/label"] == [2]
    assert problems(built) == ()


def test_objects_without_a_name_are_left_out(own, source):
    (source / "boxes.csv").write_text("a0.JPEG,0,0,0.5,0.5\n")
    with pytest.raises(BadLayout, match="since their object has no name"):
        own(bounding_boxes=str(source / "boxes.csv"))


def test_readers_and_commands_know_the_classes(own):
    built = own(crowd="keep")
    record = next(record for record in open_dataset(built.path)["train"] if record.path.endswith("a0.JPEG"))
    assert [(box.label, box.text) for box in record.boxes] == [(2, "wheel"), (1, "door")]
    croissant = json.loads((built.path / "croissant.json").read_text())
    assert "object_labels" in {each["name"] for each in croissant["recordSet"]}
    remove_images(str(built.path), ["b0.JPEG"], {})
    assert problems(built) == ()
    (built.path / "object_labels.txt").write_text("wheel\ndoor\n")
    assert {problem.file for problem in problems(built)} == {"object_labels.txt", "image-object-class-label.labels.txt"}


def test_a_classic_build_over_it_removes_its_files(own):
    built = own()
    own(object_labels="image", features="classic", overwrite=True)
    assert not (built.path / "object_labels.txt").exists()
    assert problems(built) == ()


def test_tfds_names_the_classes(own):
    tfds = pytest.importorskip("tensorflow_datasets")
    builder = tfds.builder_from_directory(str(own(crowd="keep").path))
    names = builder.info.features["image"]["object"]["class"]["label"].feature
    found = {each["image"]["filename"]: each for each in tfds.as_numpy(builder.as_dataset(split="train"))}
    labels = found[b"a0.JPEG"]["image"]["object"]["class"]["label"]
    assert [names.int2str(int(label)) for label in labels] == ["wheel", "door"]
    np.testing.assert_array_equal(found[b"a0.JPEG"]["image"]["object"]["is_crowd"], [0, 1])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"object_labels": "own"}, "object_labels own must go with features detection"),
        ({"crowd": "keep"}, "crowd keep must go with features detection"),
        ({"object_labels_file": "x.txt"}, "object_labels_file must go with object_labels own"),
    ],
)
def test_what_classic_records_can_not_say_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        BuildSettings(train_directory="in", output_directory="out", bounding_boxes="b.csv", **settings)
