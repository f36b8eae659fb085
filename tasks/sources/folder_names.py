"""Whether the names of label folders are labels: not those of splits, nor one that tools give to the folder of all images."""

import re
import shlex
from collections.abc import Iterator, Sequence

from imagerecords.schemas.messages import some
from imagerecords.tasks.sources.file_names import IMAGE_ENDINGS, ending_of

SPLIT_NAMES = {"train", "training", "val", "valid", "validation", "test", "testing", "eval"}
# Folders of all images, in lower case: nobody's label; and those that are perhaps, if there is but one.
OF_ALL_IMAGES = {"images", "image", "imgs", "img", "jpegimages", "jpegs", "jpgs", "pngs", "frames"}
PERHAPS_OF_ALL = OF_ALL_IMAGES | {"photos", "pictures", "data"}
SAY_LABELS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".xml", ".mat", ".parquet", ".xlsx", ".txt", ".pkl", ".npy", ".h5")
NO_LABELS = re.compile(r"read.?me|licen[cs]e|copying|changelog|citation", re.IGNORECASE)


def name_mistakes(labels: Sequence[str], beside: Sequence[str], place: str) -> Iterator[str]:
    """What shows that folders with images right in them are none of labels: their names, and the tables beside them."""
    tables = _tables(beside)
    lone = len(labels) == 1 and (_is_of_all(labels[0]) or _has_split(labels[0]))
    if tables and (lone or _are_splits(labels)):
        found = f"{some(labels)} right around images, beside {some(tables)}"
        yield (
            f"label folders must be named for labels, got {found}: {place}. Pass --annotations {shlex.quote(place)}, or an "
            "image list of path and label; a --labels_file with the names takes them for labels all the same"
        )


def name_notes(labels: Sequence[str], beside: Sequence[str], place: str) -> Iterator[str]:
    """What to report where folders may be none of labels."""
    tables = _tables(beside)
    if _are_splits(labels):
        yield f"{place}: {some(labels)} are taken for labels, though they are called like splits"
    elif len(labels) == 1 and tables:
        yield f"{place}: all images have the label {labels[0]!r}; not read beside it: {some(tables)}"


def _tables(beside: Sequence[str]) -> list[str]:
    return [path for path in beside if ending_of(path) in SAY_LABELS and not NO_LABELS.match(path)]


def _are_splits(labels: Sequence[str]) -> bool:
    """Whether several names differ by their split alone."""
    return len(labels) > 1 and len(set(map(_without_splits, labels))) == 1 and all(map(_has_split, labels))


def _has_split(name: str) -> bool:
    return _without_splits(name) != _words(name)


def _is_of_all(name: str) -> bool:
    return name.lower() in PERHAPS_OF_ALL or f".{name.lower()}" in IMAGE_ENDINGS


def _words(name: str) -> tuple[str, ...]:
    return tuple(re.sub(r"\d+$", "", word) for word in re.split(r"[-_ ]+", name.lower()))


def _without_splits(name: str) -> tuple[str, ...]:
    return tuple(word for word in _words(name) if word not in SPLIT_NAMES)
