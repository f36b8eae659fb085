"""A manifest's rows for the data card: narrow columns of all images, wide ones only of those that are shown.

A million rows take about 100 MB: repeating texts are held as numbers, and paths and messages are read only when needed.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagerecords.schemas.errors import BadLayout, CorruptRecord
from imagerecords.schemas.labels import NO_LABEL, NO_LABEL_TEXT
from imagerecords.schemas.output_files import MANIFEST
from imagerecords.schemas.receipt import COLUMNS, COLUMNS_OF_0_1_0, WRITTEN
from imagerecords.tasks.dataset.label_columns import has_several
from imagerecords.tasks.dataset.manifest import open_manifest, read_numbered
from imagerecords.tasks.dataset.record_rows import read_rows_of_records
from imagerecords.tasks.records.files import is_compressed, record_files
from imagerecords.tasks.storage.folders import Folder

REPEATING = ["split", "shard", "text", "status", "reason"]
OPTIONAL = ["source_format"]  # repeating too; a manifest may lack it
# Columns that an older manifest does not have are omitted.
NUMBERS = ["label", "record", "offset", "size", "height", "width", "source_size", "brightness", "contrast", "sharpness"]
NUMBERS += ["dhash", "boxes"]
SEVERAL = ["labels", "texts"]
WIDE = ["path", "message"]
WIDE_OF_MANIFEST = [*WIDE, "encoded_sha256"]

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Rows in the manifest's order; `wide` has the wide columns where there is no manifest to read them from."""

    folder: Folder
    narrow: pa.Table
    wide: pa.Table | None = None

    def written(self) -> Numbers:
        """The numbers of the rows of written images."""
        return self.numbers("status", WRITTEN)

    def numbers(self, column: str, value: str) -> Numbers:
        """The numbers of the rows with a value in a column."""
        equal = pc.fill_null(pc.equal(self.narrow[column], value), False)
        found: Numbers = np.flatnonzero(equal.to_numpy())
        return found

    def take(self, numbers: Sequence[int] | Numbers) -> list[dict[str, Any]]:
        """The rows with these numbers, with all columns and the number as `row`, in this order."""
        chosen = pa.array(numbers, pa.int64())
        wide = self.wide.take(chosen) if self.wide else _read_wide(self.folder, np.asarray(numbers, np.int64))
        narrow = self.narrow.take(chosen).to_pylist()
        found = zip(chosen.to_pylist(), narrow, wide.to_pylist(), strict=True)
        return [{"row": number, **row, **more} for number, row, more in found]


def read_rows(folder: Folder) -> Rows:
    """The rows of a folder's manifest, or of its records where it has none. Raises BadLayout where it has neither."""
    if MANIFEST not in folder.files():
        table = _read_records(folder)
        known = [name for name in (*REPEATING, *OPTIONAL, *NUMBERS, *SEVERAL) if name in table.column_names]
        return Rows(folder, table.select(known), table.select(WIDE))
    with _open_manifest(folder) as parquet:
        names = [name for name in (*REPEATING, *OPTIONAL, *NUMBERS, *SEVERAL) if name in parquet.schema_arrow.names]
        return Rows(folder, _with_no_label(parquet.read(names).unify_dictionaries()))


def _with_no_label(table: pa.Table) -> pa.Table:
    """A manifest's rows in which images without a label have one that says so, as those of records have."""
    if not has_several(table) or not table["label"].null_count:
        return table
    without = pc.is_null(table["label"])
    for name, value in (("label", NO_LABEL), ("text", NO_LABEL_TEXT), ("labels", [NO_LABEL]), ("texts", [NO_LABEL_TEXT])):
        column = table[name].cast(COLUMNS.field(name).type)
        filled = pc.if_else(without, pa.scalar(value, column.type), column)
        table = table.set_column(table.schema.get_field_index(name), name, filled)
    return table


def _read_records(folder: Folder) -> pa.Table:
    names = [] if folder.fs.isfile(folder.path) else record_files(folder)[0]
    if not names:
        raise BadLayout(
            f"a folder for a data card must hold TFRecord files (train-00000-of-00008, *.tfrecord), got none: {folder.url}. "
            "Check the path"
        )
    table = read_rows_of_records(folder, names)
    ids = pc.cast(table["label"], pa.string())
    compressed = pa.array([name for name in names if is_compressed(folder, name)], pa.string())
    columns = {
        "label": _label_ids(table),
        "text": pc.coalesce(table["text"], ids, pa.scalar(NO_LABEL_TEXT)),
        "offset": pc.if_else(pc.is_in(table["shard"], compressed), pa.scalar(None, pa.int64()), table["offset"]),
    }
    for name, column in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def _label_ids(table: pa.Table) -> pa.ChunkedArray:
    """The labels' ids; labels that are texts alone are numbered after them, and 0 is none."""
    ids, texts = table["label"], table["text"]
    alone = pc.if_else(pc.is_null(ids), texts, pa.scalar(None, texts.type))
    values = pa.array(sorted(pc.unique(alone).drop_null().to_pylist()), texts.type)
    after = max(pc.max(ids).as_py() or 0, 0) + 1
    return pc.cast(pc.coalesce(ids, pc.add(pc.index_in(alone, value_set=values), after), pa.scalar(0)), ids.type)


def has_all_columns(folder: Folder) -> bool:
    """Whether a manifest has all columns for the findings; those of older versions do not."""
    with _open_manifest(folder) as parquet:
        return set(COLUMNS_OF_0_1_0.names).issubset(parquet.schema_arrow.names)


@contextlib.contextmanager
def _open_manifest(folder: Folder) -> Iterator[pq.ParquetFile]:
    try:
        with open_manifest(folder, [*REPEATING, *OPTIONAL]) as parquet:
            yield parquet
    except CorruptRecord as error:  # a data card can't be made of the folder
        raise BadLayout(str(error)) from error


def _read_wide(folder: Folder, numbers: Numbers) -> pa.Table:
    """The wide columns of these rows; only the row groups that have one are read."""
    if not numbers.size:
        return COLUMNS.empty_table().select(WIDE_OF_MANIFEST)
    with _open_manifest(folder) as parquet:
        return read_numbered(parquet, numbers, [name for name in WIDE_OF_MANIFEST if name in parquet.schema_arrow.names])
