"""labels.txt as it is written, and label names read from the file beside records: imagerecords', TFDS's, or slim's."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from imagerecords.schemas.output_files import CLASS_LABELS, LABELS
from imagerecords.tasks.storage.folders import Folder

TFDS_LABELS = ("label.labels.txt", "objects-label.labels.txt")  # of its data sets of classification, and of detection
NUMBERED = re.compile(r"(\d+):(.*)")  # slim's labels.txt: 0:daisy


def labels_text(labels: Iterable[str]) -> bytes:
    """labels.txt: one label per line; the format that labels_file reads."""
    return "".join(f"{label}\n" for label in labels).encode()


def label_map_text(labels: Iterable[str], texts: Iterable[str] | None) -> bytes:
    """label_map.pbtxt, by which readers of object detection name classes: ids from 1; `texts` are the words for synsets."""
    names = list(labels)
    shown = [None] * len(names) if texts is None else list(texts)
    items = (
        f"item {{\n  id: {number}\n  name: {_quoted(name)}\n" + (f"  display_name: {_quoted(text)}\n" if text else "") + "}\n"
        for number, (name, text) in enumerate(zip(names, shown, strict=True), start=1)
    )
    return "".join(items).encode()


def _quoted(text: str) -> str:
    """A string of protobuf's text format."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def read_labels(folder: Folder, name: str = LABELS) -> tuple[str, ...]:
    """The labels in a data set's labels.txt, or in another file like it, in their order."""
    return tuple(folder.read(name).decode("utf-8", "replace").removesuffix("\n").split("\n"))


@dataclass(frozen=True)
class LabelNames:
    """A file's names by id; `bases` are the ids that its first line may have, where its lines have no ids."""

    file: str
    lines: tuple[str, ...] = ()
    numbered: dict[int, str] = field(default_factory=dict)
    bases: tuple[int, ...] = (1,)

    def by_id(self, labels: Iterable[tuple[int, str | None]]) -> dict[int, str]:
        """The names by id, with the base by which most of the records' labels agree; the first of equals."""
        if self.numbered:
            return self.numbered
        in_records = list(labels)
        choices = [dict(enumerate(self.lines, base)) for base in self.bases]
        return max(choices, key=lambda names: sum(names.get(label) == text for label, text in in_records if text is not None))


def read_label_names(text: str, file: str, bases: tuple[int, ...]) -> LabelNames:
    """Label names from a file: one per line, or `0:daisy` on each line as slim writes them."""
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    numbered = [NUMBERED.fullmatch(line) for line in lines]
    if all(numbered):
        return LabelNames(file, numbered={int(match[1]): match[2] for match in numbered if match})
    return LabelNames(file, tuple(line.strip(" \t\r") for line in lines), bases=bases)


def label_names(folder: Folder, present: set[str], ours: bool) -> LabelNames | None:
    """The names of the labels, from the labels file beside the records."""
    for name, bases in ((LABELS, (1,) if ours else (1, 0)), (CLASS_LABELS, (0,)), *((each, (0,)) for each in TFDS_LABELS)):
        if name in present:
            return read_label_names(folder.read(name).decode("utf-8", "replace"), name, bases)
    return None
