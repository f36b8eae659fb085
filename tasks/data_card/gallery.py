"""The problem gallery of the data card: rejected images, the findings, and the images at each end of the scales."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.data_card import Case, Picture, Problem
from imagerecords.schemas.findings import (
    BLANK_CONTRAST,
    BRIGHT_BRIGHTNESS,
    DARK_BRIGHTNESS,
    EXTREME_ASPECT,
    TINY_SIDE,
    FindingCounts,
    Findings,
    GroupExample,
    Groups,
    ImageReference,
)
from imagerecords.schemas.messages import plural
from imagerecords.schemas.receipt import Reason
from imagerecords.tasks.data_card.histograms import column
from imagerecords.tasks.data_card.pictures import PictureSource, of_row, with_pictures
from imagerecords.tasks.data_card.rows import Rows
from imagerecords.tasks.data_card.sheets import spread
from imagerecords.tasks.storage.folders import Folder

SIDE = 144
BUDGET = 1_000_000  # characters of all pictures here
REJECTED_SHOWN = 48
EXTREMES_SHOWN = 8
GROUPS_SHOWN, MEMBERS_SHOWN = 8, 4
ELONGATED_FROM = 1.5  # longer by shorter side; images nearer to a square are not shown as elongated
# By kind: a title, and the consequence for training.
DUPLICATES = {
    "exact-across_splits": ("Leaks", "The same image in two splits: validation or test measures an image of the training."),
    "near-across_splits": ("Near leaks", "Nearly the same image in two splits: re-encoded, resized, or the next frame."),
    "exact-across_labels": ("Label conflicts", "The same image under two labels: one of them is wrong."),
    "near-across_labels": ("Near label conflicts", "Nearly the same image under two labels."),
    "exact-within": ("Duplicates", "The same image more than once in one label and split: it counts more than others."),
    "near-within": ("Near duplicates", "Nearly the same image more than once in one label and split."),
}
IMAGE_QUALITY = {
    "blank": ("Blank", f"A contrast below {BLANK_CONTRAST}: one shade everywhere."),
    "tiny": ("Tiny", f"Fewer than {TINY_SIDE} pixels on the shorter side."),
}
# The first three can't be decoded; removed images must not be shown here either.
WITHOUT_PICTURE = (Reason.EMPTY_FILE, Reason.NOT_AN_IMAGE, Reason.UNREADABLE, Reason.REMOVED)


@dataclass(frozen=True)
class Draft:
    """A problem before its pictures are made; each case is its note and its images."""

    problem: Problem
    cases: tuple[tuple[str, tuple[PictureSource, ...]], ...]


class Scale(NamedTuple):
    """A metric by which images are ordered: the first of `order` are shown, with its absolute value, and NaN never."""

    key: str
    title: str
    explanation: str
    order: np.ndarray


def illustrate(drafts: Iterable[Draft]) -> tuple[Problem, ...]:
    """The problems that have cases, with their pictures, all of which are made at once."""
    drafts = [draft for draft in drafts if draft.cases]
    images = [image for draft in drafts for _, shown in draft.cases for image in shown]
    pictures = iter(with_pictures(images, SIDE, BUDGET))
    return tuple(replace(draft.problem, cases=tuple(_cases(draft, pictures))) for draft in drafts)


def _cases(draft: Draft, pictures: Iterator[Picture]) -> Iterator[Case]:
    for note, images in draft.cases:
        yield Case(note, tuple(next(pictures) for _ in images))


def draft_rejected(rows: Rows, inputs: Mapping[str, Folder]) -> Draft:
    """Rejected images, some per reason; `inputs` are the folders of the input by split, where they are known."""
    reasons = sorted(rows.narrow["reason"].unique().drop_null().to_pylist())
    by_reason = {reason: rows.numbers("reason", reason) for reason in reasons}
    share = max(1, REJECTED_SHOWN // max(1, len(reasons)))
    shown = [int(found[at]) for found in by_reason.values() for at in spread(len(found), share)]
    cases = tuple((_note(row), (_rejected(row, inputs),)) for row in rows.take(shown))
    counts = ", ".join(f"{len(found):,} {_spoken(reason)}" for reason, found in by_reason.items())
    return Draft(Problem("rejected", "Rejected", f"Not in the shards: {counts}.", sum(map(len, by_reason.values()))), cases)


def _spoken(reason: str) -> str:
    return reason.replace("_", " ")


def _note(row: Mapping[str, Any]) -> str:
    return f"{_spoken(row['reason'])}: {row['message']}" if row["message"] else _spoken(row["reason"])


def _rejected(row: dict[str, Any], inputs: Mapping[str, Folder]) -> PictureSource:
    picture = Picture(row["path"], row["split"], row["label"], row["text"])
    folder = inputs.get(row["split"])
    if folder is None or row["reason"] in WITHOUT_PICTURE:
        return PictureSource(picture)
    return PictureSource(picture, folder, row["path"], size=row["source_size"] or 0)


def draft_duplicates(rows: Rows, written: pa.Table, findings: Findings) -> Iterator[Draft]:
    """Groups of duplicates and near duplicates, the most severe first; each group side by side."""
    groups = [(f"{kind}-{where}", counts, examples) for kind, where, counts, examples in _duplicates(findings)]
    shown = [(key, counts, examples[:GROUPS_SHOWN]) for key, counts, examples in groups]
    references = [image for *_, examples in shown for group in examples for image in group.members[:MEMBERS_SHOWN]]
    images = _images_of(rows, written, references)
    for key, counts, examples in shown:
        cases = []
        for group in examples:
            members = tuple(images[image.shard, image.offset] for image in group.members[:MEMBERS_SHOWN])
            cases.append((plural(group.images, "image"), members))
        title, explanation = DUPLICATES[key]
        yield Draft(Problem(key, title, explanation, counts.groups, "group"), tuple(cases))


def _duplicates(findings: Findings) -> Iterator[tuple[str, str, Groups, tuple[GroupExample, ...]]]:
    for where in ("across_splits", "across_labels", "within"):
        for kind in ("exact", "near"):
            counts, examples = getattr(findings.counts, kind), getattr(findings, kind)
            yield kind, where, getattr(counts, where), getattr(examples, where)


def draft_quality(rows: Rows, written: pa.Table, findings: Findings) -> Iterator[Draft]:
    """The findings of single images, except those at the ends of the scales, which draft_extremes shows."""
    shown = _images_of(rows, written, [image for key in IMAGE_QUALITY for image in findings.images.get(key, ())])
    for key, (title, explanation) in IMAGE_QUALITY.items():
        images = findings.images.get(key, ())
        cases = tuple((f"{image.value:.3g}", (shown[image.shard, image.offset],)) for image in images)
        yield Draft(Problem(key, title, explanation, getattr(findings.counts, key)), cases)


def _images_of(rows: Rows, written: pa.Table, images: Sequence[ImageReference]) -> dict[tuple[str, int], PictureSource]:
    """The sources of these images' pictures, by shard and offset."""
    shards = pa.array([image.shard for image in images], pa.string())
    offsets = pa.array([image.offset for image in images], pa.int64())
    is_one = pc.and_(
        pc.is_in(written["shard"].cast(pa.string()), value_set=shards), pc.is_in(written["offset"], value_set=offsets)
    )
    found = rows.take(rows.written()[is_one.to_numpy()])
    return {(row["shard"], row["offset"]): of_row(rows.folder, row) for row in found}


def draft_extremes(rows: Rows, written: pa.Table, counts: FindingCounts) -> Iterator[Draft]:
    """The images at the ends of the scales of the manifest's metrics, whether they are problems or not."""
    for scale in _scales(written, counts):
        known = np.isfinite(scale.order)
        first = np.argsort(scale.order, kind="stable")[: min(EXTREMES_SHOWN, int(known.sum()))]  # NaN is last
        images = [of_row(rows.folder, row) for row in rows.take(rows.written()[first])]
        cases = tuple((f"{abs(scale.order[at]):.3g}", (image,)) for at, image in zip(first, images, strict=True))
        yield Draft(Problem(scale.key, scale.title, scale.explanation), cases)


def _scales(written: pa.Table, counts: FindingCounts) -> Iterator[Scale]:
    brightness = column(written, "brightness")
    yield Scale("darkest", "Darkest", f"Mean brightness, 0 to 1: {counts.dark:,} below {DARK_BRIGHTNESS}.", brightness)
    yield Scale("brightest", "Brightest", f"Mean brightness, 0 to 1: {counts.bright:,} above {BRIGHT_BRIGHTNESS}.", -brightness)
    yield Scale("blurriest", "Blurriest", f"Sharpness: {counts.blurred:,} counted as blurred.", column(written, "sharpness"))
    width, height = column(written, "width"), column(written, "height")
    aspect = np.maximum(width, height) / np.maximum(np.minimum(width, height), 1)
    elongated = np.where(aspect >= ELONGATED_FROM, -aspect, np.nan)
    yield Scale(
        "most-elongated",
        "Most elongated",
        f"Longer by shorter side: {counts.extreme_aspect_ratio:,} above {EXTREME_ASPECT:g}.",
        elongated,
    )
