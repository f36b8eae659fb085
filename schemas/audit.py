"""The result of an audit: problems, each with its place, and notes about what is merely unusual."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a record: its file, its number there from 0, and the byte its frame begins at."""

    file: str
    record: int
    offset: int


@dataclass(frozen=True, slots=True)
class AuditProblem:
    """A problem and its place; `record` and `offset` are None for a problem of a whole file."""

    file: str
    record: int | None
    offset: int | None
    problem: str

    def __str__(self) -> str:
        where = "" if self.record is None else f" record {self.record} at byte {self.offset}:"
        return f"{self.file}:{where} {self.problem}"


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit read and found. `bytes` is the size of sound frames, `skipped_bytes` that of parts without a record.

    A note is not a problem: it reports something unusual in the whole data set, in one line for any number of records.
    """

    files: int
    records: int
    bytes: int
    skipped_bytes: int
    problems: tuple[AuditProblem, ...]
    notes: tuple[str, ...]


class AuditOptions(BaseModel):
    """The depth of an audit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digests: bool = Field(True, description="Compare the SHA-256 of files and pictures with those that the data set records.")
    pixels: bool = Field(False, description="Decode every picture.")
    tensorflow: bool = Field(False, description="Read all files with TensorFlow too.")
    workers: int | None = Field(None, ge=1, le=1024, description="Files that are read at once; default: one per processor.")
