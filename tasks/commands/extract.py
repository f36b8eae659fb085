"""extract: records back to label folders, each image with the bytes in its record.

A decision that binds users' data: file names are those of image/filename, without any directory in it; images of one label that
share a name are numbered in the order of their shards and records, `a.jpg`, `a-2.jpg`, `a-3.jpg`. Labels of one text, as both
`crane` of ImageNet, have folders with their ids, `crane-135` and `crane-518`: a build from the folders must not unite them.
"""

import contextlib
import errno
import hashlib
import os
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.errors import BadInput
from imagerecords.schemas.labels import name_problems
from imagerecords.schemas.messages import plural, some
from imagerecords.schemas.output_files import MANIFEST
from imagerecords.schemas.receipt import WRITTEN
from imagerecords.schemas.results import Extracted, Selection
from imagerecords.tasks.commands.catalogue import open_dataset, read_images, read_records_at
from imagerecords.tasks.dataset.label_columns import each_label
from imagerecords.tasks.records.image import encoded_image, has_objects_label, image_keys
from imagerecords.tasks.storage.scratch import write_a_byte
from imagerecords.tasks.storage.whole_files import UMASK

NAME_LENGTH = 200  # bytes; file systems allow 255, and a number may be added
NAMES_IN_ERROR = 10  # of labels
UNLABELLED = "unlabelled"  # the folder of images whose record has no label
CONFLICTS = 10  # files that an error names


def extract_images(url: str, to: Path, selection: Selection, storage_options: Mapping[str, Any]) -> Extracted:
    """Write the selected images into one folder per label below `to`.

    Raises BadInput, with nothing written, when a file exists with other bytes, or the data set has no such label or split.
    """
    if len(to.parts) > 1 and len(to.parts[0]) > 2 and to.parts[0].endswith(":"):  # a drive has one letter
        raise BadInput(f"the target of extract must be a directory of this machine, got a URL: {to}. Extract, then upload it")
    folder = open_dataset(url, storage_options)
    if MANIFEST in folder.files() and folder.is_local and to.resolve().is_relative_to(Path(folder.path).resolve()):
        raise BadInput(f"the target of extract must lie outside the data set, got {to}. Choose another directory")
    if (file := next((place for place in (to, *to.parents) if place.exists()), to)).is_file():
        raise BadInput(f"the target of extract must be a directory, got a file: {file}. Choose another")
    catalogue, broken = read_images(folder)
    chosen = _chosen(catalogue, selection, url)
    rows = chosen.filter(pc.is_valid(chosen["encoded_sha256"]))
    targets = _targets(rows, to, _label_folders(catalogue))
    present = _present(targets, rows["encoded_sha256"].to_pylist())
    written = of_objects = 0
    others: set[str] = set()
    by_shard: dict[str, dict[int, Path]] = {}
    for shard, offset, target in zip(rows["shard"].to_pylist(), rows["offset"].to_pylist(), targets, strict=True):
        if target not in present:
            by_shard.setdefault(shard, {})[offset] = target
    if by_shard:
        _make_target(to)
    for shard, places in by_shard.items():
        for offset, features in read_records_at(folder, shard, places.keys()):
            _write(places[offset], encoded_image(features))
            others.update(image_keys(features)[1:])
            written += 1
            of_objects += places[offset].parent != to / UNLABELLED and has_objects_label(features)
    labels = list(zip(rows["label"].to_pylist(), rows["text"].to_pylist(), strict=True))
    unlabelled = labels.count((None, None))
    folders = {target.parent for target, label in zip(targets, labels, strict=True) if label != (None, None)}
    several = sum(len(each or ()) > 1 for each in rows["labels"].to_pylist())
    without_image, keys = len(chosen) - len(rows), tuple(sorted(others))
    return Extracted(written, len(present), len(folders), unlabelled, without_image, several, of_objects, len(broken), keys)


def _chosen(catalogue: pa.Table, selection: Selection, url: str) -> pa.Table:
    labels, split = selection.label, selection.split
    rows = catalogue.filter(pc.equal(catalogue["status"], WRITTEN))
    by_label, places = each_label(rows)
    texts, ids = pc.fill_null(by_label["text"], ""), pc.fill_null(pc.cast(by_label["label"], pa.string()), "")
    splits, known_texts = rows["split"].unique().to_pylist(), set(texts.unique().to_pylist())
    known = known_texts | set(ids.unique().to_pylist())
    has = some(sorted(known_texts - {""}) or sorted(known - {""}), NAMES_IN_ERROR)
    problems = [
        f"label must be one of the data set's, got {label!r}: {url}. It has {has}" for label in labels if label not in known
    ]
    if split is not None and split not in splits:
        problems.append(f"split must be one of {', '.join(sorted(splits))}, got {split!r}: {url}")
    if problems:
        raise BadInput("\n".join(problems))
    if labels:  # an id counts only where it is no label's text: a folder may be named 7
        as_ids = [label for label in labels if label not in known_texts]
        wanted = pc.is_in(texts, pa.array(labels, pa.string())), pc.is_in(ids, pa.array(as_ids, pa.string()))
        rows = rows.take(pa.array(np.unique(places[pc.or_(*wanted).to_numpy()])))
    return rows if split is None else rows.filter(pc.equal(rows["split"], split))


def _label_folders(catalogue: pa.Table) -> dict[tuple[str | None, int | None], str]:
    """The folder of each label, text and id: with the id where labels of one split would share it."""
    rows = catalogue.select(["split", "text", "label"]).group_by(["split", "text", "label"]).aggregate([]).to_pylist()
    folders = {(row["text"], row["label"]): label_folder(row["text"], row["label"]) for row in rows}
    ids: defaultdict[tuple[str, str], set[int | None]] = defaultdict(set)
    for row in rows:
        ids[row["split"], folders[row["text"], row["label"]]].add(row["label"])
    shared = {folder for (_, folder), labels in ids.items() if len(labels - {None}) + (folder == UNLABELLED) > 1}
    return {
        pair: f"{folder}-{pair[1]}" if folder in shared and pair[1] is not None else folder for pair, folder in folders.items()
    }


def _targets(rows: pa.Table, to: Path, folders: Mapping[tuple[str | None, int | None], str]) -> list[Path]:
    """Where each image goes."""
    numbers: dict[Path, int] = {}
    targets = []
    for row in rows.select(["path", "label", "text", "shard", "record"]).to_pylist():
        name = file_name(row["path"]) or f"{row['shard']}-{row['record']:06d}.jpg"
        folder = to / folders[row["text"], row["label"]]
        stem, ending = os.path.splitext(name)
        target = first = folder / name
        while target in numbers:
            numbers[first] += 1
            target = folder / f"{stem}-{numbers[first]}{ending}"
        numbers[target] = 1
        targets.append(target)
    return targets


def file_name(recorded: str) -> str:
    """The last part of a record's name, as a file name; empty where none can be made of it."""
    name = recorded.replace("\\", "/").rpartition("/")[2]
    name = "".join(character if character.isprintable() else "_" for character in name)
    stem, ending = os.path.splitext(name)
    ending = ending if len(ending.encode()) <= 20 else ""
    while len((stem + ending).encode("utf-8", "replace")) > NAME_LENGTH:
        stem = stem[:-1]
    name = stem + ending
    return "" if name.strip(". ") == "" else name


def label_folder(text: str | None, label: int | None) -> str:
    """The folder of a label: its text where that is a path below, else its id."""
    if text and not list(name_problems(text)) and "\\" not in text:
        return text
    return UNLABELLED if label is None else f"label-{label}"


def _present(targets: list[Path], digests: list[str]) -> set[Path]:
    """The targets that exist with the right bytes; raises BadInput when one exists with others."""
    present: set[Path] = set()
    other: list[Path] = []
    for target, digest in zip(targets, digests, strict=True):
        if os.path.lexists(target):
            same = target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == digest
            if same:
                present.add(target)
            else:
                other.append(target)
    if other:
        names = some([str(path) for path in other], CONFLICTS)
        files = plural(len(other), "existing file")
        raise BadInput(f"{files} with other content would be overwritten: {names}. Choose another folder")
    return present


def _make_target(to: Path) -> None:
    """Make the directory to write to. Raises BadInput where that can't be done, or nothing be written to it."""
    try:
        to.mkdir(parents=True, exist_ok=True)
        write_a_byte(to)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise BadInput(
            f"the target of extract must be a directory that can be written, got {error.strerror}: {to}. Choose another"
        ) from error


def _write(target: Path, data: bytes) -> None:
    """Write a file whole, and never overwrite one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".extract-", dir=target.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        with contextlib.suppress(OSError):  # shares with modes of their own (CIFS, some FUSE mounts) refuse it
            os.chmod(temporary, 0o666 & ~UMASK)
        try:
            os.link(temporary, target)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if os.path.lexists(target):
                raise
            os.rename(temporary, target)
    except OSError as error:
        if error.filename is None and error.errno:  # the error of a full disk does not name the file
            raise OSError(error.errno, error.strerror, str(target)) from error
        raise
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
