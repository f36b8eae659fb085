"""Reading a built data set by `open_dataset` beside loops by hand: python -m benchmarks.reading OUTPUT [--rounds N].

OUTPUT is a finished data set on a local disk. The contenders alternate in one process; a ratio is the median over the rounds.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq
import tensorflow as tf

import imagerecords
from imagerecords.schemas.frame import FOOTER, HEADER
from imagerecords.tasks.records.example import parse_example

SIDE, BATCH, BUFFER = 224, 32, 1000
WRITTEN = [("split", "==", "train"), ("status", "==", "written")]
SPEC = {"image/encoded": tf.io.FixedLenFeature([], tf.string), "image/class/label": tf.io.FixedLenFeature([], tf.int64)}
# Ours first; above 1 it is the faster.
PAIRS = (
    ("random access", "open, seek, read, without CRC"),
    ("iteration", "TFRecordDataset.as_numpy_iterator"),
    (".tf()", "tf.data by hand, INTEGER_ACCURATE"),
    (".tf()", "tf.data by hand, default DCT"),
)


def contenders(output: str) -> dict[str, Callable[[], object]]:
    """A function per contender that reads each training record once."""
    train = imagerecords.open_dataset(output)["train"]
    order = random.Random(1).sample(range(len(train)), len(train))
    rows = pq.read_table(f"{output}/manifest.parquet", columns=["shard", "offset", "size"], filters=WRITTEN).to_pylist()

    def read(number: int) -> object:
        row = rows[number]
        with open(f"{output}/{row['shard']}", "rb") as file:
            file.seek(row["offset"] + HEADER.size)
            return parse_example(file.read(row["size"] - HEADER.size - FOOTER.size))

    def by_hand(dct: str) -> Any:
        def parse(record: Any) -> Any:
            example = tf.io.parse_single_example(record, SPEC)
            image = tf.io.decode_jpeg(example["image/encoded"], channels=3, dct_method=dct)
            return tf.image.resize(image, (SIDE, SIDE)), example["image/class/label"]

        files = tf.data.Dataset.list_files(f"{output}/train-*", seed=1)
        records = files.interleave(tf.data.TFRecordDataset, num_parallel_calls=tf.data.AUTOTUNE).shuffle(BUFFER, 1)
        return records.map(parse, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH).prefetch(tf.data.AUTOTUNE)

    shards = sorted(tf.io.gfile.glob(f"{output}/train-*"))
    return {
        "random access": lambda: [train[number] for number in order],
        "open, seek, read, without CRC": lambda: [read(number) for number in order],
        "iteration": lambda: sum(1 for _ in train),
        "TFRecordDataset.as_numpy_iterator": lambda: sum(1 for _ in tf.data.TFRecordDataset(shards).as_numpy_iterator()),
        ".tf()": lambda: sum(1 for _ in train.tf(batch=BATCH, image_size=(SIDE, SIDE), shuffle=BUFFER, seed=1)),
        "tf.data by hand, INTEGER_ACCURATE": lambda: sum(1 for _ in by_hand("INTEGER_ACCURATE")),
        "tf.data by hand, default DCT": lambda: sum(1 for _ in by_hand("")),
    }


def main() -> None:
    """Print the ratios as a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    found = contenders(arguments.output)
    seconds: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(arguments.rounds + 1):
        for name, run in found.items():
            began = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - began)
    print("| ours | beside | times as fast, median (least to most) |\n|---|---|---|")
    for ours, other in PAIRS:
        ratios = [theirs / own for own, theirs in zip(seconds[ours][1:], seconds[other][1:], strict=True)]  # the first warms up
        print(f"| {ours} | {other} | {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) |")


if __name__ == "__main__":
    main()
