"""CSV files as columns of text, with the line of each row; a row of another width is reported with its line, not raised."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv


@dataclass(frozen=True)
class CsvLines:
    """Rows as text, the line of each (int64, from 1), and by line what is wrong with those that are no rows."""

    rows: pa.Table
    lines: np.ndarray
    bad: dict[int, str]


def read_csv_lines(file: BinaryIO, names: Sequence[str] | None = None) -> CsvLines:
    """The rows of a CSV file; without `names` line 1 has them. Rows with nothing in them are skipped.

    A value with line breaks in it counts as one line. Raises ValueError when the file is empty, names a column twice, or is
    not UTF-8.
    """
    bad: dict[int, str] = {}

    def note(row: pa_csv.InvalidRow) -> str:
        bad[row.number] = f"a row must have {row.expected_columns} columns, got {row.actual_columns}"
        return "skip"

    header = _read_header(file) if names is None else list(names)
    heads = int(names is None)
    table = pa_csv.read_csv(
        file,
        pa_csv.ReadOptions(column_names=header, skip_rows=heads, use_threads=False),  # threads know no line numbers
        pa_csv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=note),
        pa_csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string())),
    )
    lines = np.setdiff1d(np.arange(1 + heads, 1 + heads + table.num_rows + len(bad)), list(bad), assume_unique=True)
    filled = np.zeros(table.num_rows, bool)
    for column in table.columns:
        filled |= pc.not_equal(column, "").to_numpy()
    return CsvLines(table.filter(pa.array(filled)), lines[filled], bad)


def _read_header(file: BinaryIO) -> list[str]:
    """The names in the first line; the file stays where it was."""
    first = file.readline()
    file.seek(0)
    names = [str(name) for name in pa_csv.read_csv(pa.BufferReader(first)).column_names]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"columns named twice: {', '.join(twice)}")
    return names
