"""A table like a manifest, read from the records of TFRecord files that have none."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.cancellation import check_interrupt
from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.frame import OVERHEAD
from imagerecords.schemas.receipt import COLUMNS, REJECTED, WRITTEN, Reason
from imagerecords.schemas.splits import EVERY_SPLIT
from imagerecords.tasks.dataset.label_columns import has_several
from imagerecords.tasks.dataset.labels_file import label_names
from imagerecords.tasks.images.formats import image_size
from imagerecords.tasks.records.compressed import inflated
from imagerecords.tasks.records.features import Features, read_features
from imagerecords.tasks.records.files import NUMBERED
from imagerecords.tasks.records.frames import Frame, read_frames
from imagerecords.tasks.records.image import (
    encoded_image,
    has_objects_label,
    image_label,
    image_name,
    image_text,
    object_classes,
    several_labels,
)
from imagerecords.tasks.storage.folders import Folder


def read_rows_of_records(folder: Folder, names: Sequence[str]) -> pa.Table:
    """One row per record of these files, train's first, in the manifest's columns; null is what a record does not contain.

    A broken record is a rejected row. Offsets in a compressed file are those of the decompressed bytes. A label's text that no
    record contains comes from the labels file beside the records, if there is one.
    """
    order: dict[str, int] = {split: number for number, split in enumerate(EVERY_SPLIT)}
    names = sorted(names, key=lambda name: (order.get(split_of(name), len(order)), name))
    tables = [pa.Table.from_pylist(list(_rows_of(folder, name)), COLUMNS) for name in names]
    table = pa.concat_tables([COLUMNS.empty_table(), *tables]).combine_chunks()
    for name, texts in _texts(folder, table).items():
        table = table.set_column(table.schema.get_field_index(name), COLUMNS.field(name), texts)
    return table


def split_of(name: str) -> str:
    """The split by a file's name: the word train, validation or test in it, else what precedes its number or ending."""
    words = re.split(r"[-_.]", name)
    known = [split for split in EVERY_SPLIT if split in words]
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
        **_labels(features),
        "record": frame.number,
        "offset": frame.offset,
        "size": len(frame.data) + OVERHEAD,
        "crc32c": frame.crc,
        "height": height,
        "width": width,
        "source_size": len(encoded),
        "encoded_sha256": hashlib.sha256(encoded).hexdigest() if encoded else None,
    }


def _labels(features: Features) -> dict[str, Any]:
    """The label of a record's image, or all where it has several; of a record without any, the classes of its objects."""
    label, text = image_label(features), image_text(features)
    pairs = object_classes(features) if has_objects_label(features) else []
    if not pairs:
        return {"label": label, "text": text, **several_labels(features)}
    label, text = pairs[0]
    several = len(pairs) > 1 and all(number is not None for number, _ in pairs)
    lists = {"labels": [number for number, _ in pairs], "texts": [words for _, words in pairs]} if several else {}
    return {"label": label, "text": text, **lists}


def _broken(name: str, record: int, problem: str) -> dict[str, Any]:
    return {"status": REJECTED, "path": f"{name} record {record}", "reason": Reason.CORRUPT, "message": problem}


def _texts(folder: Folder, table: pa.Table) -> dict[str, pa.ChunkedArray | pa.Array]:
    """The labels' texts, from the labels file where records have none."""
    lists = table["texts"].to_pylist() if has_several(table) else []
    without = any(text is None for texts in lists for text in texts or ())
    if not table["text"].null_count and not without:
        return {}
    if (names := label_names(folder, set(folder.files()), ours=False)) is None:
        return {"texts": _filled(table, lists, {})} if without else {}
    labels, texts = table["label"].to_pylist(), table["text"].to_pylist()
    by_id = names.by_id((label, text) for label, text in zip(labels, texts, strict=True) if label is not None)
    found = {"text": pc.coalesce(table["text"], pa.array([by_id.get(label) for label in labels], pa.string()))}
    return found | ({"texts": _filled(table, lists, by_id)} if without else {})


def _filled(table: pa.Table, lists: list[Any], by_id: Mapping[int, str]) -> pa.Array:
    """Lists of texts, without a gap: what no file names is called by its id."""
    labels = table["labels"].to_pylist()
    filled = [
        texts and [text or by_id.get(label, str(label)) for label, text in zip(of_image, texts, strict=True)]
        for of_image, texts in zip(labels, lists, strict=True)
    ]
    return pa.array(filled, COLUMNS.field("texts").type)
