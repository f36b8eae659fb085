"""Which files of a folder are TFRecord files: by their names, or by their first bytes."""

from schemas.layout import (
    CLASS_LABELS,
    CROISSANT,
    DATASET_INFO,
    FEATURES,
    LABELS,
    MANIFEST,
    parse_shard_name,
)
from tasks.records.compressed import compression_of
from tasks.storage.folders import Folder

START = 4096  # bytes: enough of a compressed file to inflate a record's head
ENDINGS = (".tfrecord", ".tfrecords", ".tfrec", ".tfrecord.gz", ".tfrecords.gz")
KNOWN = {CLASS_LABELS, CROISSANT, DATASET_INFO, FEATURES, LABELS, MANIFEST}
OTHERS = (".html", ".idx", ".json", ".md", ".parquet", ".txt", ".yaml", ".yml")


def record_files(folder: Folder) -> tuple[list[str], list[str]]:
    """The TFRecord files right in a folder, and the files that are neither these nor known to lie beside them."""
    records: list[str] = []
    others: list[str] = []
    for name in folder.files():
        if parse_shard_name(name) or name.endswith(ENDINGS):
            records.append(name)
        elif name not in KNOWN and not name.endswith(OTHERS):
            (others if compression_of(_start(folder, name)) is None else records).append(name)
    return records, others


def _start(folder: Folder, name: str) -> bytes:
    data: bytes = folder.fs.cat_file(folder.join(name), start=0, end=START)
    return data
