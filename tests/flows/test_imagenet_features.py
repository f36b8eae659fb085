"""Synsets and boxes are the features of build_imagenet_data.py, and TFDS reads them."""

import numpy as np

from imagerecords.schemas.boxes import CORNERS
from imagerecords.tasks.audit.folder import audit_folder
from tests.flows.labelled_inputs import BOXES, HEIGHT, LABELS, WIDTH


def classic_records(tf, path):
    """parse_example_proto of build_imagenet_data.py's consumer (image_processing.py), written again."""
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


def test_synsets_and_boxes_are_the_features_of_build_imagenet_data(tf, inputs, build):
    """The same bytes as its _convert_to_example, with TensorFlow's own Example."""
    output = inputs / "imagenet"
    settings = {"bounding_boxes": inputs / "boxes.csv", "synsets_file": inputs / "synsets.txt"}
    build(train_directory=inputs / "in", output_directory=output, tensorflow_check="all", **settings)
    text, labels = {"n01": "crane", "n02": "crane"}, ["n01", "n02"]
    files = {path.name: path for path in (inputs / "in").rglob("*.JPEG")}
    count = 0
    for parsed, boxes, example in classic_records(tf, output / "train-00000-of-00001"):
        count += 1
        name = example.features.feature["image/filename"].bytes_list.value[0].decode()
        synset = files[name].parent.name
        label = labels.index(synset) + 1
        expected = [box for _, *box in BOXES.get(f"{synset}/{name.removesuffix('.JPEG')}", [])]
        assert parsed["image/class/label"].numpy().tolist() == [label]
        assert (parsed["image/class/synset"].numpy(), parsed["image/class/text"].numpy()) == (synset.encode(), b"crane")
        assert np.array_equal(boxes, np.array(expected, np.float32).reshape(1, -1, 4)[:, :, [1, 0, 3, 2]])

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
            "image/object/bbox/xmin": floats([box[0] for box in expected]),
            "image/object/bbox/ymin": floats([box[1] for box in expected]),
            "image/object/bbox/xmax": floats([box[2] for box in expected]),
            "image/object/bbox/ymax": floats([box[3] for box in expected]),
            "image/object/bbox/label": ints(*[label] * len(expected)),
            "image/format": text_of(b"JPEG"),
            "image/filename": text_of(name.encode()),
            "image/encoded": text_of(files[name].read_bytes()),
        }
        classic = tf.train.Example(features=tf.train.Features(feature=feature))
        assert classic.SerializeToString(deterministic=True) == example.SerializeToString(deterministic=True)
    assert count == sum(LABELS.values())
    assert (output / "labels.txt").read_text() == "n01\nn02\n"
    assert audit_folder(str(output), {}).problems == ()


def test_the_labels_of_a_data_set_with_synsets_can_be_given_back(inputs, build, digests, tmp_path):
    settings = {"train_directory": inputs / "in", "synsets_file": inputs / "synsets.txt"}
    build(output_directory=tmp_path / "a", **settings)
    build(output_directory=tmp_path / "b", labels_file=tmp_path / "a/labels.txt", **settings)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_tfds_opens_a_data_set_with_boxes_and_synsets(tf, inputs, build, tmp_path):
    import tensorflow_datasets as tfds

    settings = {"bounding_boxes": inputs / "boxes-voc", "synsets_file": inputs / "synsets.txt"}
    build(train_directory=inputs / "in", output_directory=tmp_path / "out", **settings)
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
