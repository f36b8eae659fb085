"""The result of publish: the counts of the data set, complete or not."""

from dataclasses import dataclass

from imagerecords.schemas.errors import OverBudget, UnwantedDuplicates
from imagerecords.schemas.findings import Findings
from imagerecords.schemas.shares import SplitShare
from imagerecords.schemas.summary import BoxSummary, SplitSummary

FIRST_REJECTED = "first rejected: "  # the beginning of an error's line


@dataclass(frozen=True)
class Published:
    """A published data set: its counts, and a digest over the names and SHA-256 of its shards."""

    splits: tuple[SplitSummary, ...]
    labels: int
    skipped: dict[str, int]
    digest: str
    findings: Findings
    problems: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    boxes: BoxSummary | None = None
    shares: tuple[SplitShare, ...] = ()
    first_rejected: tuple[str, ...] = ()

    def refuse_incomplete(self) -> None:
        """Raise when the data set is not complete: OverBudget after too many rejected images, else UnwantedDuplicates."""
        if self.problems:
            first = [f"{FIRST_REJECTED}{'; '.join(self.first_rejected)}"] if self.first_rejected else []
            raise OverBudget("\n".join((*self.problems, *first, *self.unwanted)))
        if self.unwanted:
            raise UnwantedDuplicates("\n".join(self.unwanted))
