"""The tf.data pipeline of a split: (image, label), ready for a Keras model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from imagerecords.dataset import BLOCK, read_span
from imagerecords.schemas.errors import BadSettings
from imagerecords.schemas.summary import MIB
from imagerecords.tasks.dataset.places import UNKNOWN, Places
from imagerecords.tasks.records.features import read_features
from imagerecords.tasks.records.image import ENCODED, LABEL_KEYS, image_keys
from imagerecords.tasks.records.random_access import RandomReader

INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")
SHUFFLE_BYTES = 256 * MIB
# As in TFDS: files read at once, and records read from one file before the next.
CYCLE_LENGTH = 16
BLOCK_LENGTH = 16
BLOCKS_AT_ONCE = 8  # of those read through fsspec


@dataclass(frozen=True)
class TfOptions:
    """The options of Split.tf, which describes them. Raises BadSettings where one is wrong or contradicts another."""

    batch: int | None
    image_size: tuple[int, int] | None
    shuffle: bool | int
    seed: int | None
    drop_remainder: bool
    labels_from_zero: bool
    interpolation: str
    antialias: bool
    crop_to_aspect_ratio: bool
    num_parallel_calls: int | None

    def __post_init__(self) -> None:
        problems = [
            f"{name} must be a whole number of at least {least}, or None, got {value!r}"
            for name, value, least in (
                ("batch", self.batch, 1),
                ("seed", self.seed, 0),
                ("num_parallel_calls", self.num_parallel_calls, 1),
            )
            if value is not None and not _is_whole(value, least)
        ]
        if not isinstance(self.shuffle, bool) and not _is_whole(self.shuffle, 1):
            problems.append(f"shuffle must be True, False or a number of records of at least 1, got {self.shuffle!r}")
        if self.interpolation not in INTERPOLATIONS:
            problems.append(f"interpolation must be one of {', '.join(INTERPOLATIONS)}, got {self.interpolation!r}")
        if self.image_size is not None and not _is_size(self.image_size):
            problems.append(f"image_size must be (height, width) in pixels, got {self.image_size!r}")
        if self.image_size is None and (self.crop_to_aspect_ratio or self.antialias):
            problems.append("image_size must be given with crop_to_aspect_ratio or antialias, got None")
        if self.batch is None and self.drop_remainder:
            problems.append("batch must be given with drop_remainder, got None")
        if problems:
            raise BadSettings("\n".join(problems))


def tf_dataset(reader: RandomReader, places: Places, labels: Mapping[int, str], options: TfOptions) -> Any:
    """The tf.data.Dataset that Split.tf describes."""
    size = _common_size(places)
    if options.batch is not None and options.image_size is None and size is None and len(places):
        raise BadSettings(_several_sizes(places, reader.url))
    first_label = _first_label(labels, reader.url) if options.labels_from_zero else 0
    deterministic = options.seed is not None or not options.shuffle
    records = _records(reader, places, options, deterministic)
    records = records.apply(tf.data.experimental.assert_cardinality(len(places)))
    if options.shuffle:
        records = records.shuffle(_buffer(places, options.shuffle), options.seed)
    parse = _parser(reader, places, options, size, range(first_label, max(labels, default=first_label) + 1))
    calls = options.num_parallel_calls or tf.data.AUTOTUNE
    pairs = records.map(parse, num_parallel_calls=calls, deterministic=deterministic)
    if options.batch is not None:
        pairs = pairs.batch(options.batch, drop_remainder=options.drop_remainder)
    return pairs.prefetch(tf.data.AUTOTUNE)


def _records(reader: RandomReader, places: Places, options: TfOptions, deterministic: bool) -> Any:
    """The serialised Examples; where shuffled, in the order of shuffled files or blocks."""
    runs = list(places.runs())
    # A run costs the reading of its file from the start: whole splits and plain slices have one for each file.
    if reader.is_local and len(runs) == len({file for file, _, _ in runs}):
        return _records_of_files(reader, runs, options, deterministic)
    return _records_of_blocks(reader, places, options, deterministic)


def _records_of_files(reader: RandomReader, runs: list[tuple[str, int, int]], options: TfOptions, deterministic: bool) -> Any:
    """The records of runs of files, read and checked by TensorFlow."""
    files = tf.data.Dataset.from_tensor_slices(
        (
            tf.constant([f"{reader.url}/{file}" for file, _, _ in runs], tf.string),
            tf.constant([first for _, first, _ in runs], tf.int64),
            tf.constant([count for _, _, count in runs], tf.int64),
        )
    )

    def records(file: Any, first: Any, count: Any) -> Any:
        return tf.data.TFRecordDataset(file, buffer_size=MIB).skip(first).take(count)

    if not options.shuffle or not runs:
        return files.flat_map(records).prefetch(tf.data.AUTOTUNE)
    return files.shuffle(len(runs), options.seed).interleave(
        records,
        cycle_length=min(CYCLE_LENGTH, len(runs)),
        block_length=BLOCK_LENGTH,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=deterministic,
    )


def _records_of_blocks(reader: RandomReader, places: Places, options: TfOptions, deterministic: bool) -> Any:
    """The records of blocks of neighbours, read and checked through fsspec: TensorFlow's wheels know no S3."""
    spans = np.array(list(places.spans(BLOCK)), np.int64).reshape(-1, 2)
    blocks = tf.data.Dataset.from_tensor_slices(spans)
    if options.shuffle and len(spans):
        blocks = blocks.shuffle(len(spans), options.seed)

    def read(span: Any) -> Any:
        start, stop = span.tolist()
        return np.array(read_span(reader, places, start, stop), object)

    def records(span: Any) -> Any:
        data = tf.numpy_function(read, [span], tf.string, stateful=False)
        return tf.ensure_shape(data, [None])

    read_blocks = blocks.map(records, num_parallel_calls=BLOCKS_AT_ONCE, deterministic=deterministic)
    return read_blocks.unbatch()


def _parser(reader: RandomReader, places: Places, options: TfOptions, size: tuple[int, int] | None, ids: range) -> Any:
    """The function that makes an image and a label of a serialised Example; several labels become a 1 for each among zeros."""
    encoded_key, label_key = _keys(reader, places)
    label = tf.io.VarLenFeature(tf.int64) if places.several else tf.io.FixedLenFeature([], tf.int64)
    spec = {encoded_key: tf.io.FixedLenFeature([], tf.string), label_key: label}
    height_and_width = size or (None, None)

    def parse(record: Any) -> tuple[Any, Any]:
        example = tf.io.parse_single_example(record, spec)
        image = tf.io.decode_jpeg(example[encoded_key], channels=3, dct_method="INTEGER_ACCURATE")
        image = tf.ensure_shape(image, (*height_and_width, 3))
        if options.image_size is not None:
            image = _resized(image, options)
        if places.several:
            ones = tf.sparse.to_dense(example[label_key]) - ids.start
            return image, tf.ensure_shape(tf.reduce_sum(tf.one_hot(ones, len(ids)), axis=0), [len(ids)])
        return image, example[label_key] - ids.start

    return parse


def _resized(image: Any, options: TfOptions) -> Any:
    height, width = options.image_size or (0, 0)
    if options.crop_to_aspect_ratio:
        shape = tf.shape(image)
        crop_height = tf.minimum(shape[0], tf.maximum(shape[1] * height // width, 1))
        crop_width = tf.minimum(shape[1], tf.maximum(shape[0] * width // height, 1))
        top, left = (shape[0] - crop_height) // 2, (shape[1] - crop_width) // 2
        image = image[top : top + crop_height, left : left + crop_width]
    image = tf.image.resize(image, (height, width), method=options.interpolation, antialias=options.antialias)
    return tf.cast(image, tf.float32)  # "nearest" keeps uint8


def _keys(reader: RandomReader, places: Places) -> tuple[str, str]:
    """The keys of image and label, as the first record has them. Raises BadSettings where a record has no label."""
    if not len(places):
        return ENCODED, LABEL_KEYS[0]
    if not places.several and (unlabelled := np.flatnonzero(places.label == UNKNOWN)).size:
        shard, place = places.place(int(unlabelled[0]))
        raise BadSettings(
            f"each record must have a label for tf(), got {unlabelled.size} of {len(places)} without, the first: record "
            f"{place.number}: {reader.url}/{shard}. Read them with tf.data.TFRecordDataset"
        )
    features = read_features(read_span(reader, places, 0, 1)[0])
    encoded_key = next(iter(image_keys(features)), ENCODED)
    label_key = next((key for key in LABEL_KEYS if any(isinstance(value, int) for value in features.get(key, ()))), None)
    label_key = LABEL_KEYS[0] if label_key is None and places.several else label_key
    if label_key is None:
        raise BadSettings(
            f"each record must have a number in {' or '.join(LABEL_KEYS)} for tf(), got none: {reader.url}. Its labels are "
            "those of objects, or texts: read it with tf.data.TFRecordDataset"
        )
    return encoded_key, label_key


def _buffer(places: Places, shuffle: bool | int) -> int:
    """How many records the shuffle buffer holds, at least 1."""
    if not isinstance(shuffle, bool):
        return shuffle
    mean = int(places.size.mean()) if len(places) else 1
    return max(1, min(len(places), SHUFFLE_BYTES // mean))


def _first_label(labels: Mapping[int, str], url: str) -> int:
    first, last = min(labels), max(labels)
    if last - first + 1 != len(labels):
        raise BadSettings(
            f"label ids must follow each other with labels_from_zero, got {len(labels)} from {first} to {last}: {url}"
        )
    return first


def _common_size(places: Places) -> tuple[int, int] | None:
    """The height and width that all images have; None where they differ or are not known."""
    heights, widths = np.unique(places.height), np.unique(places.width)
    if len(heights) != 1 or len(widths) != 1 or UNKNOWN in (heights[0], widths[0]):
        return None
    return int(heights[0]), int(widths[0])


def _several_sizes(places: Places, url: str) -> str:
    low, high = (f"{edge(places.height)} × {edge(places.width)}" for edge in (np.min, np.max))
    return (
        f"image_size must be given with batch where images have several sizes, got None and images from {low} to {high} "
        f"pixels: {url}. Pass image_size=(height, width), or leave batch out and use ragged_batch or padded_batch"
    )


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= least)


def _is_size(value: object) -> bool:
    return isinstance(value, (tuple, list)) and len(value) == 2 and all(_is_whole(side, 1) for side in value)
