"""Uncompressed tar files of this machine as folders, read in place by any number of threads and processes.

The tar's headers are read once per process, then each file by its offset. fsspec's own reader of tar files has one position for
all threads, and takes a tar that ends in the middle for a whole one. The version of a file has the tar's own time of change:
another tar is other input.
"""

import errno
import functools
import io
import os
import posixpath
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from fsspec.spec import AbstractFileSystem

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.messages import printable

TAR = "tar"
UNPACK = "Unpack it"
BLOCK = 512  # bytes
LINKS_IN_A_ROW = 32
CHUNK = 1 << 20
State = tuple[int, int]
Info = dict[str, Any]


class _Member(NamedTuple):
    """A file in a tar, or a link to one by its path; a directory has neither bytes nor a link."""

    offset: int
    size: int
    mtime: float
    link: str = ""
    is_directory: bool = False


@dataclass(frozen=True)
class _Index:
    """The files in a tar by path, and the names in each directory; a million files take about 0.3 GB."""

    files: dict[str, _Member]
    children: dict[str, set[str]]


class TarFiles(AbstractFileSystem):  # type: ignore[misc]
    """The files in one tar, which is only read. Raises BadLayout where it is not a whole uncompressed tar."""

    protocol = TAR
    root_marker = ""
    cachable = False

    def __init__(self, tar: str) -> None:
        super().__init__()
        self.tar = tar
        self._state = _state(tar)
        self._index = _read_index(tar, self._state)

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path)).strip("/")

    def info(self, path: str, **_: Any) -> Info:
        """What is known of a file or directory."""
        path = self._strip_protocol(path)
        file = self._index.files.get(path)
        if file is not None:
            version = f"{file.mtime}:{file.offset}:{self._state[1]}"
            return {"name": path, "size": file.size, "type": "file", "mtime": version}
        if path and path not in self._index.children:
            raise FileNotFoundError(errno.ENOENT, "not in the tar", path)
        return {"name": path, "size": 0, "type": "directory"}

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """What lies right in a directory."""
        path = self._strip_protocol(path)
        is_file = self.info(path)["type"] == "file"
        names = [path] if is_file else [posixpath.join(path, name) for name in self._index.children.get(path, ())]
        return [self.info(name) for name in names] if detail else names

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        """The bytes of a file, or a part of them."""
        member = self._index.files.get(self._strip_protocol(path))
        if member is None:
            raise FileNotFoundError(errno.ENOENT, "not a file in the tar", path)
        first, last, _step = slice(start, end).indices(member.size)
        with open(self.tar, "rb") as file:
            file.seek(member.offset + first)
            data = file.read(max(0, last - first))
            if _state(file.fileno()) != self._state:
                raise OSError(errno.ESTALE, "the tar was changed while it was read", self.tar)
        return data

    def _open(self, path: str, mode: str = "rb", **_: Any) -> BinaryIO:
        if mode != "rb":
            raise OSError(errno.EROFS, "a tar is only read", self.tar)
        return io.BytesIO(self.cat_file(path))


def open_tar(url: str) -> tuple[TarFiles, str]:
    """The tar of a chained URL, and the path of the folder in it."""
    inner, _, target = url.partition("::")
    return TarFiles(target.removeprefix("file://")), inner.removeprefix(f"{TAR}://").strip("/")


def _state(tar: str | int) -> State:
    status = os.stat(tar)
    return status.st_size, status.st_mtime_ns


@functools.lru_cache(maxsize=8)
def _read_index(tar: str, state: State) -> _Index:
    index = _Index({}, {})
    members = dict(_members(tar))  # of several with one name the last counts
    for name in members:
        member = _target(name, members, tar)
        if member.is_directory:
            index.children.setdefault(name, set())
        else:
            index.files[name] = member
        _place(index, name)
    return index


def _place(index: _Index, name: str) -> None:
    """Put a name into its directory, and that into the one above, up to the top."""
    while name:
        parent, own = posixpath.split(name)
        known = parent in index.children
        index.children.setdefault(parent, set()).add(own)
        if known:
            return
        name = parent


def _members(tar: str) -> Iterator[tuple[str, _Member]]:
    """All files, directories and links by path. Raises BadLayout where the file is no tar, or not a whole one."""
    count = 0
    try:
        with tarfile.open(tar, "r:") as archive:
            while (member := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # it would keep a million
                count += 1
                if member.isreg() or member.isdir() or member.islnk() or member.issym():  # devices and pipes hold no bytes
                    yield _named(member, tar)
            end = archive.offset
    except tarfile.TarError as error:
        raise BadLayout(f"an input that is named .tar must be an uncompressed tar, got {error}: {tar}. {UNPACK}") from error
    with open(tar, "rb") as file:
        file.seek(end)
        while chunk := file.read(CHUNK):
            if chunk.strip(b"\0"):
                raise BadLayout(
                    f"a tar must be whole, got other bytes behind its file number {count:,}, from byte {end:,}: {tar}. It may "
                    f"be damaged, or several joined. {UNPACK}, and see what is there"
                )


def _named(member: tarfile.TarInfo, tar: str) -> tuple[str, _Member]:
    parts = [part for part in member.name.split("/") if part not in ("", ".")]
    name = "/".join(parts)
    if ".." in parts:
        raise BadLayout(f"names in a tar must not leave it, got {printable(member.name)}: {tar}. {UNPACK}")
    if member.issparse():
        raise BadLayout(f"a file in a tar must be stored whole, got a sparse one, {printable(name)}: {tar}. {UNPACK}")
    link = ""
    if member.islnk() or member.issym():
        above = posixpath.dirname(name) if member.issym() else ""
        link = posixpath.normpath(posixpath.join(above, member.linkname)).strip("/")
    return name, _Member(member.offset_data, member.size, member.mtime, link, member.isdir())


def _target(name: str, members: dict[str, _Member], tar: str) -> _Member:
    """The file or directory that a member is, through links. Raises BadLayout where they lead to no file in the tar."""
    member = members[name]
    for _ in range(LINKS_IN_A_ROW):
        if not member.link:
            return member
        target = members.get(member.link)
        if target is None or target.is_directory:
            break
        member = target
    raise BadLayout(
        f"a link in a tar must lead to a file in it, got {printable(name)} → {printable(members[name].link)}: {tar}. {UNPACK}"
    )
