"""Trains a small Keras network on the shards of `make train-demo`; fails when it learns less than it should."""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf

EPOCHS = 4
ENOUGH = 0.88  # of the test images named right
SPEC = {
    "image/encoded": tf.io.FixedLenFeature([], tf.string),
    "image/class/label": tf.io.FixedLenFeature([], tf.int64),
}


def parse(record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A record's pixels, and its label counted from 0."""
    example = tf.io.parse_single_example(record, SPEC)
    pixels = tf.io.decode_jpeg(example["image/encoded"], channels=1, dct_method="INTEGER_ACCURATE")
    return tf.ensure_shape(pixels, (28, 28, 1)), example["image/class/label"] - 1


def records_in(folder: Path, split: str) -> int:
    """The number of records of a split, which is in dataset_info.json."""
    splits = json.loads((folder / "dataset_info.json").read_text())["splits"]
    return sum(int(count) for each in splits if each["name"] == split for count in each["shardLengths"])


def read(folder: Path, split: str) -> tf.data.Dataset:
    """The images of one split; decoded once, and small enough to stay in memory."""
    files = tf.data.Dataset.list_files(f"{folder}/{split}-*", seed=1)
    records = files.interleave(tf.data.TFRecordDataset, num_parallel_calls=tf.data.AUTOTUNE)
    counted = records.apply(tf.data.experimental.assert_cardinality(records_in(folder, split)))
    return counted.map(parse, num_parallel_calls=tf.data.AUTOTUNE).cache()


def network(labels: int) -> keras.Model:
    """Two convolutions and a dense layer."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(128, activation="relu"),
            layers.Dense(labels, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main(folder: Path) -> None:
    """Train on the train split, and print the accuracy on the test split."""
    keras.utils.set_random_seed(1)
    labels = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
    train = read(folder, "train").shuffle(10_000).batch(128).prefetch(tf.data.AUTOTUNE)
    model = network(len(labels))
    model.fit(train, epochs=EPOCHS, shuffle=False, verbose=2)
    _, accuracy = model.evaluate(read(folder, "test").batch(500), verbose=0)
    print(f"test accuracy {accuracy:.4f}, at least {ENOUGH} asked for")
    sys.exit(accuracy < ENOUGH)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
