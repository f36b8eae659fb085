"""The problem gallery of the data card: what was rejected, what the findings tell, and the images at each end of the scales."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.receipt import REJECTED, Reason
from schemas.report import Case, Picture, Problem
from tasks.report_figures import column
from tasks.report_pictures import Piece, Shown, of_row, with_pictures
from tasks.report_sheets import COLUMNS, spread
from tasks.storage import Folder

SIDE = 144
BUDGET = 1_000_000  # characters of all pictures here
REJECTED_SHOWN = 48
EXTREMES_SHOWN = 8
ODD_FROM = 1.5  # longer by shorter side: what is nearer to a square is not odd
# Nothing in these files could be shown.
WITHOUT_PICTURE = (Reason.EMPTY_FILE, Reason.NOT_AN_IMAGE, Reason.UNREADABLE)


@dataclass(frozen=True)
class Draft:
    """A problem before its pictures are made; each case is its note and its images."""

    problem: Problem
    cases: tuple[tuple[str, tuple[Shown, ...]], ...]


def illustrate(drafts: Iterable[Draft]) -> tuple[Problem, ...]:
    """The problems that there are, with their pictures, which are read and made all at once."""
    drafts = [draft for draft in drafts if draft.problem.count]
    images = [image for draft in drafts for _, shown in draft.cases for image in shown]
    pictures = iter(with_pictures(images, SIDE, BUDGET))
    return tuple(replace(draft.problem, cases=tuple(_cases(draft, pictures))) for draft in drafts)


def _cases(draft: Draft, pictures: Iterator[Picture]) -> Iterator[Case]:
    for note, images in draft.cases:
        yield Case(note, tuple(next(pictures) for _ in images))


def draft_rejected(rows: pa.Table, inputs: Mapping[str, Folder]) -> Draft:
    """What was rejected, some of each reason; `inputs` are the folders of the input by split, where they are known."""
    rejected = rows.filter(pc.equal(rows["status"], REJECTED))
    by_reason = {reason: rejected.filter(pc.equal(rejected["reason"], reason)) for reason in _sorted(rejected["reason"])}
    cases = []
    for found in by_reason.values():
        some = found.take(list(spread(found.num_rows, max(1, REJECTED_SHOWN // len(by_reason)))))
        cases += [(_note(row), (_rejected(row, inputs),)) for row in some.to_pylist()]
    counts = ", ".join(f"{found.num_rows:,} {_spoken(reason)}" for reason, found in by_reason.items())
    explanation = f"Left out of the shards: {counts}."
    return Draft(Problem("rejected", "Rejected", explanation, rejected.num_rows, "image", ()), tuple(cases))


def _sorted(column: pa.ChunkedArray) -> list[str]:
    return sorted(column.unique().to_pylist())


def _spoken(reason: str) -> str:
    return reason.replace("_", " ")


def _note(row: Mapping[str, Any]) -> str:
    return f"{_spoken(row['reason'])}: {row['message']}" if row["message"] else _spoken(row["reason"])


def _rejected(row: dict[str, Any], inputs: Mapping[str, Folder]) -> Shown:
    picture = Picture(row["path"], row["split"], row["label"], row["text"])
    folder = inputs.get(row["split"])
    if folder is None or row["reason"] in WITHOUT_PICTURE:
        return Shown(picture)
    return Shown(picture, Piece(folder, row["path"], None, row["source_size"] or 0))


def draft_extremes(folder: Folder, written: pa.Table) -> Iterator[Draft]:
    """The images at the ends of the scales that the manifest has figures for, whether they are problems or not."""
    width, height = column(written, "width"), column(written, "height")
    aspect = np.maximum(width, height) / np.maximum(np.minimum(width, height), 1)
    brightness, sharpness = column(written, "brightness"), column(written, "sharpness")
    scales = (
        ("darkest", "Darkest", "Mean of the grey picture, 0 is black.", brightness, brightness),
        ("brightest", "Brightest", "Mean of the grey picture, 1 is white.", brightness, -brightness),
        ("blurriest", "Blurriest", "The least sharp edges of all.", sharpness, sharpness),
        ("oddest", "Oddest shapes", "Longer by shorter side.", aspect, np.where(aspect >= ODD_FROM, -aspect, np.nan)),
    )
    for key, title, explanation, figure, order in scales:
        known = np.isfinite(order)
        first = np.argsort(order, kind="stable")[: min(EXTREMES_SHOWN, int(known.sum()))]  # NaN stands last
        rows = written.select(COLUMNS).take(first).to_pylist()
        cases = tuple((f"{figure[at]:.3g}", (of_row(folder, row),)) for at, row in zip(first, rows, strict=True))
        yield Draft(Problem(key, title, explanation, len(cases), "image", ()), cases)
