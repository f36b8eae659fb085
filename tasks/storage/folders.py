"""Folders on any fsspec file system: read, list, and write files that appear whole or not at all."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import fsspec
from fsspec.implementations.local import LocalFileSystem
from fsspec.registry import known_implementations

from imagerecords.schemas.errors import BadSettings
from imagerecords.schemas.output_files import SCRATCH, is_ours
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.storage.archives import archive_url, canonical_chain, chained_options, opening
from imagerecords.tasks.storage.http_options import PROTOCOLS as HTTP_PROTOCOLS
from imagerecords.tasks.storage.http_options import http_options
from imagerecords.tasks.storage.s3_options import s3_options
from imagerecords.tasks.storage.s3_retries import extend_retries
from imagerecords.tasks.storage.s3_upload import abort_left_uploads, is_s3
from imagerecords.tasks.storage.scratch import refuse_no_scratch, remove_directory, staging_directory
from imagerecords.tasks.storage.tar_files import TAR, open_tar
from imagerecords.tasks.storage.whole_files import put_whole, rename_whole, renamed_file, uploaded_file

PROTOCOLS = frozenset(known_implementations)
READ_BUFFER = 64 << 10  # smaller than most images, which then pass without another copy


def is_url(name: str) -> bool:
    """Whether a name begins with a protocol that fsspec knows: keys of object stores may have `://` in them too."""
    protocol, separator, _ = name.partition("://")
    return bool(separator) and all(part in PROTOCOLS or part in fsspec.registry for part in protocol.split("::"))


@dataclass(frozen=True)
class Folder:
    """A directory or a URL's prefix. Names given to its methods are relative to it, with forward slashes.

    `guard` is called right before a file appears, and raises where this process may not write any more.
    """

    url: str
    fs: Any
    path: str
    scratch: str | None = None
    guard: Callable[[], None] | None = field(default=None, compare=False)

    @property
    def is_local(self) -> bool:
        """Whether the folder is a directory of this machine's file system."""
        return isinstance(self.fs, LocalFileSystem)

    @property
    def is_s3(self) -> bool:
        """Whether the folder lies on S3."""
        return is_s3(self.fs)

    @property
    def canonical_url(self) -> str:
        """The URL that is the same in every process, however the folder's URL was written."""
        return canonical_chain(self.path, self.url) if "::" in self.url else str(self.fs.unstrip_protocol(self.path))

    def join(self, name: str) -> str:
        """The path of `name` as the file system knows it; an absolute path or URL, as in image lists, is kept."""
        if name.startswith("/") or is_url(name):
            return str(self.fs._strip_protocol(name))
        return f"{self.path}/{name}" if name else self.path

    def exists(self, name: str = "") -> bool:
        """Whether a file, or a directory with something in it, is there."""
        return bool(self.fs.exists(self.join(name)))

    def read(self, name: str) -> bytes:
        """The content of a file."""
        data: bytes = self.fs.cat_file(self.join(name))
        return data

    def can_be_read(self, name: str) -> bool:
        """Whether there is a file whose first byte can be read."""
        try:
            return bool(self.fs.isfile(self.join(name))) and bool(self.read_range(name, 0, 1))
        except Exception:  # of any client
            return False

    def read_range(self, name: str, offset: int, size: int) -> bytes:
        """`size` bytes of a file from an offset on, by one read."""
        data: bytes = self.fs.cat_file(self.join(name), start=offset, end=offset + size)
        return data

    def open(self, name: str) -> BinaryIO:
        """A file open for reading, with a buffer that suits reading from front to back."""
        path = self.join(name)
        file: BinaryIO = open(path, "rb", buffering=READ_BUFFER) if self.is_local else self.fs.open(path)  # noqa: SIM115
        return file

    def files(self, name: str = "") -> list[str]:
        """The sorted names of the files right in a directory; empty where there is none."""
        path = self.join(name)
        try:
            if self.is_local:  # fsspec's listing fails as a whole where one file goes meanwhile, as network mounts' own do
                with os.scandir(path) as found:
                    return sorted(entry.name for entry in found if not entry.is_dir())
            entries = self.fs.ls(path, detail=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        names = (entry["name"].rstrip("/").rpartition("/")[2] for entry in entries if entry["type"] != "directory")
        return sorted(names)

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens where there is none."""
        with contextlib.suppress(FileNotFoundError):
            self.fs.rm_file(self.join(name))

    def move(self, name: str, to: str) -> None:
        """Rename a file in its directory. It is complete at any moment; on object stores for a while under both names."""
        if self.is_local:
            rename_whole(self.join(name), self.join(to))
            return
        self.fs.cp_file(self.join(name), self.join(to))
        self.fs.rm_file(self.join(name))

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole; object stores get it as one request."""
        if not self.is_local:
            self._check()
            put_whole(self.fs, self.join(name), data)
            return
        with self.write_whole(name) as file:
            file.write(data)

    @contextlib.contextmanager
    def write_whole(self, name: str) -> Iterator[BinaryIO]:
        """A file open for writing that appears under its name, complete and on the disk, only when the block succeeds.

        It is written to the scratch directory (on the file system of a local output, so that a rename is enough) and removed
        when the block raises. Object stores get it as one upload.
        """
        path, scratch = self.join(name), scratch_directory(self)
        try:
            with renamed_file(path, scratch) if self.is_local else uploaded_file(self.fs, path, scratch) as file:
                yield file
                self._check()
        except OSError as error:
            if error.filename is None and error.errno:  # the error of a full disk does not name the file
                raise OSError(error.errno, error.strerror, path) from error
            raise

    def _check(self) -> None:
        if self.guard is not None:
            self.guard()


def open_folder(url: str, storage_options: Mapping[str, Any], scratch: str | None = None) -> Folder:
    """The folder at a path or URL. `storage_options` are for remote file systems; a local path takes none.

    `scratch` is a directory of this machine for files that will be uploaded.
    """
    url = archive_url(url)
    protocol = fsspec.utils.get_protocol(url)
    options = {} if protocol in ("file", "local", "memory") else dict(storage_options)
    if protocol in ("s3", "s3a"):
        options = s3_options(options)
    elif protocol in HTTP_PROTOCOLS:
        options = http_options(options)
    elif "::" in url:
        options = chained_options(url, options)
    with opening(url):
        if protocol == TAR:
            fs, path = open_tar(url)
        else:
            fs, path = fsspec.core.url_to_fs(url, use_listings_cache=False, **options)
    # One folder has one path, however it is written: so an output inside an input is found through links and dots.
    path = os.path.realpath(path) if isinstance(fs, LocalFileSystem) else path.rstrip("/")
    if is_s3(fs):
        extend_retries(fs)
    return Folder(url, fs, path, scratch)


def open_output(settings: BuildSettings) -> Folder:
    """The output of a build; the one way from settings to it.

    Steps take settings, since they run in other processes, and open the output by them. fsspec keeps one file system with its
    connections per process and thread, so that opening it again costs nothing.
    """
    if "::" in settings.output_directory:
        raise BadSettings(
            f"output_directory must be a folder, got one in an archive: {settings.output_directory}. Name another"
        )
    return open_folder(settings.output_directory, settings.storage_options, settings.scratch_directory)


def scratch_directory(output: Folder) -> Path:
    """Where unfinished files of an output grow: below it when it is local, else in a staging directory of this machine."""
    if output.is_local:
        return Path(output.path, SCRATCH)
    return staging_directory(output.fs, output.url, output.scratch)


def refuse_no_scratch_directory(output: Folder) -> None:
    """Raise BadStorage where the files of a remote output can't grow before they are uploaded."""
    if not output.is_local:
        refuse_no_scratch(scratch_directory(output))


def sweep_unfinished(output: Folder) -> None:
    """Remove the unfinished files and uploads that a killed build left. Only the holder of the output's lock may do this."""
    remove_directory(scratch_directory(output))
    if output.is_s3:
        abort_left_uploads(output.fs, output.path, is_ours)
