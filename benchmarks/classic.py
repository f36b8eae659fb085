"""Contender: the loop of build_image_data.py, rewritten from its description for today's TensorFlow.

As there: a TF1 session shared by two threads decodes every image in full to learn its size, `.png` files are encoded as
JPEG first, an image that fails is reported and skipped, and `tf.train.Example`s go to 16 shards through TFRecordWriter.
"""

import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.listing import SEED, SHARDS, LabelledFile, print_result, slices

THREADS = 2


class ImageCoder:
    """TensorFlow's image operations behind placeholders, in one graph and one session."""

    def __init__(self) -> None:
        import tensorflow as tf

        graph = tf.Graph()
        with graph.as_default():
            self._png = tf.compat.v1.placeholder(tf.string)
            self._png_as_jpeg = tf.image.encode_jpeg(tf.image.decode_png(self._png, channels=3), format="rgb", quality=100)
            self._jpeg = tf.compat.v1.placeholder(tf.string)
            self._pixels = tf.image.decode_jpeg(self._jpeg, channels=3)
        self._session = tf.compat.v1.Session(graph=graph)

    def png_to_jpeg(self, data: bytes) -> bytes:
        """The PNG as a JPEG of quality 100."""
        jpeg: bytes = self._session.run(self._png_as_jpeg, {self._png: data})
        return jpeg

    def decode_jpeg(self, data: bytes) -> Any:
        """All pixels, height × width × 3."""
        return self._session.run(self._pixels, {self._jpeg: data})


def find_files(directory: str) -> list[LabelledFile]:
    """All files of the label folders, shuffled with the classic seed."""
    import tensorflow as tf

    labels = sorted(tf.io.gfile.listdir(directory))
    files = [
        LabelledFile(path, number, label)
        for number, label in enumerate(labels, start=1)
        for path in tf.io.gfile.glob(f"{directory}/{label}/*")
    ]
    random.seed(SEED)
    random.shuffle(files)
    return files


def read_image(file: LabelledFile, coder: ImageCoder) -> tuple[bytes, int, int]:
    """The JPEG's bytes with the height and width that its pixels have."""
    import tensorflow as tf

    with tf.io.gfile.GFile(file.path, "rb") as source:
        data = source.read()
    if file.path.endswith(".png"):
        data = coder.png_to_jpeg(data)
    height, width, channels = coder.decode_jpeg(data).shape
    if channels != 3:
        raise ValueError(f"an image must have 3 channels, got {channels}: {file.path}")
    return data, height, width


def make_example(file: LabelledFile, data: bytes, height: int, width: int) -> Any:
    """The classic features as a tf.train.Example."""
    import tensorflow as tf

    def integer(value: int) -> Any:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    def text(value: bytes) -> Any:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    features = {
        "image/height": integer(height),
        "image/width": integer(width),
        "image/colorspace": text(b"RGB"),
        "image/channels": integer(3),
        "image/class/label": integer(file.label),
        "image/class/text": text(file.text.encode()),
        "image/format": text(b"JPEG"),
        "image/filename": text(Path(file.path).name.encode()),
        "image/encoded": text(data),
    }
    return tf.train.Example(features=tf.train.Features(feature=features))


def write_shards(shards: list[tuple[str, list[LabelledFile]]], coder: ImageCoder, written: list[int]) -> None:
    """Write a thread's shards one after the other; appends the number of images of each to `written`."""
    import tensorflow as tf

    for path, files in shards:
        count = 0
        with tf.io.TFRecordWriter(path) as writer:
            for file in files:
                try:
                    image = read_image(file, coder)
                except Exception as error:
                    print(f"SKIPPED: {error}: {file.path}", file=sys.stderr)
                    continue
                writer.write(make_example(file, *image).SerializeToString())
                count += 1
        written.append(count)


def convert(source: str, output: str) -> int:
    """Write all images of the label folders; returns their number."""
    files = find_files(source)
    coder = ImageCoder()
    paths = [f"{output}/train-{number:05d}-of-{SHARDS:05d}" for number in range(SHARDS)]
    shards = list(zip(paths, slices(files, SHARDS), strict=True))
    written: list[int] = []
    threads = [threading.Thread(target=write_shards, args=(part, coder, written)) for part in slices(shards, THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(written)


def main() -> None:
    """Import TensorFlow, then do the work and time only the work."""
    import tensorflow as tf

    tf.io.gfile.exists(".")  # TensorFlow 2 loads many of its parts at first use
    began = time.perf_counter()
    images = convert(*sys.argv[1:3])
    print_result(images, time.perf_counter() - began)


if __name__ == "__main__":
    main()
