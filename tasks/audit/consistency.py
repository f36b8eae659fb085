"""Checks over all records: their keys and types, one text per label, and agreement with the labels file."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from imagerecords.schemas.audit import AuditProblem, Place
from imagerecords.schemas.messages import plural, some
from imagerecords.tasks.audit.file import FileAudit, Shape, Tally
from imagerecords.tasks.dataset.labels_file import LabelNames
from imagerecords.tasks.records.image import ENCODED, LABEL, TEXT

KINDS = {"bytes": "bytes", "int": "int64", "float": "float"}
CLASSIC_KINDS = {ENCODED: "bytes", LABEL: "int", TEXT: "bytes", "image/height": "int", "image/width": "int"}
LISTED = 8  # of a kind, in one note


@dataclass(frozen=True)
class Totals:
    """The tallies of all files."""

    records: int
    shapes: dict[Shape, Tally]
    labels: dict[tuple[int, str | None], Tally]


def merge(files: Iterable[FileAudit]) -> Totals:
    """The sum of all files' tallies."""
    shapes: dict[Shape, Tally] = {}
    labels: dict[tuple[int, str | None], Tally] = {}
    for file in files:
        for shape, tally in file.shapes.items():
            shapes[shape] = _sum(shapes.get(shape), tally)
        for pair, tally in file.labels.items():
            labels[pair] = _sum(labels.get(pair), tally)
    return Totals(sum(tally.count for tally in shapes.values()), shapes, labels)


def _sum(tally: Tally | None, other: Tally) -> Tally:
    return Tally(tally.count + other.count, tally.first) if tally else other


def shape_problems(totals: Totals, lists: Collection[str] = ()) -> Iterable[AuditProblem]:
    """Keys with values of another type than in most records, and records without the image or label that most have.

    Those of `lists` may be empty.
    """
    for key, kinds in sorted(_kinds(totals).items()):
        most = max(kinds, key=lambda kind: (kinds[kind].count, kind))
        for kind, tally in sorted(kinds.items()):
            if kind != most:
                others = f"{KINDS[most]} in {plural(kinds[most].count, 'other')}"
                yield _at(tally.first, f"{key} is {KINDS[kind]} in {plural(tally.count, 'record')}, {others}")
        held = sum(tally.count for tally in kinds.values())
        if key in {ENCODED, LABEL}.difference(lists) and 2 * held > totals.records > held:
            without = [tally for shape, tally in totals.shapes.items() if key not in dict(shape) or (key, "") in shape]
            yield _at(without[0].first, f"{key} is missing in {plural(totals.records - held, 'record')} of {totals.records:,}")


def shape_notes(totals: Totals) -> Iterable[str]:
    """Keys that only some records have, classic keys that none has, and classic keys of another type than the classic."""
    kinds = _kinds(totals)
    counts = {key: sum(tally.count for tally in found.values()) for key, found in kinds.items()}
    partly = [f"{key} ({count:,})" for key, count in sorted(counts.items()) if count < totals.records]
    if partly:
        yield f"only some of {plural(totals.records, 'record')} have a value in: {some(partly, LISTED)}"
    missing = [key for key in (ENCODED, LABEL, TEXT) if key not in kinds]
    if missing and totals.records:
        yield f"no record has {', '.join(missing)}, so nothing was checked that depends on it"
    for key, classic in CLASSIC_KINDS.items():
        others = [KINDS[kind] for kind in kinds.get(key, ()) if kind != classic]
        if others and len(kinds[key]) == 1:
            yield f"{key} is {others[0]}; readers of the classic features expect {KINDS[classic]}"


def label_problems(totals: Totals, names: LabelNames | None) -> Iterable[AuditProblem]:
    """Labels with several texts, or with another text than the labels file has, or beyond its last."""
    texts: defaultdict[int, dict[str, Tally]] = defaultdict(dict)
    for (label, text), tally in totals.labels.items():
        if text is not None:
            texts[label][text] = tally
    in_file = names.by_id(totals.labels) if names else {}
    for label, found in sorted(texts.items()):
        right = in_file.get(label) or max(found, key=lambda text: (found[text].count, text))
        for text, tally in sorted(found.items()):
            if text == right:
                continue
            if label in in_file and names:
                yield _at(
                    tally.first, f"label {label} is {text!r} in {plural(tally.count, 'record')}, {right!r} in {names.file}"
                )
            else:
                others = f"{right!r} in {plural(found[right].count, 'other')}"
                yield _at(tally.first, f"label {label} is {text!r} in {plural(tally.count, 'record')}, {others}")
    for (label, _), tally in sorted(totals.labels.items(), key=lambda pair: pair[0][0]):
        if names and in_file and label > max(in_file):
            end = f"the {plural(len(in_file), 'label')} of {names.file}"
            problem = f"label {label}, in {plural(tally.count, 'record')}, is beyond {end}"
            yield _at(tally.first, problem)


def label_notes(totals: Totals) -> Iterable[str]:
    """Labels that begin at 0, and texts that several labels have."""
    if any(label == 0 for label, _ in totals.labels):
        yield "labels begin at 0; classic data sets begin at 1, where 0 is background"
    ids: defaultdict[str, set[int]] = defaultdict(set)
    for label, text in totals.labels:
        if text is not None:
            ids[text].add(label)
    shared = [f"{text!r} ({', '.join(map(str, sorted(labels)))})" for text, labels in sorted(ids.items()) if len(labels) > 1]
    if shared:
        yield f"several labels have the same text: {some(shared, LISTED)}"


def _kinds(totals: Totals) -> dict[str, dict[str, Tally]]:
    """The types of each key's values, of those keys that have any."""
    kinds: defaultdict[str, dict[str, Tally]] = defaultdict(dict)
    for shape, tally in totals.shapes.items():
        for key, kind in shape:
            if kind:
                kinds[key][kind] = _sum(kinds[key].get(kind), tally)
    return kinds


def _at(place: Place, problem: str) -> AuditProblem:
    return AuditProblem(place.file, place.record, place.offset, problem)
