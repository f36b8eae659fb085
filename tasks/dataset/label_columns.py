"""Rows of plans, receipts and manifests by label: an image with several labels counts for each of them."""

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.labels import NO_LABEL


def has_several(rows: pa.Table) -> bool:
    """Whether rows have lists of labels."""
    return "labels" in rows.schema.names and rows["labels"].null_count < rows.num_rows


def label_counts(rows: pa.Table) -> Counter[int]:
    """The images of each label, and under NO_LABEL those without any."""
    if not has_several(rows):
        return Counter(rows["label"].to_pylist())
    without = pc.sum(pc.equal(pc.list_value_length(rows["labels"]), 0)).as_py() or 0
    return Counter(pc.list_flatten(rows["labels"]).to_pylist()) + Counter({NO_LABEL: without})


def each_label(rows: pa.Table) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """A row per image and label, with that one as `label` (and `text`), and the place in `rows` of each.

    An image with an empty list of labels has no row.
    """
    if not has_several(rows):
        return rows, np.arange(rows.num_rows)
    firsts = rows["label"].to_pylist()
    labels = [
        [first] if several is None else several for several, first in zip(rows["labels"].to_pylist(), firsts, strict=True)
    ]
    places = np.repeat(np.arange(rows.num_rows), [len(of_image) for of_image in labels])
    table = _replaced(rows.take(pa.array(places)), "label", [label for of_image in labels for label in of_image])
    if "texts" in rows.schema.names:
        pairs = zip(rows["texts"].to_pylist(), rows["text"].to_pylist(), strict=True)
        table = _replaced(
            table, "text", [text for several, first in pairs for text in ([first] if several is None else several)]
        )
    return table, places


def _replaced(table: pa.Table, name: str, values: list[Any]) -> pa.Table:
    kind = table.schema.field(name).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return table.set_column(table.schema.get_field_index(name), name, pa.array(values, kind))
