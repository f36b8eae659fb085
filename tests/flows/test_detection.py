"""features=detection: what readers of object detection parse, beside the classic features, and the files that describe it."""

import hashlib
import json

import numpy as np
import pytest

from imagerecords import open_dataset
from imagerecords.schemas.audit import AuditOptions
from imagerecords.schemas.errors import BadLayout, OutputConflict
from imagerecords.schemas.example import encode_example
from imagerecords.schemas.frame import frame
from imagerecords.tasks.audit.folder import audit_folder
from imagerecords.tasks.commands.remove import remove_images
from tests.flows.examples import boxes_of, examples

BOXES = "a0.JPEG,0.125,0.25,0.5,0.75\na0.JPEG,0,0,0.25,0.25\nb0.JPEG,0,0,1,1\n"
SIZE = (64, 32)
LABELS = ["cat", 'big "dog"']


@pytest.fixture(scope="module")
def source(tmp_path_factory, picture):
    root = tmp_path_factory.mktemp("detection")
    for label, names in zip(LABELS, (["a0", "a1"], ["b0"]), strict=True):
        (root / "in" / label).mkdir(parents=True)
        for name in names:
            (root / "in" / label / f"{name}.JPEG").write_bytes(picture(int(name[1]) + len(label), size=SIZE))
    (root / "boxes.csv").write_text(BOXES)
    (root / "labels.txt").write_text("\n".join(LABELS) + "\n")
    return root


@pytest.fixture(scope="module")
def settings(source):
    return {
        "train_directory": source / "in",
        "labels_file": source / "labels.txt",
        "bounding_boxes": str(source / "boxes.csv"),
        "train_shards": 1,
    }


@pytest.fixture
def built(build, settings, tmp_path):
    build(**settings, features="detection", output_directory=tmp_path / "out")
    return tmp_path / "out"


def by_name(output):
    return {features["image/filename"][0].decode(): features for features in examples(output)}


def test_records_have_both_sets_of_features(built):
    found = by_name(built)
    first = found["a0.JPEG"]
    assert len(boxes_of(first)) == 2
    assert first["image/object/class/label"] == first["image/object/bbox/label"] == [1, 1]
    assert first["image/object/class/text"] == [b"cat", b"cat"]
    assert first["image/object/area"] == [24 * 16, 16 * 8]
    assert first["image/object/is_crowd"] == [0, 0]
    assert first["image/key/sha256"] == [hashlib.sha256(first["image/encoded"][0]).hexdigest().encode()]
    assert found["b0.JPEG"]["image/object/class/text"] == [b'big "dog"']
    assert found["a1.JPEG"]["image/object/class/text"] == found["a1.JPEG"]["image/object/area"] == []


def test_source_ids_are_distinct_numbers_of_int64(built):
    ids = [int(features["image/source_id"][0]) for features in examples(built)]
    assert len(set(ids)) == 3
    assert all(0 <= each < 2**63 for each in ids)


def test_the_rest_of_a_record_is_as_in_a_classic_one(built, build, settings, tmp_path):
    build(**settings, output_directory=tmp_path / "classic")
    classic = by_name(tmp_path / "classic")
    detection = by_name(built)
    for name, features in classic.items():
        assert {key: detection[name][key] for key in features} == features
    assert not (tmp_path / "classic/label_map.pbtxt").exists()


def test_the_label_map_is_written_and_listed(built):
    written = (built / "label_map.pbtxt").read_text()
    assert written == 'item {\n  id: 1\n  name: "cat"\n}\nitem {\n  id: 2\n  name: "big \\"dog\\""\n}\n'
    listed = {
        each.get("contentUrl"): each.get("sha256")
        for each in json.loads((built / "croissant.json").read_text())["distribution"]
    }
    assert listed["label_map.pbtxt"] == hashlib.sha256(written.encode()).hexdigest()


def test_with_synsets_the_label_map_has_their_texts_too(build, settings, tmp_path):
    (tmp_path / "synsets.txt").write_text('cat\tcrane\nbig "dog"\tcrane\n')
    build(**settings, features="detection", synsets_file=tmp_path / "synsets.txt", output_directory=tmp_path / "out")
    assert '  name: "cat"\n  display_name: "crane"\n' in (tmp_path / "out/label_map.pbtxt").read_text()
    assert by_name(tmp_path / "out")["b0.JPEG"]["image/object/class/text"] == [b"crane"]


def test_audit_reads_them_and_finds_another_label_map(built):
    audit = audit_folder(str(built), {}, AuditOptions(pixels=True, tensorflow=True))
    assert audit.problems == ()
    assert not any("label_map" in note for note in audit.notes)
    (built / "label_map.pbtxt").write_text("item {}\n")
    assert [problem.file for problem in audit_folder(str(built), {}, AuditOptions()).problems] == ["label_map.pbtxt"]
    (built / "label_map.pbtxt").unlink()
    problems = audit_folder(str(built), {}, AuditOptions()).problems
    assert [(problem.file, problem.problem) for problem in problems] == [("label_map.pbtxt", "is missing")]


def test_open_dataset_reads_the_boxes(built):
    record = next(record for record in open_dataset(built)["train"] if record.path.endswith("a0.JPEG"))
    assert [(box.label, box.xmin) for box in record.boxes] == [(1, 0.125), (1, 0)]


def test_another_build_over_it_makes_it_classic(built, build, settings):
    build(**settings, output_directory=built, overwrite=True)
    assert not (built / "label_map.pbtxt").exists()
    assert audit_folder(str(built), {}, AuditOptions()).problems == ()


def test_images_are_appended_with_the_same_features_only(built, build, settings):
    with pytest.raises(OutputConflict, match="features is 'classic', was 'detection'"):
        build(**settings, output_directory=built, append=True)
    before = by_name(built)
    build(**settings, features="detection", output_directory=built, append=True)
    assert by_name(built) == before


def test_images_are_removed_from_them(built):
    remove_images(str(built), ["a1.JPEG"], {})
    assert by_name(built).keys() == {"a0.JPEG", "b0.JPEG"}
    assert (built / "label_map.pbtxt").exists()
    assert audit_folder(str(built), {}, AuditOptions()).problems == ()


def test_lists_that_differ_are_reported_in_others_records(tmp_path, picture):
    """As another tool may write detection records, with one class too few."""
    corners = {f"image/object/bbox/{corner}": np.array([0.5, 0.5], np.float32) for corner in ("xmin", "xmax", "ymin", "ymax")}
    features = {"image/encoded": picture(1), "image/object/class/text": (b"cat",), **corners}
    data = encode_example(features)
    before, after, _ = frame(data)
    (tmp_path / "a.tfrecord").write_bytes(before + data + after)
    (problem,) = audit_folder(str(tmp_path), {}, AuditOptions()).problems
    assert problem.problem.startswith("a box must have all its values, got 2 image/object/bbox/xmin")


def test_tfds_opens_them(built):
    tfds = pytest.importorskip("tensorflow_datasets")
    found = {
        each["image"]["filename"]: each["image"]["object"]["class"]["text"].tolist()
        for each in tfds.as_numpy(tfds.builder_from_directory(str(built)).as_dataset(split="train"))
    }
    assert found == {b"a0.JPEG": [b"cat", b"cat"], b"a1.JPEG": [], b"b0.JPEG": [b'big "dog"']}


def test_model_gardens_decoder_parses_them(built):
    """The keys and types that the decoder for detection of Model Garden parses, and those of the Object Detection API."""
    tf = pytest.importorskip("tensorflow")
    one, many = tf.io.FixedLenFeature, tf.io.VarLenFeature
    corners = {f"image/object/bbox/{corner}": many(tf.float32) for corner in ("xmin", "xmax", "ymin", "ymax")}
    spec = corners | {
        "image/encoded": one((), tf.string),
        "image/format": one((), tf.string),
        "image/filename": one((), tf.string),
        "image/key/sha256": one((), tf.string),
        "image/source_id": one((), tf.string),
        "image/height": one((), tf.int64),
        "image/width": one((), tf.int64),
        "image/object/class/label": many(tf.int64),
        "image/object/class/text": many(tf.string),
        "image/object/area": many(tf.float32),
        "image/object/difficult": many(tf.int64),
        "image/object/is_crowd": many(tf.int64),
    }
    counts = []
    for record in tf.data.TFRecordDataset(str(built / "train-00000-of-00001")):
        found = tf.io.parse_single_example(record, spec)
        assert tf.strings.to_number(found["image/source_id"], tf.int64) >= 0
        values = {key: tf.sparse.to_dense(value).numpy() for key, value in found.items() if key.startswith("image/object/")}
        counts.append({len(value) for value in values.values()})
        xmin, xmax, ymin, ymax = (values[key] for key in corners)
        np.testing.assert_allclose(values["image/object/area"], (xmax - xmin) * (ymax - ymin) * SIZE[0] * SIZE[1])
    assert sorted(map(sorted, counts)) == [[0], [1], [2]]


def test_without_boxes_it_is_an_error(build, settings, tmp_path):
    with pytest.raises(BadLayout, match="features must be detection only with boxes, got an input without any"):
        build(**settings | {"bounding_boxes": None}, features="detection", output_directory=tmp_path / "out")
