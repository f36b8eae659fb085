"""What an audit says: faults, each with its place, and notes about what is merely unusual."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands: its file, its number there from 0, and the byte its frame begins at."""

    file: str
    record: int
    offset: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where; `record` and `offset` are None when a whole file is meant."""

    file: str
    record: int | None
    offset: int | None
    problem: str

    def __str__(self) -> str:
        where = "" if self.record is None else f" record {self.record} at byte {self.offset}:"
        return f"{self.file}:{where} {self.problem}"


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit read and found. `bytes` are those of sound frames, `skipped_bytes` those in which no record was found.

    A note is no fault: it tells what is unusual in a whole data set, in a line, however many records it is about.
    """

    files: int
    records: int
    bytes: int
    skipped_bytes: int
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """How deep an audit looks. Digests are the SHA-256 of files and pictures, where the data set tells them."""

    digests: bool = True
    pixels: bool = False
    tensorflow: bool = False
    workers: int | None = None
