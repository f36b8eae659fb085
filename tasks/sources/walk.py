"""What lies in a folder: its label folders, their files, and what was skipped; through links, never round loops.

Local directories are walked with os.scandir, since fsspec's listing says of a link only that it is one. Everything else
is asked through fsspec.
"""

import errno
import math
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.messages import plural
from imagerecords.schemas.unicode_names import composed
from imagerecords.tasks.sources.ignored import Ignored, nothing_ignored
from imagerecords.tasks.storage.folders import Folder
from imagerecords.tasks.storage.s3_list import list_level, list_objects
from imagerecords.tasks.storage.versions import remote_version

# Of Windows, macOS, Synology (@eadir: a thumbnail of each image), file systems and the recycle bins of both.
JUNK = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "icon\r", "@eadir", "#recycle", "$recycle.bin"}
JUNK |= {"system volume information", "lost+found"}
HIDDEN = "hidden"
KNOWN_JUNK = "junk"
LOOP = "link loop"
SPECIAL = "not a regular file"
BEHIND_EMPTY_NAME = "object behind an empty folder name (//)"
ENDS_IN_SLASH = "object whose key ends in a slash"
SECONDS_BETWEEN_LINES = 10.0
SHOWN = 60  # characters of a path that is too long


class FoundFile(NamedTuple):
    """An input file: its path relative to the walked folder, its size in bytes, and what distinguishes its states."""

    path: str
    size: int
    version: str


@dataclass
class Level:
    """What lies right in one folder; hidden entries and junk are only counted."""

    folders: list[str] = field(default_factory=list)
    files: list[FoundFile] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def read_level(folder: Folder, name: str) -> Level:
    """The folders and files right below `name`, sorted by path."""
    level = _local_level(folder, name) if folder.is_local else _remote_level(folder, name)
    level.folders.sort()
    level.files.sort()
    return level


class ListingProgress:
    """Counts files while they are listed, from several threads, and reports how many there are so far."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._guard = threading.Lock()
        self._files = 0
        self._began = self._recorded = time.monotonic()

    def advance(self, files: int) -> None:
        """Count, and report when it is time to."""
        with self._guard:
            self._files += files
            now = time.monotonic()
            if now - self._recorded >= SECONDS_BETWEEN_LINES:
                self._recorded = now
                self._report(f"listing: {plural(self._files, 'file')} so far, {self._files / (now - self._began):,.0f}/s")


def walk_files(
    folder: Folder,
    name: str,
    advance: Callable[[int], None] = lambda _: None,
    ignored: Ignored | None = None,
    most: float = math.inf,
) -> Level:
    """All files below `name`, at any depth, sorted by path; `folders` stays empty. `advance` gets the number of more files.

    Files that are ignored are only counted, by their ending. Listing S3 stops with the page that brings `most` files.
    """
    found = Level()
    if folder.is_local:
        _walk_local(folder, name, found)
        advance(len(found.files))
    else:
        root = folder.join(name)
        for page in list_objects(folder.fs, root) if folder.is_s3 else _everything(folder.fs, root):
            before = len(found.files)
            for relative, info in page:
                if _counts(relative, found.skipped):
                    found.files.append(FoundFile(_below(name, relative), info["size"], remote_version(info)))
            advance(len(found.files) - before)
            if len(found.files) >= most:
                break
    found.files = _inputs(folder, found, ignored or nothing_ignored())
    found.files.sort()
    return found


def _inputs(folder: Folder, level: Level, ignored: Ignored) -> list[FoundFile]:
    """The files of a level that are not ignored; the others are counted."""
    inputs = []
    for file in level.files:
        if kind := ignored.kind(folder, file.path):
            level.skipped[kind] += 1
        else:
            inputs.append(file)
    return inputs


def _everything(fs: Any, root: str) -> Iterator[list[tuple[str, Mapping[str, Any]]]]:
    """The files below a path as one page: their paths there, and what the file system says of each."""
    found = fs.find(root, detail=True).items()
    yield [(path[len(root) :].lstrip("/"), info) for path, info in found if info["type"] == "file"]


class _Visited(NamedTuple):
    """A directory, by device and inode, and the one above it."""

    identity: tuple[int, int]
    above: "_Visited | None"

    def chain(self) -> Iterator[tuple[int, int]]:
        """Its identity, and those of all above it."""
        visited: _Visited | None = self
        while visited:
            yield visited.identity
            visited = visited.above


def _walk_local(folder: Folder, name: str, found: Level) -> None:
    """Add all files below a directory; not by recursion, since a tree may be deeper than Python's stack."""
    pending: list[tuple[str, _Visited | None]] = [(name, None)]
    while pending:
        here, above = pending.pop()
        try:
            status = os.stat(folder.join(here))
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            raise BadLayout(
                f"a folder's path must be short enough for the system, got {len(here):,} characters: {folder.url}: "
                f"{here[:SHOWN]}…. Move what lies deeper, or leave it out"
            ) from error
        visited = _Visited((status.st_dev, status.st_ino), above)
        if above and visited.identity in above.chain():
            found.skipped[LOOP] += 1
            continue
        level = _local_level(folder, here)
        found.files += level.files
        found.skipped += level.skipped
        pending += [(_below(here, child), visited) for child in level.folders]


def _local_level(folder: Folder, name: str) -> Level:
    level = Level()
    try:
        found = os.scandir(folder.join(name))
    except PermissionError as error:
        raise BadLayout(
            f"a folder must be readable, got {error.strerror}: {folder.join(name)}. Change its permissions, or move it away"
        ) from error
    with found as entries:
        for entry in entries:
            if not _counts(entry.name, level.skipped):
                continue
            try:
                if entry.is_dir():
                    level.folders.append(entry.name)
                    continue
                status = entry.stat()
            except OSError:  # a link to nowhere: an input all the same, and rejected as unreadable
                level.files.append(FoundFile(_below(name, entry.name), 0, "unreadable"))
                continue
            if entry.is_file():
                version = str(status.st_mtime_ns)
                level.files.append(FoundFile(_below(name, entry.name), status.st_size, version))
            else:
                level.skipped[SPECIAL] += 1
    return level


def _remote_level(folder: Folder, name: str) -> Level:
    level = Level()
    root = folder.join(name)
    if folder.is_s3:
        found = list_level(folder.fs, root)
        folders, files = found.folders, found.objects
        level.skipped[BEHIND_EMPTY_NAME] += found.behind_empty_name
    else:
        entries = [(info["name"][len(root) :].strip("/"), info) for info in folder.fs.ls(root, detail=True)]
        folders = [child for child, info in entries if child and info["type"] == "directory"]
        files = [(child, info) for child, info in entries if child and info["type"] != "directory"]
    level.folders = [child for child in folders if _counts(child, level.skipped)]
    level.files = [
        FoundFile(_below(name, child), info["size"], remote_version(info))
        for child, info in files
        if _counts(child, level.skipped)
    ]
    return level


def _counts(relative: str, skipped: Counter[str]) -> bool:
    """Whether a path is an input; counts it when it is hidden, junk, or ends in a slash, as only keys of objects can."""
    parts = relative.split("/")
    if not parts[-1]:
        skipped[ENDS_IN_SLASH] += 1
    elif any(part.startswith(".") for part in parts):
        skipped[HIDDEN] += 1
    elif any(part.lower() in JUNK for part in parts):
        skipped[KNOWN_JUNK] += 1
    else:
        return True
    return False


def _below(name: str, child: str) -> str:
    return f"{name}/{child}" if name else child


def find_label_folders(folder: Folder, labels: frozenset[str]) -> Level:
    """The folders that are labels, or would be, and the files lying beside them.

    A label such as `animal/dog` makes `animal` a level that holds label folders, not a label itself.
    """
    known = {composed(label) for label in labels}
    inner = {"/".join(label.split("/")[:depth]) for label in known for depth in range(1, label.count("/") + 1)} - known
    found = Level()
    pending = [""]
    while pending:
        name = pending.pop(0)
        level = read_level(folder, name)
        found.files += level.files
        found.skipped += level.skipped
        for child in level.folders:
            path = _below(name, child)
            (pending if composed(path) in inner else found.folders).append(path)
    found.folders.sort()
    return found
