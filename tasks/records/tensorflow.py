"""Read a shard with TensorFlow itself, as a trainer will: its record reader, its parser with the classic spec, its decoder.

Importing TensorFlow takes 5 to 9 s and 600 MB, so it is imported inside a function, once per process.
"""

import functools
import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.example import BOXES, DETECTION, EXTRAS, SEVERAL, SYNSETS, contract
from imagerecords.schemas.plan import Shard
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.storage.folders import Folder, open_output
from imagerecords.tasks.storage.scratch import naming_scratch, temporary_directory

# Images whose decoded size is compared at once: bounds memory to about 64 decoded images.
BATCH = 64


def check_with_tensorflow(shard: Shard, settings: BuildSettings) -> int:
    """How many records TensorFlow read and decoded to their recorded size; raises CorruptRecord at the first that is not."""
    output = open_output(settings)
    with local_copy(output, shard.name) as path:
        return _read(path, output.join(shard.name), several=settings.labels == "many")


def _read(path: str, name: str, *, several: bool) -> int:
    tf = import_tensorflow()
    spec = _classic_spec(tf, several=several)

    def decode(serialized: Any) -> Any:
        example = tf.io.parse_single_example(serialized, spec)
        decoded = tf.shape(tf.io.decode_jpeg(example["image/encoded"], channels=3))
        recorded = tf.stack([example["image/height"], example["image/width"], example["image/channels"]])
        return tf.cast(decoded, tf.int64), recorded, tf.stack([tf.size(example[key]) for key in EXTRAS[BOXES]])

    count = 0
    try:
        for shapes, recorded, boxes in tf.data.TFRecordDataset(path).map(decode, tf.data.AUTOTUNE).batch(BATCH):
            rows = zip(shapes.numpy().tolist(), recorded.numpy().tolist(), boxes.numpy().tolist(), strict=True)
            for number, (shape, size, lengths) in enumerate(rows, count):
                if shape != size:
                    raise CorruptRecord(f"record {number} must decode to {size} in TensorFlow, got {shape}: {name}")
                if len(set(lengths)) > 1:
                    raise CorruptRecord(f"record {number} must have boxes of four corners, got lists of {lengths}: {name}")
            count += len(shapes)
    except tf.errors.OpError as error:
        raise CorruptRecord(
            f"TensorFlow can't parse or decode a record after number {count - 1}: {error.message}: {name}"
        ) from error
    return count


def _classic_spec(tf: Any, *, several: bool) -> dict[str, Any]:
    """What the classic input pipelines parse: one value each, boxes, synset and detection as lists that may be missing.

    With `several` an image's label and text are lists too.
    """
    kinds = {int: tf.int64, float: tf.float32, bytes: tf.string}
    optional = {key for extra in (BOXES, SYNSETS, DETECTION) for key in EXTRAS[extra]}
    spec: dict[str, Any] = {}
    for key, (kind, *_) in contract((BOXES, SYNSETS, DETECTION)).items():
        shape = [1] if key == "image/class/label" else []
        is_list = key in optional or (several and key in EXTRAS[SEVERAL])
        spec[key] = tf.io.VarLenFeature(kinds[kind]) if is_list else tf.io.FixedLenFeature(shape, kinds[kind])
    return spec


@functools.cache
def import_tensorflow() -> Any:
    """TensorFlow, imported and started; in a worker process without its long messages about processors and GPUs."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # JPEGs are decoded on the CPU; GPUs are for trainers
    with _silent_stderr() if multiprocessing.parent_process() else nullcontext():
        import tensorflow as tf

        tf.constant(0)  # the first operation searches devices, and prints which are missing
    return tf


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Drop what native code writes to standard error, which no setting of TensorFlow stops before its loggers are up."""
    saved = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


@contextmanager
def local_copy(output: Folder, name: str) -> Iterator[str]:
    """A path of this machine's file system with the shard's bytes, since TensorFlow knows nothing of fsspec."""
    if output.is_local:
        yield output.join(name)
        return
    with tempfile.TemporaryDirectory(prefix="imagerecords-", dir=temporary_directory()) as directory:
        path = os.path.join(directory, name)
        with naming_scratch(Path(directory)):
            output.fs.get_file(output.join(name), path)
        yield path
