"""The rows of an image list (CSV, JSON lines, Parquet) or a Label Studio export, as columns of text with the line of each.

Read in batches, and kept in Arrow's memory: a million rows are some hundred MB as columns, and several times that as objects.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagerecords.schemas.boxes import FoundBoxes
from imagerecords.schemas.json_text import parse_json
from imagerecords.schemas.messages import plural, some
from imagerecords.schemas.plain_words import plain_words
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.sources.csv_lines import DELIMITERS, read_csv_lines
from imagerecords.tasks.sources.image_list_values import column_of_texts, labels_in, object_of, text_of
from imagerecords.tasks.sources.input_files import open_file
from imagerecords.tasks.sources.label_studio_rows import read_export_rows
from imagerecords.tasks.storage.arrow_files import arrow_reader

TEXTS = ("path", "label", "split", "group")
REQUIRED = ("path", "label")
ROW = pa.schema([("line", pa.int64()), *((name, pa.string()) for name in TEXTS), ("labels", pa.list_(pa.string()))])
BATCH = 1 << 16  # rows
LIKE_ROWS = 10  # with one kind of problem that are reported
COLUMNS_NAMED = 20  # of a file without those that are needed


@dataclass
class ListedRows:
    """The rows of a file, in its order; what is absent is null.

    `unit` is what the file counts: line, row or task. `columns` are those of the file, `bad` what is wrong with other rows,
    `notes` what was found out of the file, and `boxes` has those of all rows, each with its row in `box_rows`. With `several`
    a row's `labels` are all labels of its image.
    """

    file: str
    unit: str
    columns: set[str] = field(default_factory=set)
    rows: pa.Table = field(default_factory=ROW.empty_table)
    bad: list[tuple[int, str]] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    boxes: FoundBoxes | None = None
    box_rows: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    notes: list[str] = field(default_factory=list)
    several: bool = False

    def place(self, line: int) -> str:
        """Where a row stands, for people; line 0 is the whole file."""
        return f"{self.file}, {self.unit} {line}" if line else self.file

    def report(self, lines: np.ndarray, problems: Sequence[str]) -> None:
        """Report rows with one kind of problem: the first ten, and how many more there are, so that they hide no other kind.

        `problems` has the text of each of these ten at least.
        """
        more = len(lines) - LIKE_ROWS
        found = list(zip(lines[:LIKE_ROWS].tolist(), problems, strict=False))
        if more > 0:
            line, problem = found.pop()
            found.append((line, f"{problem}, as in {plural(more, 'later row')}"))
        self.bad += found


Batch = tuple[pa.Table, Iterable[Any] | None]  # rows, and the values of their column boxes


def read_rows(settings: BuildSettings) -> ListedRows:
    """The rows of the settings' image list or export; raises OSError, ValueError or ArrowException when it is none."""
    location = settings.image_list or settings.label_studio or ""
    read, unit = READERS[location.rpartition(".")[2].lower()] if settings.image_list else (_export_reader(settings), "task")
    listed = ListedRows(location, unit, several=settings.labels == "many")
    boxes = _Boxes()
    tables = [ROW.empty_table()]
    with open_file(location, settings.storage_options) as file:
        for table, cells in read(file, listed):
            if cells is not None:
                boxes.add(listed, sum(map(len, tables)), table["line"].to_pylist(), cells)
            tables.append(table.cast(ROW))
    listed.rows = pa.concat_tables(tables)
    for name in TEXTS:
        column = listed.rows[name]
        empty = pc.fill_null(pc.equal(column, ""), True)
        listed.rows = listed.rows.set_column(ROW.get_field_index(name), name, pc.if_else(empty, None, column))
    listed.rows = with_lists(listed.rows) if listed.several else listed.rows
    if "boxes" in listed.columns:
        listed.boxes, listed.box_rows = boxes.found()
    return listed


def with_lists(rows: pa.Table) -> pa.Table:
    """The rows with all labels of each image, whose `label` may be the JSON text of a list, and with the first as its label."""
    labels = [[] if text is None else labels_in(text) for text in rows["label"].to_pylist()]
    first = pa.array([each[0] if each else None for each in labels], pa.string())
    rows = rows.set_column(ROW.get_field_index("label"), "label", first)
    return rows.set_column(ROW.get_field_index("labels"), "labels", pa.array(labels, ROW.field("labels").type))


def labels_text(labels: Iterable[str]) -> str:
    """Several labels as a row has them while it is read: the JSON text of their list."""
    return json.dumps(list(labels), ensure_ascii=False)


class _Boxes:
    """The boxes of rows while they are read."""

    def __init__(self) -> None:
        self.corners: list[np.ndarray] = []
        self.rows: list[np.ndarray] = []
        self.names: list[pa.Array] = []
        self.places: list[pa.Array] = []

    def add(self, listed: ListedRows, start: int, lines: list[int], cells: Iterable[Any]) -> None:
        """Take the boxes of some rows, the first of which is row `start`."""
        corners, rows, names, places = [], [], [], []
        for row, (line, cell) in enumerate(zip(lines, cells, strict=True), start):
            try:
                boxes = read_cell(cell)
            except (ValueError, TypeError, KeyError, OverflowError) as error:
                wanted = "[xmin, ymin, xmax, ymax] or [xmin, ymin, xmax, ymax, label]"
                listed.bad.append((line, f"boxes must be a list of {wanted}, got {plain_words(error)}"))
                continue
            for box, name in boxes:
                corners.append(box)
                rows.append(row)
                names.append(name)
                places.append(listed.place(line))
        self.corners.append(np.array(corners, np.float64).reshape(-1, 4))
        self.rows.append(np.array(rows, np.int64))
        self.names.append(pa.array(names, pa.string()))
        self.places.append(pa.array(places, pa.string()))

    def found(self) -> tuple[FoundBoxes, np.ndarray]:
        """All boxes, and the row of each."""
        none = pa.array([], pa.string())
        places, names = pa.concat_arrays([none, *self.places]), pa.concat_arrays([none, *self.names])
        corners, rows = [np.empty((0, 4)), *self.corners], [np.empty(0, np.int64), *self.rows]
        return FoundBoxes(places, places, np.concatenate(corners), names), np.concatenate(rows)


def read_cell(cell: Any) -> list[tuple[list[float], str | None]]:
    """The boxes in a value of the column boxes: a list, or the JSON text of one; raises ValueError, TypeError or KeyError."""
    boxes = parse_json(cell or "[]") if isinstance(cell, str | None) else cell
    if not isinstance(boxes, list):
        raise ValueError(repr(boxes))
    return [_box(box) for box in boxes]


def _box(box: Any) -> tuple[list[float], str | None]:
    values = [box["xmin"], box["ymin"], box["xmax"], box["ymax"], box.get("label")] if isinstance(box, dict) else list(box)
    corners, name = values[:4], values[4] if len(values) == 5 else None
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in corners)
    if not numbers or not 4 <= len(values) <= 5 or not isinstance(name, str | None):
        raise ValueError(repr(box))
    return [float(value) for value in corners], name


def _take_columns(listed: ListedRows, columns: Iterable[str]) -> list[str]:
    """Note which columns a file has; returns those that are read. Raises ValueError without path and label, or with two."""
    counts = Counter(columns)
    listed.columns |= counts.keys()
    if missing := [name for name in REQUIRED if name not in listed.columns]:
        present = some(sorted(listed.columns), COLUMNS_NAMED)
        raise ValueError(f"no column {' and no column '.join(missing)}, but {present}. {_naming(listed.file)}")
    read = [name for name in (*TEXTS, "boxes") if name in listed.columns]
    if twice := [name for name in read if counts[name] > 1]:
        raise ValueError(f"columns named twice: {some(twice)}. Rename or remove one")
    return read


def _naming(file: str) -> str:
    """How a file's columns get the names that are read."""
    if file.lower().endswith((".csv", ".tsv")):
        return "Line 1 must name the columns; --annotations also finds columns of other names"
    return "Rename the columns"


def _read_csv(file: BinaryIO, listed: ListedRows) -> Iterator[Batch]:
    found = read_csv_lines(file)
    if found.delimiter != ",":
        listed.notes.append(f"{listed.file}: read with {DELIMITERS[found.delimiter]} between values")
    names = _take_columns(listed, found.rows.column_names)
    listed.bad += list(found.bad.items())
    rows = found.rows.select(names).append_column("line", pa.array(found.lines))
    for start in range(0, rows.num_rows, BATCH):
        yield _batch(rows.slice(start, BATCH))


def _read_parquet(file: BinaryIO, listed: ListedRows) -> Iterator[Batch]:
    parquet = pq.ParquetFile(arrow_reader(file.read()))
    names = _take_columns(listed, parquet.schema_arrow.names)
    first = 1
    for batch in parquet.iter_batches(BATCH, columns=names):
        lines = pa.array(np.arange(first, first + batch.num_rows))
        first += batch.num_rows
        table = pa.table(batch).append_column("line", lines)
        for place, name in enumerate(table.column_names):
            if name in TEXTS:
                table = table.set_column(place, name, column_of_texts(name, table[name], several=listed.several))
        yield _batch(table)


def _read_json_lines(file: BinaryIO, listed: ListedRows) -> Iterator[Batch]:
    pending: list[dict[str, Any]] = []
    for number, line in enumerate(file, start=1):
        if not line.strip():
            continue
        try:
            row = object_of(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            texts = {name: text_of(name, row.get(name), several=listed.several) for name in TEXTS}
        except UnicodeDecodeError as error:
            listed.bad.append((number, f"a row must be UTF-8, got byte {error.object[error.start]:#x}. Save the file as UTF-8"))
            continue
        except ValueError as error:
            listed.bad.append((number, f"a row must be a JSON object with texts for {', '.join(TEXTS)}, got {error}"))
            continue
        listed.columns |= row.keys()
        pending.append({"line": number, **texts, "boxes": row.get("boxes")})
        if len(pending) == BATCH:
            yield _objects(pending)
            pending = []
    _take_columns(listed, () if listed.columns else REQUIRED)  # none: each row is bad, and says why
    yield _objects(pending)


def _export_reader(settings: BuildSettings) -> Callable[[BinaryIO, ListedRows], Iterator[Batch]]:
    def read(file: BinaryIO, listed: ListedRows) -> Iterator[Batch]:
        found = read_export_rows(file.read(), listed.file, settings)
        listed.unit = found.unit
        listed.bad += found.bad
        listed.notes += found.notes
        listed.skipped |= found.skipped
        listed.columns |= {"boxes"} if any(row["boxes"] for row in found.rows) else set()
        yield _objects(found.rows)

    return read


def _objects(rows: list[dict[str, Any]]) -> Batch:
    table = pa.Table.from_pylist([{name: row.get(name) for name in ROW.names} for row in rows], ROW)
    return table, [row["boxes"] for row in rows]


def _batch(table: pa.Table) -> Batch:
    """A part of a table with the columns of ROW, and of boxes."""
    columns = [table[name] if name in table.column_names else pa.nulls(table.num_rows) for name in ROW.names]
    cells = table["boxes"].to_pylist() if "boxes" in table.column_names else None
    return pa.table(columns, names=ROW.names), cells


READERS = {
    "csv": (_read_csv, "line"),
    "tsv": (_read_csv, "line"),
    "jsonl": (_read_json_lines, "line"),
    "ndjson": (_read_json_lines, "line"),
    "parquet": (_read_parquet, "row"),
}
