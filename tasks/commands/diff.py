"""diff: how the images of two data sets differ, by their manifests; the order and the shards of records do not count.

Images are the same when split and path are. The rest of both sides is matched by the bytes of the files: an image that changed
its split, or its path, is moved, not removed and added.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.labels import NO_LABEL_TEXT
from imagerecords.schemas.receipt import WRITTEN
from imagerecords.schemas.results import Difference
from imagerecords.tasks.commands.catalogue import open_dataset, read_catalogue

Row = dict[str, Any]
COLUMNS = ["split", "path", "label", "text", "labels", "texts", "sha256", "encoded_sha256", "shard", "record", "offset", "size"]


@dataclass(frozen=True, slots=True)
class Change:
    """A difference, with the image's rows on both sides, where it is on both."""

    difference: Difference
    was: Row | None
    now: Row | None


def diff_datasets(
    url: str, other: str, storage_options: Mapping[str, Any], report: Callable[[str], object] | None = None
) -> list[Difference]:
    """The differences from one data set to another, sorted by kind, split and path; empty when their images are the same.

    `report` is called with a line on the broken records of a data set, which have no part in the comparison.
    """
    catalogues = (read_catalogue(open_dataset(each, storage_options), report) for each in (url, other))
    return [change.difference for change in compare(*catalogues)]


def compare(was: pa.Table, now: pa.Table) -> list[Change]:
    """The differences between two catalogues, with the rows of both sides, sorted by kind, split and path."""
    before, after = _images(was), _images(now)
    changes: list[Change] = []
    for key in before.keys() & after.keys():
        changes += _changes(before[key], after[key])
    gone = [row for key, row in before.items() if key not in after]
    new = [row for key, row in after.items() if key not in before]
    pairs, gone, new = _moved(gone, new)
    for old, row in pairs:
        places = f"{old['split']}/{old['path']}", f"{row['split']}/{row['path']}"
        changes.append(Change(Difference("moved", row["split"], row["path"], *places), old, row))
        changes += _changes(old, row)
    changes += [Change(Difference("removed", row["split"], row["path"], _label(row), None), row, None) for row in gone]
    changes += [Change(Difference("added", row["split"], row["path"], None, _label(row)), None, row) for row in new]
    return sorted(changes, key=lambda each: (each.difference.kind, each.difference.split, each.difference.path))


def _images(catalogue: pa.Table) -> dict[tuple[str, str, int], Row]:
    """The written images by split and path; a third number distinguishes those with the same of both, as in foreign folders."""
    rows = catalogue.filter(pc.equal(catalogue["status"], WRITTEN)).select(COLUMNS).to_pylist()
    seen: defaultdict[tuple[str, str], int] = defaultdict(int)
    images = {}
    for row in rows:
        place = row["split"], row["path"]
        images[(*place, seen[place])] = row
        seen[place] += 1
    return images


def _changes(was: Row, now: Row) -> Iterable[Change]:
    """What differs in an image that is in both."""
    if _label(was) != _label(now):
        yield Change(Difference("relabelled", now["split"], now["path"], _label(was), _label(now)), was, now)
    if was["encoded_sha256"] != now["encoded_sha256"]:
        kind = "re-encoded" if was["sha256"] == now["sha256"] else "replaced"
        yield Change(Difference(kind, now["split"], now["path"], was["encoded_sha256"], now["encoded_sha256"]), was, now)


def _moved(gone: list[Row], new: list[Row]) -> tuple[list[tuple[Row, Row]], list[Row], list[Row]]:
    """Pairs of rows with the same file's bytes, of the same path where there is a choice; and what is left on each side."""
    waiting: defaultdict[str, list[Row]] = defaultdict(list)
    for row in sorted(new, key=_place, reverse=True):
        waiting[_content(row)].append(row)
    pairs, left = [], []
    for row in sorted(gone, key=_place):
        candidates = waiting[_content(row)]
        if not candidates:
            left.append(row)
            continue
        same = [candidate for candidate in candidates if candidate["path"] == row["path"]]
        chosen = same[-1] if same else candidates[-1]
        candidates.remove(chosen)
        pairs.append((row, chosen))
    return pairs, left, [row for rows in waiting.values() for row in rows]


def _content(row: Row) -> str:
    return str(row["sha256"] or row["encoded_sha256"])


def _place(row: Row) -> tuple[str, str, str, int]:
    return row["split"], row["path"], row["shard"], row["record"]


def _label(row: Row) -> str:
    if row["label"] is None and row["text"] is None:
        return NO_LABEL_TEXT
    if row["labels"]:
        return ", ".join(f"{label} {text}" for label, text in zip(row["labels"], row["texts"], strict=True))
    known = [str(value) for value in (row["label"], row["text"]) if value is not None]
    return " ".join(known) or "no label"
