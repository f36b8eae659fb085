"""Labels: from the text of a labels file to names with ids, and what is wrong with them.

A decision that binds users' data: line n of the file is id n, 0 is background. The same format is written to `labels.txt`,
so a later build can be given it back. With a synsets file the labels are synsets, in `labels.txt` too. A data set that
grows keeps its ids: new labels come after the old ones, and the id of a label without images stays reserved, since existing
records have it.
"""

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from imagerecords.schemas.messages import plural, some

# "0 daisy", "3: cat", "n,dog": an id before the name, as several tutorials write labels.
NUMBERED = re.compile(r"^\d+\s*[\s:,;]\s*(?P<name>\S.*)$")
NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)
BOM = "\ufeff"
SPACE = " \t\r\v\f"
NO_LABEL, NO_LABEL_TEXT = 0, "no label"  # of an image without any, in plans and counts; its record has empty lists


def read_labels(text: str, file: str) -> tuple[dict[str, int], list[str]]:
    """The labels of a labels file in their order, each with its line, and the errors, each naming file and line.

    A byte order mark and blank lines at the end, which editors leave, are no part of the labels.
    """
    labels: dict[str, int] = {}
    errors: list[str] = []
    lines = text.removeprefix(BOM).replace("\r\n", "\n").split("\n")  # splitlines() would also split at U+2028 and its like
    while lines and not lines[-1].strip(SPACE):
        lines.pop()
    if not lines:
        return {}, [*errors, f"labels file must name at least one label, got none: {file}"]
    for number, line in enumerate(lines, start=1):
        name = line.strip(SPACE)
        if not name:
            errors.append(
                f"labels file must have no blank line: {file}, line {number}. Remove it: line n is id n, and it would "
                "use up an id"
            )
        elif name in labels:
            errors.append(
                f"labels must differ, got {name!r} again: {file}, line {number}, first on line {labels[name]}. Remove one"
            )
        else:
            labels[name] = number
            errors.extend(f"{problem}: {file}, line {number}" for problem in name_problems(name))
    return labels, errors


def read_synsets(text: str, file: str) -> tuple[dict[str, str], list[str]]:
    """The human text of each synset of a file of `synset<TAB>human text` lines, and the errors, each naming file and line."""
    texts: dict[str, str] = {}
    lines: dict[str, int] = {}
    errors: list[str] = []
    for number, line in enumerate(text.removeprefix(BOM).replace("\r\n", "\n").removesuffix("\n").split("\n"), start=1):
        synset, *rest = (part.strip(SPACE) for part in line.split("\t"))
        where = f"{file}, line {number}"
        if len(rest) != 1:
            errors.append(f"a line must be a synset, one tab and its human text, got {plural(len(rest), 'tab')}: {where}")
        elif not synset or not rest[0]:
            errors.append(f"a line must have a synset and a human text, got {line!r}: {where}")
        elif synset in texts:
            errors.append(f"synsets must differ, got {synset!r} again: {where}, first on line {lines[synset]}. Remove one")
        else:
            texts[synset], lines[synset] = rest[0], number
    return texts, errors


def likeness_notes(labels: Iterable[str]) -> Iterable[str]:
    """Notes on labels that differ in upper and lower case, in characters that nobody sees, or as a number is written only."""
    labels = list(labels)
    yield from _alike(labels, str.casefold, "in upper and lower case")
    yield from _alike(labels, _seen, "in spaces or invisible characters")
    yield from _alike([label for label in labels if NUMBER.fullmatch(label)], float, "as a number is written")


def _alike(labels: Iterable[str], key: Callable[[str], object], how: str) -> Iterable[str]:
    alike: dict[object, list[str]] = {}
    for label in labels:
        alike.setdefault(key(label), []).append(label)
    for names in alike.values():
        if len(names) > 1:
            shown = ", ".join(name if name.isprintable() and name.split() == name.split(" ") else ascii(name) for name in names)
            yield f"labels that differ {how} only: {shown}. If one is meant, rename the others"


def _seen(label: str) -> str:
    """A label without characters that take no space, each space as one."""
    return " ".join("".join(letter for letter in label if unicodedata.category(letter) != "Cf").split())


def number_notes(labels: Sequence[str]) -> Iterable[str]:
    """Notes on labels that are whole numbers: with a decimal point, or in an order, which gives the ids, of texts."""
    if labels and all(label.endswith(".0") and NUMBER.fullmatch(label) for label in labels):
        yield f"labels are whole numbers with a decimal point, as pandas writes a column that had gaps: {some(labels)}"
    if labels and all(label.isdecimal() for label in labels) and list(labels) != sorted(labels, key=int):
        place = next(place for place, (one, two) in enumerate(itertools.pairwise(labels), start=1) if int(one) > int(two))
        yield (
            f"labels are numbers, in the order of texts: {labels[place - 1]} has id {place}, {labels[place]} has id {place + 1}"
            ". For another order pass --labels_file"
        )


def name_problems(name: str) -> Iterable[str]:
    """What is wrong with a label's name, which must be a name or a path below the input, without `..`."""
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "." in parts or "" in parts:
        yield f"a label must be a folder's name below the input, without '..' or a leading '/', got {name!r}"
    if name != name.strip(SPACE):
        yield f"a label must not begin or end with a space, got {name!r}"
    if any(ord(character) < 32 for character in name):
        yield f"a label must have no control characters, got {name!r}"


def nested_problems(labels: Iterable[str]) -> Iterable[str]:
    """Errors for labels inside another label's folder, where an image would have two labels."""
    names = set(labels)
    for name in sorted(names):
        parts = name.split("/")
        for depth in range(1, len(parts)):
            if (outer := "/".join(parts[:depth])) in names:
                yield f"a label must not lie inside another label's folder, got {name!r} inside {outer!r}. Keep one of them"


@dataclass(frozen=True)
class Labels:
    """All labels in the order of their ids.

    `locked` are those of the data set that is appended to, and `reserved` those of them without new images.
    """

    all: tuple[str, ...]
    locked: tuple[str, ...] = ()
    reserved: frozenset[str] = frozenset()


def choose_labels(named: Sequence[str], locked: tuple[str, ...], file: str | None, *, keep: bool) -> tuple[Labels, list[str]]:
    """The labels of an input that has the `named` ones, in the order of a first build; and the errors."""
    labels, errors = grow_labels(locked, named, file, keep)
    return Labels(labels, locked, frozenset(locked) - set(named)), errors


def grow_labels(locked: Sequence[str], named: Sequence[str], file: str | None, keep: bool) -> tuple[tuple[str, ...], list[str]]:
    """The labels of a data set that grows, in the order of their ids, and the errors.

    `locked` are the data set's labels, `named` those of the input in the order of a first build; `file` is the labels file that
    orders them, which must then begin with the old ones. With `keep` a label that the input no longer has keeps its id, else it
    is an error.
    """
    present = set(named)
    errors = [] if keep else [missing_label(label) for label in locked if label not in present]
    old = [label for label in locked if label in present]
    for position, (label, line) in enumerate(zip(old, named, strict=False), start=1) if file else ():
        if label != line:
            errors.append(
                f"labels file must begin with the data set's labels in their order, got {line!r} instead of {label!r}: {file}, "
                f"label {position}. Put new labels at the end"
            )
            break
    known = set(locked)
    return (*locked, *(label for label in named if label not in known)), errors


def missing_label(label: str) -> str:
    """The error for a label of a growing data set that has no images in the input."""
    return (
        f"no images of label {label!r}, which the data set has: was its folder or line renamed or removed? "
        "Bring it back, or pass --append_missing_labels keep: its id and records stay, and a new name is a new label"
    )


def kept_label(label: str) -> str:
    """The note on a label that is kept without images."""
    return f"no image of label {label!r} any more: its id and records are kept"


def numbered_name(label: str) -> str | None:
    """The name in a line such as `0 daisy`, or None."""
    match = NUMBERED.match(label)
    return match["name"].strip() if match else None
