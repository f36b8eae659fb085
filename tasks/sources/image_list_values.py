"""Values of an image list as texts: whole numbers, what is absent, and several labels as the JSON text of their list."""

import json
import math
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.json_text import parse_json
from imagerecords.schemas.plain_words import kind_of
from imagerecords.tasks.sources.file_names import is_utf8


def text_of(name: str, value: Any, *, several: bool = False) -> str | None:
    """A text, or a whole number as one: labels are often numbers; several labels as JSON, where an image may have them.

    NaN, by which pandas marks what is absent, and null are None.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        if not is_utf8(value):
            raise ValueError(f"half of a character in {value!r} for {name}")
        return value
    if several and name == "label" and isinstance(value, list):
        return json.dumps([text_of(name, each) for each in value if each is not None], ensure_ascii=False)
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        return str(int(value))
    remedy = ". Pass --labels many where an image has several" if name == "label" and isinstance(value, list) else ""
    raise ValueError(f"{value!r} for {name}{remedy}")


def column_of_texts(name: str, column: pa.ChunkedArray, *, several: bool) -> pa.ChunkedArray | pa.Array:
    """A column of a Parquet file as text; NaN, by which pandas marks what is absent, is null. Raises ValueError."""
    if pa.types.is_nested(column.type):
        if not (several and name == "label"):
            remedy = ". Pass --labels many where an image has several" if name == "label" else ""
            raise ValueError(f"a column {name} of {column.type}, which must be of texts or whole numbers{remedy}")
        return pa.array([text_of(name, value, several=True) for value in column.to_pylist()], pa.string())
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    try:
        return column.cast(pa.string())
    except pa.ArrowException as error:
        raise ValueError(f"a column {name} of {column.type} that is no text: {error}") from error


def object_of(line: str) -> dict[str, Any]:
    """The JSON object in a line; raises ValueError where there is none."""
    try:
        row = parse_json(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON ({error.msg}, column {error.colno})") from error
    if not isinstance(row, dict):
        raise ValueError(kind_of(type(row).__name__))
    return row


def labels_in(text: str) -> list[str]:
    """The labels that a text is a JSON list of, or the text itself as the only one."""
    try:
        labels = parse_json(text) if text.startswith("[") else None
    except ValueError:
        labels = None
    texts = isinstance(labels, list) and all(isinstance(label, str | int) and not isinstance(label, bool) for label in labels)
    return list(dict.fromkeys(str(label) for label in labels if label != "")) if texts and labels is not None else [text]
