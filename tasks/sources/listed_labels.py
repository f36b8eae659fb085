"""The labels of listed rows: one form per name, those that are excluded or unlisted, and several of one image with labels=many.

A decision that binds users' data: an image's labels are in the order of their ids, and the first is its classic label.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.labels import NO_LABEL, name_problems
from imagerecords.schemas.messages import first_lines, some
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.unicode_names import composed, form_notes, one_form
from imagerecords.tasks.sources.image_list_file import LIKE_ROWS, ListedRows
from imagerecords.tasks.sources.unlabelled import unlabelled_notes

UNLISTED = "unlisted label"
EXCLUDED = "excluded label"
JOINED = re.compile(r"\w\s*[|;,]\s*\w")


def all_labels(rows: pa.Table) -> list[str]:
    """The labels of some rows, each once, in the order in which they come first."""
    several = rows["labels"].null_count < rows.num_rows
    values = pc.list_flatten(rows["labels"]) if several else rows["label"]
    return list(pc.unique(values).drop_null().to_pylist())


def unite_labels(settings: BuildSettings, listed: ListedRows, known: Iterable[str]) -> list[str]:
    """Bring labels that differ in their Unicode form only to one form; returns what to report."""
    forms = one_form(all_labels(listed.rows), known)
    if any(name != form for name, form in forms.items()):
        _map_labels(listed, lambda label: forms.get(label, label))
    kept = set(forms.values()).difference(excluded_labels(settings, listed))
    return [*form_notes(f"{listed.file}: labels", forms), *unlabelled_notes(kept), *_joined_notes(listed)]


def _joined_notes(listed: ListedRows) -> Iterator[str]:
    """A note on labels such as `cat|dog`, where an image may have several and none has."""
    if not listed.several or any(len(labels or ()) > 1 for labels in listed.rows["labels"].to_pylist()):
        return
    if joined := [repr(label) for label in all_labels(listed.rows) if JOINED.search(label)]:
        yield f'{listed.file}: no image has several labels; one each, unless written as ["cat", "dog"]: {some(joined)}'


def _map_labels(listed: ListedRows, form_of: Callable[[str], str | None]) -> None:
    """Give each label another form; None removes it."""
    for name in ("label", "labels"):
        column = listed.rows[name]
        values: list[Any] = [_mapped(value, form_of) for value in column.to_pylist()]
        listed.rows = listed.rows.set_column(listed.rows.column_names.index(name), name, pa.array(values, column.type))


def _mapped(value: Any, form_of: Callable[[str], str | None]) -> Any:
    if isinstance(value, list):
        return list(dict.fromkeys(form for label in value if (form := form_of(label)) is not None))
    return None if value is None else form_of(value) or value


def excluded_labels(settings: BuildSettings, listed: ListedRows) -> list[str]:
    """The labels of rows that exclude_labels leaves out."""
    excluded = set(map(composed, settings.exclude_labels))
    return [label for label in all_labels(listed.rows) if composed(label) in excluded]


def without_excluded(settings: BuildSettings, listed: ListedRows) -> np.ndarray:
    """Which rows have a label that is not one of exclude_labels; the others are counted."""
    return _without(listed, excluded_labels(settings, listed), EXCLUDED)


def _without(listed: ListedRows, labels: Collection[str], what: str) -> np.ndarray:
    """Which rows have a label beside these, which they lose; the others are counted."""
    if listed.several:
        gone, before = set(labels), _without_any(listed)
        if gone:
            _map_labels(listed, lambda label: None if label in gone else label)
        out = _without_any(listed) & ~before
    else:
        out = pc.is_in(listed.rows["label"], pa.array(labels, pa.string())).to_numpy()
    if out.any():
        listed.skipped[what] = int(out.sum())
    kept: np.ndarray = ~out
    return kept


def _without_any(listed: ListedRows) -> np.ndarray:
    """Which rows have no label."""
    return np.array([not value for value in listed.rows["labels"].to_pylist()], bool)


def name_labels(settings: BuildSettings, listed: ListedRows, names: Mapping[str, int] | None, usable: np.ndarray) -> list[str]:
    """The labels in the order of a first build's ids; rows of other labels are reported, or no longer usable."""
    found = sorted(set(all_labels(listed.rows)) - set(excluded_labels(settings, listed)))
    if names is None:
        problems = ((label, problem) for label in found for problem in name_problems(label))
        for label, problem in islice(problems, LIKE_ROWS):
            listed.bad.append((_first_line(listed, label), problem))
        return found
    unlisted = sorted(set(found) - set(names))
    if settings.unlisted_labels == "ignore":
        usable &= _without(listed, unlisted, UNLISTED)
        return list(names)
    rule = f"a label must be in {settings.labels_file} (add it, or pass --unlisted_labels ignore)"
    bad = _lines_of(listed, set(unlisted)) if unlisted else []
    listed.report(np.array([line for line, _ in bad], np.int64), [f"{rule}, got {label!r}" for _, label in bad[:LIKE_ROWS]])
    usable &= ~np.isin(listed.rows["line"].to_numpy(), [line for line, _ in bad])
    return list(names)


def _lines_of(listed: ListedRows, labels: Collection[str]) -> list[tuple[int, str]]:
    """The line and label of each row that has one of these labels, in the order of lines."""
    values = listed.rows["labels"].to_pylist() if listed.several else ([label] for label in listed.rows["label"].to_pylist())
    rows = zip(listed.rows["line"].to_pylist(), values, strict=True)
    return sorted((line, label) for line, of_row in rows for label in of_row or () if label in labels)


def _has(listed: ListedRows, label: str) -> pa.ChunkedArray:
    """Which rows have a label."""
    if not listed.several:
        return pc.fill_null(pc.equal(listed.rows["label"], label), False)
    return pa.chunked_array([pa.array([label in (value or ()) for value in listed.rows["labels"].to_pylist()], pa.bool_())])


def _first_line(listed: ListedRows, label: str) -> int:
    line: int = listed.rows["line"][pc.index(_has(listed, label), True).as_py()].as_py()
    return line


def empty_labels(labels: list[str], present: set[str], location: str) -> list[str]:
    """An error for each label without images."""
    missing = sorted(set(labels) - present)
    rule = "a label must have images, got none for"
    return list(first_lines([f"{rule} {label!r}: {location}. Add some or remove the label" for label in missing]))


def with_ids(images: pa.Table, labels: tuple[str, ...]) -> pa.Table:
    """The rows of images with ids in place of their labels' names."""
    ids = {label: number for number, label in enumerate(labels, start=1)}
    several = images["labels"].null_count < images.num_rows
    lists = [sorted({ids[label] for label in value}) for value in images["labels"].to_pylist()] if several else None
    label = (
        pa.array([numbers[0] if numbers else NO_LABEL for numbers in lists], pa.int32())
        if lists is not None
        else pc.add(pc.index_in(images["label"], pa.array(labels, pa.string())), 1)
    )
    images = images.set_column(images.column_names.index("label"), "label", label)
    column = pa.array(lists, pa.list_(pa.int32())) if lists is not None else pa.nulls(images.num_rows, pa.list_(pa.int32()))
    return images.set_column(images.column_names.index("labels"), "labels", column)
