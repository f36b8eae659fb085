"""A table like a manifest, read from the records of TFRecord files that have none."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.cancellation import check_interrupt
from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.frame import OVERHEAD
from imagerecords.schemas.receipt import COLUMNS, REJECTED, WRITTEN, Reason
from imagerecords.schemas.splits import SPLITS
from imagerecords.tasks.dataset.labels_file import label_names
from imagerecords.tasks.images.formats import image_size
from imagerecords.tasks.records.compressed import inflated
from imagerecords.tasks.records.features import read_features
from imagerecords.tasks.records.files import NUMBERED
from imagerecords.tasks.records.frames import Frame, read_frames
from imagerecords.tasks.records.image import encoded_image, image_label, image_name, image_text
from imagerecords.tasks.storage.folders import Folder


def read_rows_of_records(folder: Folder, names: Sequence[str]) -> pa.Table:
    """One row per record of these files, train's first, in the manifest's columns; null is what a record does not contain.

    A broken record is a rejected row. Offsets in a compressed file are those of the decompressed bytes. A label's text that no
    record contains comes from the labels file beside the records, if there is one.
    """
    order: dict[str, int] = {split: number for number, split in enumerate(SPLITS)}
    names = sorted(names, key=lambda name: (order.get(split_of(name), len(order)), name))
    tables = [pa.Table.from_pylist(list(_rows_of(folder, name)), COLUMNS) for name in names]
    table = pa.concat_tables([COLUMNS.empty_table(), *tables]).combine_chunks()
    return table.set_column(table.schema.get_field_index("text"), "text", _texts(folder, table))


def split_of(name: str) -> str:
    """The split by a file's name: the word train, validation or test in it, else what precedes its number or ending."""
    words = re.split(r"[-_.]", name)
    known = [split for split in SPLITS if split in words]
    match = NUMBERED.fullmatch(name)
    return known[0] if known else (match["before"] if match else name.partition(".")[0]).rstrip("-_.")


def _rows_of(folder: Folder, name: str) -> Iterator[dict[str, Any]]:
    shared = {"split": split_of(name), "shard": name}
    frame = None
    try:
        with folder.open(name) as file:
            for frame in read_frames(inflated(file)):
                check_interrupt()
                yield shared | _recorded_in(frame, name)
    except CorruptRecord as error:  # a compressed stream can't be read beyond the damage
        yield shared | _broken(name, frame.number + 1 if frame else 0, str(error))


def _recorded_in(frame: Frame, name: str) -> dict[str, Any]:
    """The row of a record, from its own features."""
    if frame.problem:
        return _broken(name, frame.number, frame.problem)
    try:
        features = read_features(frame.data)
    except ValueError as error:
        return _broken(name, frame.number, str(error))
    encoded = encoded_image(features)
    height, width = image_size(encoded)
    return {
        "status": WRITTEN,
        "path": image_name(features, name, frame.number),
        "label": image_label(features),
        "text": image_text(features),
        "record": frame.number,
        "offset": frame.offset,
        "size": len(frame.data) + OVERHEAD,
        "crc32c": frame.crc,
        "height": height,
        "width": width,
        "source_size": len(encoded),
        "encoded_sha256": hashlib.sha256(encoded).hexdigest() if encoded else None,
    }


def _broken(name: str, record: int, problem: str) -> dict[str, Any]:
    return {"status": REJECTED, "path": f"{name} record {record}", "reason": Reason.CORRUPT, "message": problem}


def _texts(folder: Folder, table: pa.Table) -> pa.ChunkedArray:
    """The labels' texts, from the labels file where records have none."""
    names = label_names(folder, set(folder.files()), ours=False)
    if names is None or not table["text"].null_count:
        return table["text"]
    labels, texts = table["label"].to_pylist(), table["text"].to_pylist()
    by_id = names.by_id((label, text) for label, text in zip(labels, texts, strict=True) if label is not None)
    return pc.coalesce(table["text"], pa.array([by_id.get(label) for label in labels], pa.string()))
