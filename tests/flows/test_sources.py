"""Builds from every source of labels and boxes, read back as the classic pipelines and TFDS read them."""

import json
import shutil

import numpy as np
import pytest

from imagerecords.schemas.boxes import CORNERS
from imagerecords.tasks.audit.folder import audit_folder
from imagerecords.tasks.records.example import parse_example
from imagerecords.tasks.records.frames import read_frames
from tests.flows.examples import boxes_of, examples

LABELS = {"n01": 2, "n02": 3}
# By image, in eighths, which pixels, percentages and float32 all hold exactly; the images are 64 × 32.
BOXES = {
    "n01/a0": [("n01", 0.125, 0.25, 0.5, 0.75)],
    "n02/b0": [("n02", 0.0, 0.0, 1.0, 1.0), ("n01", 0.25, 0.5, 0.375, 0.625)],
    "n02/b2": [("n02", 0.5, 0.5, 1.0, 1.0)],
}
WIDTH, HEIGHT = 64, 32


@pytest.fixture(scope="module")
def root(tmp_path_factory, picture):
    """Label folders, and the same boxes in each format."""
    root = tmp_path_factory.mktemp("sources")
    for folder, names in {"n01": ["a0", "a1"], "n02": ["b0", "b1", "b2"]}.items():
        (root / "in" / folder).mkdir(parents=True)
        for name in names:
            (root / "in" / folder / f"{name}.JPEG").write_bytes(picture(int(name[1]), size=(WIDTH, HEIGHT)))
    (root / "boxes.csv").write_text(
        "".join(f"{image[4:]}.JPEG,{','.join(map(str, box))}\n" for image, boxes in BOXES.items() for _, *box in boxes)
    )
    write_voc(root / "boxes-voc")
    write_coco(root / "coco.json")
    write_manifest(root / "in/manifest.jsonl")
    write_export(root / "in/export.json")
    (root / "synsets.txt").write_text("n01\tcrane\nn02\tcrane\nn03\tgiraffe\n")  # ImageNet has two cranes
    return root


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


def write_manifest(path):
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
        "manifest": {"image_list": root / "in/manifest.jsonl"},
        "label_studio": {"label_studio": root / "in/export.json"},
    }


@pytest.fixture(scope="module")
def built(root, build):
    """The output and the summary of a build from each source."""
    return {
        name: (root / name, build(output_directory=root / name, tensorflow_check="all", **settings))
        for name, settings in sources(root).items()
    }


@pytest.mark.parametrize("name", ["voc", "coco", "manifest", "label_studio"])
def test_the_same_boxes_in_another_format_give_the_same_records(built, name):
    """Byte for byte; those of objects that name their label among themselves, since a CSV names none."""
    shards = [(built[source][0] / "train-00000-of-00001").read_bytes() for source in ("voc", name)]
    assert shards[0] == shards[1]


def test_a_csv_gives_the_same_records_but_for_the_objects_own_names(built):
    for by_name, plain in zip(examples(built["voc"][0]), examples(built["csv"][0]), strict=True):
        label = plain["image/class/label"][0]
        assert plain.pop("image/object/bbox/label") == [label] * len(by_name.pop("image/object/bbox/label"))
        assert by_name == plain


def test_every_record_has_the_boxes_of_its_image(built):
    found = {features["image/filename"][0].decode(): boxes_of(features) for features in examples(built["voc"][0])}
    assert found == {
        "a0.JPEG": [(1, 0.125, 0.25, 0.5, 0.75)],
        "a1.JPEG": [],
        "b0.JPEG": [(2, 0, 0, 1, 1), (1, 0.25, 0.5, 0.375, 0.625)],
        "b1.JPEG": [],
        "b2.JPEG": [(2, 0.5, 0.5, 1, 1)],
    }


@pytest.mark.parametrize("name", ["csv", "voc", "coco", "manifest", "label_studio"])
def test_the_books_of_boxes_are_closed_and_the_data_set_audits_clean(built, name):
    output, summary = built[name]
    boxes = summary.boxes
    assert (boxes.found, boxes.written, boxes.images_with_boxes) == (4, 4, 3)
    assert (boxes.dropped, boxes.clamped, boxes.of_no_image, boxes.of_rejected_images) == (0, 0, 0, 0)
    assert audit_folder(str(output), {}).problems == ()


def classic_records(tf, path):
    """parse_example_proto of build_imagenet_data.py's consumer (image_processing.py), told anew."""
    keys = [f"image/object/bbox/{name}" for name in ("ymin", "xmin", "ymax", "xmax")]
    spec = {
        "image/encoded": tf.io.FixedLenFeature([], tf.string, default_value=""),
        "image/class/label": tf.io.FixedLenFeature([1], tf.int64, default_value=-1),
        "image/class/text": tf.io.FixedLenFeature([], tf.string, default_value=""),
        "image/class/synset": tf.io.FixedLenFeature([], tf.string),
    } | {key: tf.io.VarLenFeature(tf.float32) for key in keys}
    for serialized in tf.data.TFRecordDataset(str(path)):
        parsed = tf.io.parse_single_example(serialized, spec)
        box = tf.expand_dims(tf.concat([tf.expand_dims(parsed[key].values, 0) for key in keys], 0), 0)
        yield parsed, tf.transpose(box, [0, 2, 1]).numpy(), tf.train.Example.FromString(serialized.numpy())


def test_synsets_and_boxes_are_the_features_of_build_imagenet_data(tf, root, build):
    """Its _convert_to_example, told anew in TensorFlow's own Example, byte for byte."""
    output = root / "imagenet"
    settings = {"bounding_boxes": root / "boxes.csv", "synsets_file": root / "synsets.txt"}
    build(train_directory=root / "in", output_directory=output, tensorflow_check="all", **settings)
    text, labels = {"n01": "crane", "n02": "crane"}, ["n01", "n02"]
    files = {path.name: path for path in (root / "in").rglob("*.JPEG")}
    count = 0
    for parsed, boxes, example in classic_records(tf, output / "train-00000-of-00001"):
        count += 1
        name = example.features.feature["image/filename"].bytes_list.value[0].decode()
        synset = files[name].parent.name
        label = labels.index(synset) + 1
        told = [box for _, *box in BOXES.get(f"{synset}/{name.removesuffix('.JPEG')}", [])]
        assert parsed["image/class/label"].numpy().tolist() == [label]
        assert (parsed["image/class/synset"].numpy(), parsed["image/class/text"].numpy()) == (synset.encode(), b"crane")
        assert np.array_equal(boxes, np.array(told, np.float32).reshape(1, -1, 4)[:, :, [1, 0, 3, 2]])

        def ints(*values):
            return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

        def floats(values):
            return tf.train.Feature(float_list=tf.train.FloatList(value=values))

        def text_of(value):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

        feature = {
            "image/height": ints(HEIGHT),
            "image/width": ints(WIDTH),
            "image/colorspace": text_of(b"RGB"),
            "image/channels": ints(3),
            "image/class/label": ints(label),
            "image/class/synset": text_of(synset.encode()),
            "image/class/text": text_of(text[synset].encode()),
            "image/object/bbox/xmin": floats([box[0] for box in told]),
            "image/object/bbox/ymin": floats([box[1] for box in told]),
            "image/object/bbox/xmax": floats([box[2] for box in told]),
            "image/object/bbox/ymax": floats([box[3] for box in told]),
            "image/object/bbox/label": ints(*[label] * len(told)),
            "image/format": text_of(b"JPEG"),
            "image/filename": text_of(name.encode()),
            "image/encoded": text_of(files[name].read_bytes()),
        }
        classic = tf.train.Example(features=tf.train.Features(feature=feature))
        assert classic.SerializeToString(deterministic=True) == example.SerializeToString(deterministic=True)
    assert count == sum(LABELS.values())
    assert (output / "labels.txt").read_text() == "n01\nn02\n"
    assert audit_folder(str(output), {}).problems == ()


def test_the_labels_of_a_data_set_with_synsets_can_be_given_back(root, build, digests, tmp_path):
    settings = {"train_directory": root / "in", "synsets_file": root / "synsets.txt"}
    build(output_directory=tmp_path / "a", **settings)
    build(output_directory=tmp_path / "b", labels_file=tmp_path / "a/labels.txt", **settings)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_tfds_opens_a_data_set_with_boxes_and_synsets(tf, root, build, tmp_path):
    import tensorflow_datasets as tfds

    settings = {"bounding_boxes": root / "boxes-voc", "synsets_file": root / "synsets.txt"}
    build(train_directory=root / "in", output_directory=tmp_path / "out", **settings)
    builder = tfds.builder_from_directory(str(tmp_path / "out"))
    assert builder.info.features["image"]["class"]["label"].names == ["background", "n01", "n02"]
    seen = {}
    for example in tfds.as_numpy(builder.as_dataset(split="train")):
        bbox = example["image"]["object"]["bbox"]
        seen[example["image"]["filename"].decode()] = np.stack([bbox[name] for name in ("label", *CORNERS)], axis=1).tolist()
        assert example["image"]["class"]["text"] == b"crane"
    assert seen["b0.JPEG"] == [[2, 0, 0, 1, 1], [1, 0.25, 0.5, 0.375, 0.625]]
    assert seen["a1.JPEG"] == []
    assert len(seen) == 5


def test_a_rerun_keeps_a_finished_shard_and_other_boxes_make_another_plan(root, build, tmp_path):
    shutil.copytree(root / "boxes-voc", tmp_path / "voc")
    settings = {"train_directory": root / "in", "output_directory": tmp_path / "out", "bounding_boxes": tmp_path / "voc"}
    first = build(**settings)
    assert build(**settings).shards_reused == 1
    (tmp_path / "voc/a0.xml").unlink()
    again = build(**settings, overwrite=True)
    assert (again.shards_reused, again.boxes.written) == (0, 3)
    assert again.digest != first.digest


def test_boxes_of_a_rejected_image_are_counted_as_its(root, build, tmp_path):
    shutil.copytree(root / "in", tmp_path / "in")
    (tmp_path / "in/n02/b0.JPEG").write_bytes(b"no picture")
    (tmp_path / "boxes.csv").write_text("b0.JPEG,0,0,1,1\nb1.JPEG,0,0,2,1\nb9.JPEG,0,0,1,1\nb1.JPEG,0,0,0,1\nb1.JPEG\n")
    summary = build(
        train_directory=tmp_path / "in",
        output_directory=tmp_path / "out",
        bounding_boxes=tmp_path / "boxes.csv",
        max_rejected_fraction=0.5,
    )
    assert [reason.line() for reason in summary.boxes.reasons] == [
        "1 box can't be read: a row must have 5 columns, got 1: boxes.csv, line 5",
        "1 box dropped, since they must have an area: 'b1.JPEG' (boxes.csv, line 4)",
        "1 box of no image: 'b9.JPEG' (boxes.csv, line 3)",
    ]
    assert summary.boxes.model_dump(exclude={"reasons"}) == {
        "found": 5,
        "written": 1,
        "clamped": 1,
        "dropped": 2,
        "of_no_image": 1,
        "of_rejected_images": 1,
        "left_out": 0,
        "images_with_boxes": 1,
    }


def test_a_build_and_a_plan_tell_of_their_boxes(root, tmp_path, imagerecords):
    arguments = [
        "--train_directory",
        root / "in",
        "--output_directory",
        tmp_path / "out",
        "--bounding_boxes",
        root / "coco.json",
    ]
    planned = imagerecords("plan", *arguments)
    assert "4 boxes found, 4 planned" in planned.out
    built = imagerecords("build", *arguments, "--no-prefect", "--executor", "threads")
    assert built.code == 0, built.err
    assert "4 boxes found, 4 written, 3 images with boxes" in built.out


@pytest.mark.parametrize("name", ["manifest", "label_studio"])
def test_fractions_divide_a_manifest_by_its_paths(root, build, tmp_path, name):
    build(output_directory=tmp_path / "out", validation_fraction=0.5, allow_empty_shards=True, **sources(root)[name])
    names = [
        {features["image/filename"][0] for shard in (tmp_path / "out").glob(f"{split}-*") for features in read_shard(shard)}
        for split in ("train", "validation")
    ]
    assert not names[0] & names[1]
    assert len(names[0] | names[1]) == 5


def read_shard(path):
    with path.open("rb") as file:
        return [parse_example(record.data) for record in read_frames(file, resume=False)]


def test_a_manifest_of_urls_elsewhere_is_read_by_the_workers(root, build, tmp_path):
    import fsspec

    fs = fsspec.filesystem("memory")
    rows = ["path,label"]
    for path in paths_of(root / "in"):
        fs.pipe_file(f"/urls/{path}", (root / "in" / path).read_bytes())
        rows.append(f"memory://urls/{path},{path[:3]}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    build(image_list=tmp_path / "manifest.csv", output_directory=tmp_path / "out")
    build(train_directory=root / "in", output_directory=tmp_path / "folders")
    shards = [(tmp_path / name / "train-00000-of-00001").read_bytes() for name in ("out", "folders")]
    assert shards[0] == shards[1]  # the same labels in the same order
