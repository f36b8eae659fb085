"""The progress of a running build, for programs that show it in their own way."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProgressUpdate:
    """The progress of a phase in shards and images; with a `note`, a line for the log.

    The phases are `convert` and `validate`; a note may come before the first phase, when all numbers are 0.
    """

    phase: str = ""
    shards_done: int = 0
    shards: int = 0
    images_done: int = 0
    images: int = 0
    note: str | None = None
