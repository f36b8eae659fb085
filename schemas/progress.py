"""What a build reports while it runs, for a program that shows it in its own way."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProgressUpdate:
    """How far a phase is, in shards and images; or, with a `note`, something to show to whoever reads the log.

    The phases are `convert` and `validate`; a note may come before the first phase, when all numbers are 0.
    """

    phase: str = ""
    shards_done: int = 0
    shards: int = 0
    images_done: int = 0
    images: int = 0
    note: str | None = None
