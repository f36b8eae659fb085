"""diff --html: what changed between two data sets, as one page with pictures, in the data card's style and without a script."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.data_card import Picture
from imagerecords.schemas.messages import plural
from imagerecords.schemas.receipt import WRITTEN
from imagerecords.schemas.results import Difference
from imagerecords.tasks.commands.catalogue import open_dataset, read_catalogue
from imagerecords.tasks.commands.diff import Change, compare
from imagerecords.tasks.data_card.page import page_of
from imagerecords.tasks.data_card.pictures import PictureSource, of_row, with_pictures
from imagerecords.tasks.data_card.sheets import spread
from imagerecords.tasks.records.files import is_compressed
from imagerecords.tasks.storage.folders import Folder

TEMPLATE = "diff.html.jinja"
KINDS = {
    "added": "In the second data set only.",
    "removed": "In the first data set only.",
    "relabelled": "The same image has another label.",
    "replaced": "Another image has the same path.",
    "moved": "The same image is in another split, or has another path.",
    "re-encoded": "The same input file is stored as other bytes.",
}
SHOWN = 96  # of each kind
SIDE, BUDGET = 176, 5_500_000  # pixels of the longer side; characters of all pictures


@dataclass(frozen=True, slots=True)
class Shown:
    """A difference, with the picture before and after it."""

    difference: Difference
    was: Picture | None
    now: Picture | None


@dataclass(frozen=True, slots=True)
class Kind:
    """All differences of a kind: their number, and some of them."""

    name: str
    explanation: str
    count: int
    shown: tuple[Shown, ...]


def diff_page(
    url: str, other: str, storage_options: Mapping[str, Any], report: Callable[[str], object] | None = None
) -> tuple[list[Difference], bytes]:
    """The differences, and the page that shows them; `report` is called as by `diff_datasets`."""
    folders = open_dataset(url, storage_options), open_dataset(other, storage_options)
    before, after = (read_catalogue(folder, report) for folder in folders)
    changes = compare(before, after)
    page = page_of(
        files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8"),
        names=(url.rstrip("/").rpartition("/")[2], other.rstrip("/").rpartition("/")[2]),
        totals=(_count(before), _count(after)),
        kinds=_kinds(changes, folders),
        labels=_labels(before, after),
        same=plural(_count(after), "image"),
    )
    return [change.difference for change in changes], page


def _count(catalogue: pa.Table) -> int:
    return int(pc.sum(pc.equal(catalogue["status"], WRITTEN)).as_py() or 0)


def _labels(before: pa.Table, after: pa.Table) -> list[tuple[str, int, int]]:
    """Labels whose number of images differs, with both numbers, the largest changes first."""
    counts = [
        Counter(str(text) for text in catalogue.filter(pc.equal(catalogue["status"], WRITTEN))["text"].to_pylist())
        for catalogue in (before, after)
    ]
    changed = [(text, counts[0][text], counts[1][text]) for text in {**counts[0], **counts[1]}]
    return sorted((row for row in changed if row[1] != row[2]), key=lambda row: (-abs(row[1] - row[2]), row[0]))


def _kinds(changes: Sequence[Change], folders: tuple[Folder, Folder]) -> list[Kind]:
    by_kind = {kind: [change for change in changes if change.difference.kind == kind] for kind in KINDS}
    chosen = {kind: [found[at] for at in spread(len(found), SHOWN)] for kind, found in by_kind.items()}
    rows = [change for found in chosen.values() for change in found]
    sides = [(folder, row) for change in rows for folder, row in zip(folders, (change.was, change.now), strict=True)]
    pictures = iter(_pictures(sides))
    pairs = [(next(pictures), next(pictures)) for _ in rows]
    shown = iter(zip(rows, pairs, strict=True))
    return [
        Kind(kind, KINDS[kind], len(by_kind[kind]), tuple(Shown(c.difference, *pair) for c, pair in _first(shown, len(found))))
        for kind, found in chosen.items()
        if found
    ]


def _first(items: Any, count: int) -> Iterable[Any]:
    return [next(items) for _ in range(count)]


def _pictures(sides: Sequence[tuple[Folder, dict[str, Any] | None]]) -> list[Picture | None]:
    """A picture for each side that there is."""
    whole = {(folder.url, row["shard"]): is_compressed(folder, row["shard"]) for folder, row in sides if row}
    present = [_source(folder, row, whole[folder.url, row["shard"]]) for folder, row in sides if row]
    made = iter(with_pictures(present, SIDE, BUDGET))
    return [next(made) if row else None for _, row in sides]


def _source(folder: Folder, row: dict[str, Any], is_whole: bool) -> PictureSource:
    """Records in a file that is compressed as a whole can't be read one by one."""
    known = {"label": row["label"] or 0, "text": "no label" if row["text"] is None else row["text"]}
    return of_row(folder, row | known | ({"offset": None} if is_whole else {}))
