"""CSV files as columns of text, with the line of each row; a row of another width is reported with its line, not raised."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from imagerecords.schemas.messages import plural, some

BLOCK = 1 << 20
LARGEST_VALUE = (1 << 31) - 1  # characters; Python allows 131,072 unless set
DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons"}

EXCELS_LINE = re.compile(rb"(\xef\xbb\xbf)?\"?sep=.\"?\s*")
SPACES_BEHIND_QUOTE = re.compile(r'"[ \t]+(?=[,;\t\r\n]|$)')
UTF_16 = (0xFE, 0xFF)  # with which a file in UTF-16 begins


@dataclass(frozen=True)
class CsvLines:
    """Rows as text, the line of each (int64, from 1), and by line what is wrong with those that are no rows.

    `delimiter` is the character between two values; a column without a name is called `column 1` by its position.
    """

    rows: pa.Table
    lines: np.ndarray
    bad: dict[int, str]
    delimiter: str = ","


def read_csv_lines(file: BinaryIO, names: Sequence[str] | None = None) -> CsvLines:
    """The rows of a CSV file; without `names` line 1 has them. Rows with nothing in them are skipped.

    Values stand between commas, tabs or semicolons, whichever divides the first line into most; spaces round them are not part
    of them. A row with line breaks in its values has the line where it begins. Raises ValueError when the file is empty, names
    a column twice, is not UTF-8, or has quotes that are not as RFC 4180 has them: rows after one would be read as its value.
    """
    bad: dict[int, str] = {}

    def note(row: pa_csv.InvalidRow) -> str:
        bad[row.number] = f"a row must have {plural(row.expected_columns, 'column')}, got {row.actual_columns}"
        return "skip"

    _refuse_other_encodings(file)
    begins = _first_lines_of_rows(file)
    delimiter, file = _without_spaces(file)
    header = _read_header(file, delimiter) if names is None else list(names)
    heads = int(names is None)
    table = pa_csv.read_csv(
        file,
        pa_csv.ReadOptions(column_names=header, skip_rows=heads, use_threads=False),  # threads know no line numbers
        pa_csv.ParseOptions(delimiter=delimiter, ignore_empty_lines=False, invalid_row_handler=note),
        pa_csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string())),
    )
    table = pa.table([pc.utf8_trim_whitespace(column) for column in table.columns], names=header)
    lines = np.setdiff1d(np.arange(1 + heads, 1 + heads + table.num_rows + len(bad)), list(bad), assume_unique=True)
    if begins is not None:
        lines, bad = begins[lines - 1], {int(begins[row - 1]): problem for row, problem in bad.items()}
    filled = np.zeros(table.num_rows, bool)
    for column in table.columns:
        if filled.all():
            break
        filled |= pc.not_equal(column, "").to_numpy()
    return CsvLines(table.filter(pa.array(filled)), lines[filled], bad, delimiter)


def first_row(file: BinaryIO) -> list[str]:
    """The values of the first line, without spaces round them; the file stays where it was."""
    text = _first_line(file)
    return [value.strip() for value in _values(text, delimiter_of(text))]


def _first_line(file: BinaryIO) -> str:
    """The text before the first line's end, which may be a carriage return alone; the file stays where it was."""
    line = file.readline()
    file.seek(0)
    return line.decode("utf-8-sig", "replace").strip("\r\n").partition("\r")[0]


def _values(line: str, delimiter: str) -> list[str]:
    """The values of one line; raises ValueError where one is longer than Python's module csv reads."""
    csv.field_size_limit(LARGEST_VALUE)
    try:
        return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error as error:
        raise ValueError(f"first line: {error}") from error


def _refuse_other_encodings(file: BinaryIO) -> None:
    """Raise ValueError where a file is not UTF-8: Arrow names no line, and only prints the errors of rows of another width."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines = 1
    while True:
        block = file.read(BLOCK)
        try:
            decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            lines += error.object.count(b"\n", 0, error.start)
            byte = error.object[error.start]
            hint = "It looks like UTF-16: save" if lines == 1 and byte in UTF_16 else "Save"
            raise ValueError(f"line {lines} must be UTF-8, got byte {byte:#x}. {hint} it as UTF-8") from error
        if b"\0" in block:
            lines += block.count(b"\n", 0, block.index(b"\0"))
            raise ValueError(f"line {lines} must be UTF-8, got a zero byte. It looks like UTF-16: save it as UTF-8")
        if not block:
            break
        lines += block.count(b"\n")
    file.seek(0)


def _first_lines_of_rows(file: BinaryIO) -> np.ndarray | None:
    """The line where each row begins; None where that is the row's number. The file stays where it was.

    Raises ValueError at a quote within a value, or one that is never closed.
    """
    quoted = any(b'"' in block for block in iter(lambda: file.read(BLOCK), b""))
    file.seek(0)
    if not quoted:
        return None
    delimiter = delimiter_of(_first_line(file))
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    begins = np.fromiter((line for line, _ in quoted_rows(text, delimiter)), np.int64)
    text.detach()
    file.seek(0)
    return begins


def quoted_rows(text: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of lines of text, each with the line where it begins.

    Raises ValueError where quotes are not as RFC 4180 has them, since rows after such a one would be read as its value.
    """
    csv.field_size_limit(LARGEST_VALUE)
    tight = (SPACES_BEHIND_QUOTE.sub('"', line) for line in text)
    rows = csv.reader(tight, delimiter=delimiter, skipinitialspace=True, strict=True)
    begins = 1
    try:
        for row in rows:
            yield begins, row
            begins = rows.line_num + 1
    except csv.Error as error:
        what = "a quote that is never closed" if "end of data" in str(error) else "text behind a closing quote"
        raise ValueError(f'line {begins} has {what}. Write a quote within a value twice, as in "5"" pipe"') from error


def delimiter_of(line: str) -> str:
    """The one of commas, tabs and semicolons that divides a line into most values."""
    counts = {delimiter: len(_values(line, delimiter)) for delimiter in DELIMITERS}
    return max(counts, key=lambda delimiter: counts[delimiter])


def _without_spaces(file: BinaryIO) -> tuple[str, BinaryIO]:
    """The delimiter; and the file, with a quote after a space read as one where its first line has spaces after delimiters."""
    text = _first_line(file)
    delimiter = delimiter_of(text)
    if delimiter + " " not in text:
        return delimiter, file
    rows = csv.reader(io.StringIO(file.read().decode("utf-8-sig"), newline=""), delimiter=delimiter, skipinitialspace=True)
    plain = io.StringIO(newline="")
    writer = csv.writer(plain, delimiter=delimiter, lineterminator="\n")
    try:
        for row in rows:
            writer.writerow(row)
    except csv.Error as error:
        raise ValueError(f"line {rows.line_num}: {error}") from error
    return delimiter, io.BytesIO(plain.getvalue().encode())


def _read_header(file: BinaryIO, delimiter: str) -> list[str]:
    """The names in the first line; the file stays where it was."""
    first = file.readline()
    file.seek(0)
    if EXCELS_LINE.fullmatch(first):
        raise ValueError("line 1 must name the columns, got the line for Excel that names the delimiter. Remove it")
    if not first.strip() and file.read(1):
        raise ValueError("line 1 must name the columns, got an empty line. Remove it")
    options = pa_csv.ParseOptions(delimiter=delimiter)
    found = [str(name).strip() for name in pa_csv.read_csv(pa.BufferReader(first), parse_options=options).column_names]
    names = [name or f"column {number}" for number, name in enumerate(found, start=1)]
    if twice := sorted(name for name, count in Counter(names).items() if count > 1):
        raise ValueError(f"columns named twice: {some(twice)}. Rename or remove one")
    return names
