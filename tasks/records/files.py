"""Which files of a folder are TFRecord files: by their names, or by their first bytes."""

import re

from imagerecords.schemas.output_files import parse_shard_name
from imagerecords.tasks.records.compressed import START, compression_of
from imagerecords.tasks.storage.folders import Folder

# train-00000-of-00008, flowers_train_00000-of-00005.tfrecord, mnist-test.tfrecord-00000-of-00001, part-3-of-10.gz
NUMBERED = re.compile(r"(?P<before>.*?)(?P<index>\d+)-of-(?P<count>\d+)(?P<after>.*)")
ENDINGS = (".tfrecord", ".tfrecords", ".tfrec", ".tfrecord.gz", ".tfrecords.gz")
OTHERS = (".html", ".idx", ".json", ".md", ".parquet", ".pbtxt", ".txt", ".yaml", ".yml")


def record_files(folder: Folder) -> tuple[list[str], list[str]]:
    """The TFRecord files right in a folder, and other files that are not known to belong to a data set."""
    records: list[str] = []
    others: list[str] = []
    for name in folder.files():
        if parse_shard_name(name) or name.endswith(ENDINGS):
            records.append(name)
        elif not name.endswith(OTHERS):
            (others if compression_of(_start(folder, name)) is None else records).append(name)
    return records, others


def is_compressed(folder: Folder, name: str) -> bool:
    """Whether a TFRecord file is compressed as a whole, so that no record can be read from its offset."""
    return bool(compression_of(_start(folder, name)))


def _start(folder: Folder, name: str) -> bytes:
    data: bytes = folder.fs.cat_file(folder.join(name), start=0, end=START)
    return data
