"""Split.tf: images and labels for tf.data, each record once, in an order that a seed fixes, with Pillow's pixels."""

import itertools
import os
from collections import Counter

import numpy as np
import pytest
from PIL import Image

import imagerecords

COUNTS = {"cat": 21, "dog": 17, "emu": 19}
PICTURES = sum(COUNTS.values())


@pytest.fixture(scope="module")
def made(tmp_path_factory, fill, build, picture):
    """A data set of five shards, each image 12 pixels high and of its own width; and of one size in `validation`."""
    folder = tmp_path_factory.mktemp("input")
    numbers = itertools.count()
    pictures = {
        label: [picture(number, size=(16 + number, 12)) for number in itertools.islice(numbers, count)]
        for label, count in COUNTS.items()
    }
    same = {label: [picture(number, size=(17, 12))] for number, label in enumerate(COUNTS)}
    directories = {"train_directory": fill(folder / "train", pictures), "validation_directory": fill(folder / "same", same)}
    build(output_directory=folder / "out", train_shards=5, validation_shards=1, **directories)
    return folder / "out"


@pytest.fixture(scope="module")
def on_s3(made, on_moto):
    return on_moto(made)


@pytest.fixture
def train(made, tf):
    return imagerecords.open_dataset(made)["train"]


@pytest.fixture(params=["disk", "S3"])
def anywhere(request, made, tf):
    """The train split on a disk, and on S3."""
    if request.param == "disk":
        return imagerecords.open_dataset(made)["train"]
    url, options = request.getfixturevalue("on_s3"), request.getfixturevalue("on_moto").options
    return imagerecords.open_dataset(url, storage_options=options)["train"]


def read(dataset):
    """Images, as bytes with their shape, and labels, in their order."""
    return [(image.shape, image.tobytes(), int(label)) for image, label in dataset.as_numpy_iterator()]


def expected(records):
    pixels = ((np.asarray(record.image()), record.label) for record in records)
    return [(image.shape, image.tobytes(), label) for image, label in pixels]


def test_without_shuffle_it_is_every_record_in_the_splits_order_with_pillows_pixels(anywhere):
    dataset = anywhere.tf()
    assert read(dataset) == expected(anywhere)
    assert dataset.cardinality().numpy() == PICTURES


@pytest.mark.parametrize(
    "part",
    [slice(5, 40), slice(-3, None), slice(None, None, 2), slice(None, None, -1), slice(0, 0)],
    ids=["middle", "end", "every second", "backwards", "none"],
)
@pytest.mark.parametrize("shuffle", [False, True])
def test_a_part_is_read_as_a_whole_split_is(anywhere, part, shuffle):
    found, wanted = read(anywhere[part].tf(shuffle=shuffle, seed=1)), expected(anywhere[part])
    assert (Counter(found) == Counter(wanted)) if shuffle else (found == wanted)


@pytest.mark.parametrize("shuffle", [True, 1, 10, 1000])
def test_shuffled_every_epoch_has_each_record_once_and_an_order_of_its_own(anywhere, shuffle):
    dataset = anywhere.tf(shuffle=shuffle, seed=3)
    assert dataset.cardinality().numpy() == PICTURES
    epochs = [read(dataset) for _ in range(2)]
    wanted = expected(anywhere)
    assert all(Counter(epoch) == Counter(wanted) for epoch in epochs)
    if shuffle != 1:
        assert epochs[0] != epochs[1] != wanted != epochs[0]


def test_the_same_seed_gives_the_same_epochs_and_another_seed_others(anywhere):
    def epochs(seed):
        dataset = anywhere.tf(shuffle=True, seed=seed)
        return [read(dataset), read(dataset)]

    first = epochs(7)
    assert epochs(7) == first
    assert epochs(8)[0] not in first


def test_shuffled_labels_are_mixed_over_all_shards(train):
    """Pictures of the first shard are not all read before those of the last."""
    shard_of = {record.image().tobytes(): record.shard for record in train}
    shards = [shard_of[pixels] for _, pixels, _ in read(train.tf(shuffle=True, seed=1))]
    assert len(set(shards[: PICTURES // 2])) == 5


def test_batches_of_one_size_are_float32_up_to_255(train):
    dataset = train.tf(batch=8, image_size=(10, 14), shuffle=True, seed=1)
    assert dataset.element_spec[0].shape.as_list() == [None, 10, 14, 3]
    batches = list(dataset.as_numpy_iterator())
    assert [len(labels) for _, labels in batches] == [8] * 7 + [1]
    assert dataset.cardinality().numpy() == 8
    assert {(images.dtype.name, labels.dtype.name) for images, labels in batches} == {("float32", "int64")}
    assert 200 < max(images.max() for images, _ in batches) <= 255
    assert Counter(label for _, labels in batches for label in labels.tolist()) == {1: 21, 2: 17, 3: 19}


def test_the_remainder_is_dropped_when_asked(train):
    dataset = train.tf(batch=8, image_size=(8, 8), drop_remainder=True)
    assert [spec.shape.as_list() for spec in dataset.element_spec] == [[8, 8, 8, 3], [8]]
    assert (dataset.cardinality().numpy(), len(list(dataset))) == (7, 7)


def test_images_of_one_size_need_no_resizing_and_their_shape_is_known(made, tf):
    dataset = imagerecords.open_dataset(made)["validation"].tf(batch=2)
    assert dataset.element_spec[0].shape.as_list() == [None, 12, 17, 3]
    assert [images.dtype for images, _ in dataset.as_numpy_iterator()] == [np.uint8, np.uint8]


def test_images_of_several_sizes_are_not_batched_without_image_size(train):
    with pytest.raises(imagerecords.BadSettings, match="got None and images from 12 × 16 to 12 × 72 pixels: "):
        train.tf(batch=8)


def test_ragged_batches_are_left_to_tf_data(train):
    (images, labels) = next(iter(train.tf().ragged_batch(4)))
    assert (images.shape[0], len(labels)) == (4, 4)


def test_resizing_is_tensorflows(train, tf):
    record = train[0]
    for options in ({}, {"interpolation": "nearest"}, {"interpolation": "bicubic", "antialias": True}):
        image = next(iter(train[:1].tf(image_size=(6, 9), **options)))[0]
        method = options.get("interpolation", "bilinear")
        wanted = tf.image.resize(np.asarray(record.image()), (6, 9), method, antialias=options.get("antialias", False))
        np.testing.assert_array_equal(image, tf.cast(wanted, tf.float32))


def test_antialiased_resizing_is_pillows_to_a_level(train, tf):
    wanted = np.asarray(train[0].image().resize((9, 6), Image.Resampling.BILINEAR), np.float32)
    image = next(iter(train[:1].tf(image_size=(6, 9), antialias=True)))[0]
    np.testing.assert_allclose(image, wanted, atol=1)


@pytest.mark.parametrize("size", [(12, 4), (6, 20), (24, 24), (1, 40)])
def test_cropping_is_what_keras_does(train, tf, size):
    wanted = tf.keras.preprocessing.image.smart_resize(np.asarray(train[0].image()), size)
    image = next(iter(train[:1].tf(image_size=size, crop_to_aspect_ratio=True)))[0]
    np.testing.assert_allclose(image, wanted, atol=1e-3)


def test_labels_from_zero_are_indexes_into_the_labels(made, train):
    labels = imagerecords.open_dataset(made).labels
    texts = [labels[label] for _, label in train.tf(labels_from_zero=True).as_numpy_iterator()]
    assert texts == [record.text for record in train]


def test_a_model_trains_on_it(train, tf):
    dataset = train.tf(batch=8, image_size=(8, 8), shuffle=True, seed=1, labels_from_zero=True)
    layers = [tf.keras.layers.Rescaling(1 / 255), tf.keras.layers.Flatten(), tf.keras.layers.Dense(3)]
    model = tf.keras.Sequential(layers)
    model.compile(loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(dataset, epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"batch": 0}, "batch must be a whole number of at least 1, or None, got 0"),
        ({"batch": 2.5}, "batch must be"),
        ({"batch": True}, "batch must be"),
        ({"seed": -1}, "seed must be a whole number of at least 0, or None, got -1"),
        ({"shuffle": 0}, "shuffle must be True, False or a number of records of at least 1, got 0"),
        ({"shuffle": "yes"}, "shuffle must be"),
        ({"image_size": 224}, r"image_size must be \(height, width\) in pixels, got 224"),
        ({"image_size": (0, 8)}, "image_size must be"),
        ({"image_size": (8, 8), "interpolation": "linear"}, "interpolation must be one of bilinear, .*, got 'linear'"),
        ({"crop_to_aspect_ratio": True}, "image_size must be given with crop_to_aspect_ratio"),
        ({"drop_remainder": True}, "batch must be given with drop_remainder"),
        ({"num_parallel_calls": 0}, "num_parallel_calls must be"),
    ],
)
def test_wrong_options_are_named(train, options, text):
    with pytest.raises(imagerecords.BadSettings, match=text):
        train.tf(**options)


def test_damage_stops_it(tmp_path, fill, build, tf, on_moto):
    build(train_directory=fill(tmp_path / "in", {"cat": 5}), output_directory=tmp_path / "out", train_shards=1)
    shard = tmp_path / "out/train-00000-of-00001"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    with pytest.raises(tf.errors.DataLossError):
        read(imagerecords.open_dataset(tmp_path / "out")["train"].tf())
    url = on_moto(tmp_path / "out")
    with pytest.raises(tf.errors.OpError, match=r"CorruptRecord: record 2 at byte \d+ is damaged"):
        read(imagerecords.open_dataset(url, storage_options=on_moto.options)["train"].tf())


def test_other_programs_records_are_read_by_their_own_keys(tf, tmp_path, picture):
    def feature(value):
        if isinstance(value, bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    with tf.io.TFRecordWriter(str(tmp_path / "mnist-train.tfrecord")) as file:
        for number in range(6):
            features = {"image": feature(picture(number, "PNG")), "label": feature(number % 2 + 4), "id": feature(b"x")}
            file.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    data = imagerecords.open_dataset(tmp_path)
    assert (data.splits, data.label_ids) == (("train",), (4, 5))
    assert read(data["train"].tf()) == expected(data["train"])
    assert [label for *_, label in read(data["train"].tf(labels_from_zero=True))] == [0, 1, 0, 1, 0, 1]


def test_records_without_a_label_and_ids_with_gaps_are_refused(tf, tmp_path, picture):
    from imagerecords.schemas.example import encode_example

    def write(name, labels):
        (tmp_path / name).mkdir()
        with tf.io.TFRecordWriter(os.fspath(tmp_path / name / "train.tfrecord")) as file:
            for label in labels:
                features = {"image/encoded": picture(1)} | ({} if label is None else {"image/class/label": label})
                file.write(encode_example(features))
        return imagerecords.open_dataset(tmp_path / name)["train"]

    with pytest.raises(imagerecords.BadSettings, match="got 1 of 3 without, the first: record 1: "):
        write("unlabelled", [1, None, 2]).tf()
    with pytest.raises(imagerecords.BadSettings, match="got 2 from 1 to 7"):
        write("gaps", [1, 7]).tf(labels_from_zero=True)
