"""The audit of one file: each record by itself, and tallies by which files are compared with each other."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from imagerecords.schemas.audit import AuditOptions, AuditProblem, Place
from imagerecords.schemas.cancellation import check_interrupt
from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.example import Feature
from imagerecords.schemas.frame import OVERHEAD
from imagerecords.schemas.messages import plural
from imagerecords.tasks.audit.record import one, pixel_problem, record_oddities, record_problems
from imagerecords.tasks.records.compressed import START, Compression, Inflated, compression_of
from imagerecords.tasks.records.contract import contract_problems, place_problems, row_problems
from imagerecords.tasks.records.features import Features, read_features
from imagerecords.tasks.records.frames import BLOCK, Frame, Readable, read_frames
from imagerecords.tasks.records.image import ENCODED, LABEL, SYNSET, TEXT, several_labels
from imagerecords.tasks.storage.folders import Folder
from imagerecords.tasks.storage.hashing_file import HashingFile

LISTED = 100  # problems per file that are listed one by one

Shape = frozenset[tuple[str, str]]  # each key of a record with the kind of its values
Row = dict[str, Any]  # of the manifest


@dataclass(frozen=True)
class ManifestRows:
    """A manifest's rows of a file, by the offset of their record, and the features that each record must have."""

    rows: dict[int, Row]
    promised: Mapping[str, Feature]


@dataclass
class Tally:
    """The number of records of a kind, and the place of the first."""

    count: int
    first: Place


@dataclass
class FileAudit:
    """The result for one file. `places` are the offsets and framed sizes of its records; `sha256` is empty if not computed."""

    name: str
    compression: Compression = ""
    size: int = 0
    sha256: str = ""
    skipped: int = 0
    places: list[tuple[int, int]] = field(default_factory=list)
    problems: list[AuditProblem] = field(default_factory=list)
    unlisted: int = 0
    odd: Counter[str] = field(default_factory=Counter)
    shapes: dict[Shape, Tally] = field(default_factory=dict)
    labels: dict[tuple[int, str | None], Tally] = field(default_factory=dict)

    def add(self, problem: str, place: Place | None = None) -> None:
        """Add a problem of the file, or of one of its records; those after the first hundred are only counted."""
        if len(self.problems) < LISTED:
            record, offset = (place.record, place.offset) if place else (None, None)
            self.problems.append(AuditProblem(self.name, record, offset, problem))
        else:
            self.unlisted += 1


def audit_file(folder: Folder, name: str, listed: ManifestRows | None, options: AuditOptions, digest: str = "") -> FileAudit:
    """The audit of a file; `listed` are the manifest's rows of it, `digest` is its SHA-256 in croissant.json."""
    audit = FileAudit(name)
    try:
        _read_whole(audit, folder, listed, options, digest)
    except OSError as error:  # the other files can still be read
        audit.add(f"can't be read: {error.strerror or error}")
    if audit.unlisted:
        audit.problems.append(AuditProblem(name, None, None, f"has {plural(audit.unlisted, 'more problem')}, not listed"))
    return audit


def _read_whole(audit: FileAudit, folder: Folder, listed: ManifestRows | None, options: AuditOptions, digest: str) -> None:
    with folder.open(audit.name) as raw:
        kind = compression_of(raw.read(START))
        raw.seek(0)
        file = HashingFile(raw) if digest and options.digests else _Counting(raw)
        audit.compression = kind or ""
        stream: Readable = Inflated(file) if kind else file
        try:
            for frame in read_frames(stream):
                check_interrupt()
                _audit_frame(audit, frame, listed, options)
        except CorruptRecord as error:
            audit.add(str(error))
            while file.read(BLOCK):  # the digest covers the whole file
                pass
        audit.size = file.size
    if listed is not None and len(audit.places) != len(listed.rows):
        audit.add(f"has {plural(len(audit.places), 'record')}, {len(listed.rows):,} according to the manifest")
    if isinstance(file, HashingFile):
        audit.sha256 = file.sha256.hexdigest()
        if audit.sha256 != digest:
            audit.add(f"has SHA-256 {audit.sha256}, {digest} according to croissant.json")


class _Counting:
    """A file that counts the bytes read from it."""

    def __init__(self, file: Readable) -> None:
        self.file = file
        self.size = 0

    def read(self, size: int) -> bytes:
        data = self.file.read(size)
        self.size += len(data)
        return data


def _audit_frame(audit: FileAudit, frame: Frame, listed: ManifestRows | None, options: AuditOptions) -> None:
    row = listed.rows.get(frame.offset) if listed else None
    place = Place(audit.name, row["record"] if row else frame.number, frame.offset)
    audit.skipped += frame.skipped
    if not frame.skipped:
        audit.places.append((frame.offset, len(frame.data) + OVERHEAD))
    if frame.problem:
        audit.add(frame.problem + (f"; {plural(frame.skipped, 'byte')} skipped" if frame.skipped else ""), place)
        return
    try:
        features = read_features(frame.data)
    except ValueError as error:
        audit.add(str(error), place)
        return
    for problem in record_problems(features):
        audit.add(problem, place)
    if listed is not None:
        for problem in contract_problems(features, listed.promised):
            audit.add(problem, place)
        for problem in _manifest_problems(frame, features, row, options):
            audit.add(problem, place)
    encoded = one(features, ENCODED, bytes)
    if options.pixels and encoded and (damage := pixel_problem(encoded)):
        audit.add(f"{ENCODED} does not decode: {damage}", place)
    promised = listed.promised if listed else {}
    audit.odd.update(record_oddities(features, several=LABEL in promised and promised[LABEL].is_list))
    _tally(audit, features, place)


def _manifest_problems(frame: Frame, features: Features, row: Row | None, options: AuditOptions) -> Iterable[str]:
    if row is None:
        yield "the manifest has no record at this offset"
        return
    yield from place_problems(frame, row, "manifest")
    yield from row_problems(features, row, "manifest")
    encoded = one(features, ENCODED, bytes)
    if options.digests and encoded is not None and (found := hashlib.sha256(encoded).hexdigest()) != row["encoded_sha256"]:
        yield f"{ENCODED} has SHA-256 {found}, in the manifest {row['encoded_sha256']}"


def _tally(audit: FileAudit, features: Features, place: Place) -> None:
    shape = frozenset((key, type(values[0]).__name__ if values else "") for key, values in features.items())
    if tally := audit.shapes.get(shape):
        tally.count += 1
    else:
        audit.shapes[shape] = Tally(1, place)
    several = several_labels(features)
    if several["labels"] and several["texts"]:
        for label, text in zip(several["labels"], several["texts"], strict=True):
            _tally_label(audit, (label, text), place)
        return
    label = one(features, LABEL, int)
    if label is None:
        return
    text = one(features, SYNSET, bytes) or one(features, TEXT, bytes)  # words of several synsets need not differ
    _tally_label(audit, (label, None if text is None else text.decode("utf-8", "backslashreplace")), place)


def _tally_label(audit: FileAudit, pair: tuple[int, str | None], place: Place) -> None:
    if tally := audit.labels.get(pair):
        tally.count += 1
    else:
        audit.labels[pair] = Tally(1, place)
