"""Labels that tools give to what nobody labelled."""

import shlex
from collections.abc import Collection, Iterator

from imagerecords.schemas.messages import some

# Datumaro's, FiftyOne's, and how people spell the same.
UNLABELLED_NAMES = {
    "no_label",
    "nolabel",
    "_unlabeled",
    "unlabeled",
    "_unlabelled",
    "unlabelled",
    "not_labeled",
    "not_labelled",
}
ABSENT = {"nan", "<na>", "na", "n/a", "none", "null"}  # what pandas and SQL write for a value that is absent


def means_unlabelled(name: str) -> bool:
    """Whether a folder's or label's name is one of these, however it is spelt."""
    return name.lower().replace("-", "_").replace(" ", "_") in UNLABELLED_NAMES


def unlabelled_notes(labels: Collection[str]) -> Iterator[str]:
    """What to report where a label is one of these names."""
    if found := sorted(label for label in labels if means_unlabelled(label) or label.lower() in ABSENT):
        remedy = " ".join(f"--exclude_labels {shlex.quote(label)}" for label in found)
        names = some([repr(label) for label in found])
        yield f"{names}: taken for a label, though tools write it for images without one. To leave them out pass {remedy}"
