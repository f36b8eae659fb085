"""A table like a manifest, read from the records of TFRecord files that have none."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from schemas.errors import BadLayout
from schemas.frame import OVERHEAD
from schemas.layout import parse_shard_name
from schemas.receipt import COLUMNS, REJECTED, WRITTEN, Reason
from schemas.splits import SPLITS
from tasks.records.reader import Record, parse_example, read_records
from tasks.report.pictures import encoded_image, image_size
from tasks.storage.folders import Folder

RECORD_ENDINGS = (".tfrecord", ".tfrecords")
LABEL_KEYS = ("image/class/label", "label")
TEXT_KEYS = ("image/class/text", "text")
NAME_KEYS = ("image/filename", "file_name", "filename")
UNLABELLED = "no label"


def read_records_as_rows(folder: Folder) -> pa.Table:
    """A row a record of all TFRecord files right in a folder, train first. Raises BadLayout where there is no such file."""
    files = [] if folder.fs.isfile(folder.path) else folder.files()
    names = [name for name in files if parse_shard_name(name) or name.endswith(RECORD_ENDINGS)]
    if not names:
        raise BadLayout(
            f"a folder to report on must hold TFRecord files (train-00000-of-00008, *.tfrecord), got none: {folder.url}. "
            "Check the path"
        )
    order: dict[str, int] = {split: number for number, split in enumerate(SPLITS)}
    names.sort(key=lambda name: (order.get(split_of(name), len(order)), name))
    return pa.concat_tables([pa.Table.from_pylist(list(_rows_of(folder, name)), schema=COLUMNS) for name in names])


def split_of(name: str) -> str:
    """The split that a file's name tells: what stands before the numbers, or TFDS's part of it; else the name itself."""
    parts = parse_shard_name(name)
    prefix = parts.prefix if parts else name
    for ending in RECORD_ENDINGS:
        prefix = prefix.removesuffix(ending)
    last = prefix.rpartition("-")[2]
    return last if last in SPLITS else prefix


def _rows_of(folder: Folder, name: str) -> Iterator[dict[str, Any]]:
    split = split_of(name)
    with folder.open(name) as file:
        for record in read_records(file):
            row = {"split": split, "shard": name, "path": f"{name} record {record.number}", "label": 0, "text": UNLABELLED}
            yield row | _told_by(record)


def _told_by(record: Record) -> dict[str, Any]:
    """What a record says of itself; a broken one is told as rejected."""
    if record.fault:
        return {"status": REJECTED, "reason": Reason.CORRUPT, "message": record.fault}
    try:
        features = parse_example(record.data)
    except ValueError as error:
        return {"status": REJECTED, "reason": Reason.CORRUPT, "message": str(error)}
    encoded = encoded_image(features)
    label = _first(features, LABEL_KEYS, int)
    text = _first(features, TEXT_KEYS, bytes)
    path = _first(features, NAME_KEYS, bytes)
    height, width = image_size(encoded)
    row = {
        "status": WRITTEN,
        "record": record.number,
        "offset": record.offset,
        "size": len(record.data) + OVERHEAD,
        "crc32c": record.crc,
        "height": height,
        "width": width,
        "source_size": len(encoded),
        "label": label or 0,
        "text": text.decode(errors="replace") if text else str(label) if label is not None else UNLABELLED,
    }
    return row | ({"path": path.decode(errors="replace")} if path else {})


def _first(features: dict[str, list[Any]], keys: tuple[str, ...], kind: type) -> Any:
    """The first value of the first of these features that has one of this type."""
    values = (value for key in keys for value in features.get(key, [])[:1])
    return next((value for value in values if isinstance(value, kind)), None)
