"""Which files of a folder are TFRecord files: by their names, or by their first bytes."""

import re

from imagerecords.schemas.messages import some
from imagerecords.tasks.records.compressed import START, compression_of
from imagerecords.tasks.storage.folders import Folder

# train-00000-of-00008, flowers_train_00000-of-00005.tfrecord, mnist-test.tfrecord-00000-of-00001, part-3-of-10.gz
NUMBERED = re.compile(r"(?P<before>.*?)(?P<index>[0-9]+)-of-(?P<count>[0-9]+)(?P<after>.*)")
ENDINGS = (".tfrecord", ".tfrecords", ".tfrec", ".tfrecord.gz", ".tfrecords.gz")
OTHERS = (".html", ".idx", ".json", ".md", ".parquet", ".pbtxt", ".txt", ".yaml", ".yml")


def record_files(folder: Folder) -> tuple[list[str], list[str]]:
    """The TFRecord files right in a folder, and other files that are not known to belong to a data set."""
    records: list[str] = []
    others: list[str] = []
    for name in folder.files():
        if _is_named_so(name):
            records.append(name)
        elif not name.endswith(OTHERS):
            (others if compression_of(_start(folder, name)) is None else records).append(name)
    return records, others


def folders_with_records(folder: Folder) -> str:
    """What to do where the TFRecord files lie one level deeper, as Roboflow's and TFX's; else to check the path."""
    if not folder.exists() or folder.fs.isfile(folder.path):
        return "Check the path"
    level = [entry["name"] for entry in folder.fs.ls(folder.path, detail=True) if entry["type"] == "directory"]
    names = sorted(name.rstrip("/").rpartition("/")[2] for name in level)
    inner = [name for name in names if any(map(_is_named_so, folder.files(name)))]
    return f"Pass a folder in it that has some: {some(inner)}" if inner else "Check the path"


def _is_named_so(name: str) -> bool:
    return name.endswith(ENDINGS) or _is_numbered(name)


def _is_numbered(name: str) -> bool:
    """Whether a name ends as a shard's does, with any number of digits: damaged ones are reported too."""
    match = NUMBERED.fullmatch(name)
    return match is not None and match["after"] in ("", ".gz", *ENDINGS)


def is_compressed(folder: Folder, name: str) -> bool:
    """Whether a TFRecord file is compressed as a whole, so that no record can be read from its offset."""
    return bool(compression_of(_start(folder, name)))


def _start(folder: Folder, name: str) -> bytes:
    data: bytes = folder.fs.cat_file(folder.join(name), start=0, end=START)
    return data
