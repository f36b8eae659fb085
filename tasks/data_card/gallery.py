"""The problems of the data card, the most severe first: each with some cases, whose pictures are made later with all others."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.data_card import SEVERITIES, Case, LabelRow, Picture, Problem
from imagerecords.schemas.findings import FEW_IMAGES, Findings, GroupExample, Groups, ImageReference
from imagerecords.schemas.labels import NO_LABEL_TEXT
from imagerecords.schemas.messages import plural
from imagerecords.schemas.receipt import Reason
from imagerecords.schemas.splits import FOLDS
from imagerecords.tasks.data_card.advice import WORDS
from imagerecords.tasks.data_card.histograms import Values
from imagerecords.tasks.data_card.overview import Overview
from imagerecords.tasks.data_card.rows import Rows
from imagerecords.tasks.data_card.sheets import spread
from imagerecords.tasks.findings.mislabels import Suspects
from imagerecords.tasks.findings.shortcuts import Shortcut

REJECTED_SHOWN = 48
SHOWN = 48  # images or labels of a problem
GROUPS_SHOWN, MEMBERS_SHOWN = 24, 6
NEIGHBOURS_SHOWN, TYPICAL_SHOWN = 3, 6
# By kind, how the metric that an image was found by is written.
QUALITY = {
    "blank": "contrast {:.3g}",
    "dark": "brightness {:.3g}",
    "bright": "brightness {:.3g}",
    "blurred": "sharpness {:.2g}",
    "tiny": "{:.0f} px",
    "extreme_aspect_ratio": "{:.1f} : 1",
}
# The first three can't be decoded; removed images must not be shown here either.
WITHOUT_PICTURE = (Reason.EMPTY_FILE, Reason.NOT_AN_IMAGE, Reason.UNREADABLE, Reason.REMOVED)


def by_severity(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems that occur, the most severe first."""
    order = list(WORDS)
    present = [problem for problem in problems if problem.count]
    return tuple(sorted(present, key=lambda each: (SEVERITIES.index(each.severity), order.index(each.key))))


def _problem(key: str, count: int, cases: Iterable[Case], unit: str = "image") -> Problem:
    words = WORDS[key]
    return Problem(key, words.title, words.severity, words.explanation, words.advice, count, unit, tuple(cases))


def rejected_problem(rows: Rows) -> Problem:
    """Rejected images, some per reason."""
    reasons = sorted(rows.narrow["reason"].unique().drop_null().to_pylist())
    by_reason = {reason: rows.numbers("reason", reason) for reason in reasons}
    share = max(1, REJECTED_SHOWN // max(1, len(reasons)))
    shown = [int(found[at]) for found in by_reason.values() for at in spread(len(found), share)]
    cases = (Case(rejection(row), (row["row"],)) for row in rows.take(shown))
    problem = _problem("rejected", sum(map(len, by_reason.values())), cases)
    counts = ", ".join(f"{len(found):,} {_spoken(reason)}" for reason, found in by_reason.items())
    explanation = f"{problem.explanation} {counts}." if counts else problem.explanation
    return Problem(**{**_fields(problem), "explanation": explanation})


def _fields(problem: Problem) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in Problem.__dataclass_fields__}


def _spoken(reason: str) -> str:
    return reason.replace("_", " ")


def rejection(row: Mapping[str, Any]) -> str:
    """Why an image of the manifest was rejected, in words."""
    return f"{_spoken(row['reason'])}: {row['message']}" if row["message"] else _spoken(row["reason"])


def label_problems(labels: Sequence[LabelRow], splits: Sequence[str]) -> Iterator[Problem]:
    """Labels without images in a split in which others have some, and those with few training images, by name."""
    used = [number for number in range(len(splits)) if any(label.written[number] for label in labels)]
    labels = [label for label in labels if label.text != NO_LABEL_TEXT]
    missing = [(label, number) for number in used for label in labels if not label.written[number]]
    cases = [
        Case(f"{label.text}: no image in {splits[number]}, {label.total:,} elsewhere", label=label.label)
        for label, number in missing
    ]
    yield _problem("missing-labels", len(missing), cases[:SHOWN], "case")
    training = [number for number, split in enumerate(splits) if split in ("train", *FOLDS)]
    if training:
        counts = {label: sum(label.written[number] for number in training) for label in labels}
        few = [(label, count) for label, count in counts.items() if 0 < count < FEW_IMAGES]
        notes = [Case(f"{label.text}: {plural(count, 'training image')}", label=label.label) for label, count in few]
        yield _problem("few-images", len(few), notes[:SHOWN], "label")


def duplicate_problems(rows: Rows, written: pa.Table, findings: Findings) -> Iterator[Problem]:
    """Groups of duplicates and near duplicates, each group side by side."""
    groups = [(f"{kind}-{where}", counts, examples[:GROUPS_SHOWN]) for kind, where, counts, examples in _duplicates(findings)]
    references = [image for *_, examples in groups for group in examples for image in group.members[:MEMBERS_SHOWN]]
    places = _rows_of(rows, written, references)
    for key, counts, examples in groups:
        cases = (
            Case(_group_note(group), tuple(places[image.shard, image.offset] for image in group.members[:MEMBERS_SHOWN]))
            for group in examples
        )
        yield _problem(key, counts.groups, cases, "group")


def _group_note(group: GroupExample) -> str:
    splits, labels = (dict.fromkeys(getattr(image, name) for image in group.members) for name in ("split", "label"))
    shown = min(len(group.members), MEMBERS_SHOWN)
    parts = [plural(group.images, "image") + (f" ({shown} here)" if group.images > shown else "")]
    parts += [f"in {' and '.join(splits)}"] if len(splits) > 1 else []
    parts += [f"labelled {', '.join(labels)}"] if len(labels) > 1 else []
    return ", ".join(parts)


def _duplicates(findings: Findings) -> Iterator[tuple[str, str, Groups, tuple[GroupExample, ...]]]:
    for kind in ("exact", "near"):
        for where in ("across_splits", "across_labels", "within"):
            counts, examples = getattr(findings.counts, kind), getattr(findings, kind)
            yield kind, where, getattr(counts, where), getattr(examples, where)


def quality_problems(rows: Rows, written: pa.Table, findings: Findings) -> Iterator[Problem]:
    """The images beyond a threshold, the most extreme first."""
    shown = {key: findings.images.get(key, ())[:SHOWN] for key in QUALITY}
    places = _rows_of(rows, written, [image for images in shown.values() for image in images])
    for key, images in shown.items():
        cases = (Case(QUALITY[key].format(image.value), (places[image.shard, image.offset],)) for image in images)
        yield _problem(key, getattr(findings.counts, key), cases)


def mislabel_problem(rows: Rows, suspects: Suspects, labels: Mapping[int, str]) -> Problem:
    """Images that look like those of another label, each with its nearest neighbours."""
    numbers = rows.written()
    cases = (
        Case(
            f"{suspect.share:.0%} of its neighbours are {labels[suspect.other]}",
            tuple(int(numbers[place]) for place in (suspect.place, *suspect.neighbours[:NEIGHBOURS_SHOWN])),
        )
        for suspect in suspects.found[:GROUPS_SHOWN]
    )
    return _problem("mislabels", len(suspects.found), cases)


def shortcut_problem(overview: Overview, shortcuts: Sequence[Shortcut], pictures: Sequence[Picture]) -> Problem:
    """Labels that something beside the picture's content separates, each with some of the pictures that are there."""
    texts, metrics = overview.texts, overview.metrics
    notes: dict[int, list[str]] = {}
    for each in shortcuts:
        notes.setdefault(each.label, []).append(_shortcut_note(each, metrics))
    cases = []
    for number in list(notes)[:SHOWN]:
        rows = [picture.row for picture in pictures if picture.label == number and not picture.note]
        shown = tuple(rows[at] for at in spread(len(rows), TYPICAL_SHOWN))
        cases.append(Case(f"{texts[number]}: {'; '.join(notes[number])}", shown, number))
    return _problem("shortcuts", len(notes), cases, "label")


def _shortcut_note(shortcut: Shortcut, metrics: Mapping[str, Values]) -> str:
    if shortcut.name:
        of = "from the camera" if shortcut.key == "camera" else "in the format" if shortcut.key == "format" else "in"
        return f"{shortcut.strength:.0%} of its images are {of} {shortcut.name}, hardly any other image is"
    metric = metrics[shortcut.key]
    title = metric.title.partition(",")[0].lower()
    return f"{title} {'above' if shortcut.is_high else 'below'} that of other images, in {shortcut.strength:.0%} of all pairs"


def _rows_of(rows: Rows, written: pa.Table, images: Sequence[ImageReference]) -> dict[tuple[str, int], int]:
    """The rows of these images in the manifest, by shard and offset."""
    shards = pa.array([image.shard for image in images], pa.string())
    offsets = pa.array([image.offset for image in images], pa.int64())
    is_one = pc.and_(
        pc.is_in(written["shard"].cast(pa.string()), value_set=shards), pc.is_in(written["offset"], value_set=offsets)
    )
    places = np.flatnonzero(is_one.to_numpy())
    found = written.select(["shard", "offset"]).take(places).to_pylist()
    numbers = rows.written()[places].tolist()
    return {(row["shard"], row["offset"]): number for row, number in zip(found, numbers, strict=True)}


def rows_of_problems(problems: Iterable[Problem]) -> list[int]:
    """The rows that problems show, round by round, so that each problem's first cases come first."""
    cases = [
        (at, number, row)
        for number, problem in enumerate(problems)
        for at, case in enumerate(problem.cases)
        for row in case.rows
    ]
    return list(Counter(row for *_, row in sorted(cases, key=lambda each: each[:2])))
