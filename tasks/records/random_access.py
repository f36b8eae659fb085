"""Single records and runs of neighbouring records of TFRecord files, read by their offsets, with both CRCs checked.

On a local disk files stay open and are read by os.pread, which moves no file position: threads and forked processes may share
them. Elsewhere each read is one ranged request, and a forked process opens a file system of its own.
"""

import contextlib
import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import google_crc32c

from imagerecords.schemas.errors import CorruptRecord, Incomplete
from imagerecords.schemas.messages import plural
from imagerecords.tasks.records.frames import DATA_PROBLEM, FOOTER, HEADER, LENGTH, OVERHEAD, unmask
from imagerecords.tasks.storage.folders import Folder, open_folder

OPEN_FILES = 128  # at most for each data set in each process, of the 1024 that most systems allow
GONE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)


class Place(NamedTuple):
    """Where a record is: its number in the file, its frame's offset and size in bytes, and its masked CRC, None if unknown."""

    number: int
    offset: int
    size: int
    crc: int | None


class _OpenFile:
    """A file descriptor that is closed with its last user, so that no thread reads from one that another thread closes."""

    def __init__(self, path: str) -> None:
        self.descriptor = os.open(path, os.O_RDONLY)

    def __del__(self) -> None:
        if hasattr(self, "descriptor"):
            os.close(self.descriptor)


class RandomReader:
    """Reads records of the files in a folder. Pickled, it is only the folder's URL and options: each process opens its own."""

    def __init__(self, url: str, storage_options: Mapping[str, Any]) -> None:
        self.url = url
        self.storage_options = dict(storage_options)
        self._folder: Folder | None = None
        self._process = 0
        self._open = functools.lru_cache(OPEN_FILES)(_OpenFile)

    def __reduce__(self) -> tuple[Any, ...]:
        return RandomReader, (self.url, self.storage_options)

    @property
    def is_local(self) -> bool:
        """Whether the files are on a file system of this machine."""
        return self._current_folder().is_local

    def read(self, file: str, places: Sequence[Place]) -> list[bytes]:
        """The data of records that are neighbours in `file`, by one read.

        Raises CorruptRecord for the first that is not sound or not the expected one, Incomplete where there is no such file.
        """
        begin = places[0].offset
        with self._naming_missing_files(file):
            block = self._read(file, begin, places[-1].offset + places[-1].size - begin)
        starts = [place.offset - begin for place in places]
        return [self._data(file, place, block[at : at + place.size]) for at, place in zip(starts, places, strict=True)]

    def read_scattered(self, places: Sequence[tuple[str, Place]]) -> list[bytes]:
        """The data of records anywhere, by one read each: concurrently where remote. Raises as `read` does."""
        folder = self._current_folder()
        if folder.is_local:
            return [self.read(file, [place])[0] for file, place in places]
        paths = [folder.join(file) for file, _ in places]
        starts = [place.offset for _, place in places]
        ends = [place.offset + place.size for _, place in places]
        with self._naming_missing_files(", ".join(sorted({file for file, _ in places}))):
            frames = folder.fs.cat_ranges(paths, starts, ends, on_error="raise")
        return [self._data(file, place, frame) for (file, place), frame in zip(places, frames, strict=True)]

    @contextlib.contextmanager
    def _naming_missing_files(self, file: str) -> Iterator[None]:
        try:
            yield
        except GONE as error:
            where = self._current_folder().join(file)
            raise Incomplete(f"a file of the data set is missing: {where}. Restore it, or build again") from error

    def _read(self, file: str, offset: int, size: int) -> bytes:
        folder = self._current_folder()
        if not folder.is_local:
            return folder.read_range(file, offset, size)
        opened = self._open(folder.join(file))
        return os.pread(opened.descriptor, size, offset)

    def _current_folder(self) -> Folder:
        """The folder, opened again in a forked process: fsspec's file systems must not be used across a fork."""
        if self._folder is None or (self._process != os.getpid() and not self._folder.is_local):
            self._folder = open_folder(self.url, self.storage_options)
            self._process = os.getpid()
        return self._folder

    def _data(self, file: str, place: Place, frame: bytes) -> bytes:
        problem = frame_problem(frame, place)
        if problem:
            where = f"record {place.number} at byte {place.offset}"
            path = self._current_folder().join(file)
            raise CorruptRecord(f"{where} is damaged: {problem}: {path}. Run imagerecords audit on its folder")
        return frame[HEADER.size : -FOOTER.size]


def frame_problem(frame: bytes, place: Place) -> str | None:
    """What is wrong with a record's frame, which must be the one expected at its place; None where nothing is wrong."""
    if len(frame) < place.size:
        return f"truncated: {len(frame)} of {place.size} bytes"
    length, head_crc = HEADER.unpack_from(frame)
    if google_crc32c.value(frame[: LENGTH.size]) != unmask(head_crc):
        return "the CRC of the length is wrong"
    if length + OVERHEAD != place.size:
        return f"a length of {plural(length, 'byte')} instead of {place.size - OVERHEAD:,}"
    (crc,) = FOOTER.unpack_from(frame, place.size - FOOTER.size)
    if google_crc32c.value(frame[HEADER.size : -FOOTER.size]) != unmask(crc):
        return DATA_PROBLEM
    if place.crc not in (None, crc):
        return "another record than the manifest has there (was the data set built again after it was opened?)"
    return None
