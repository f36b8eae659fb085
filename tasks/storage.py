"""Folders on any fsspec file system: read, list, and write files that appear whole or not at all."""

import contextlib
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import fsspec
from fsspec.implementations.local import LocalFileSystem

from schemas.layout import SCRATCH

# Smaller than most images, which then pass without another copy.
WRITE_BUFFER = READ_BUFFER = 64 << 10
# How often a growing file is looked at, in seconds; by then some 20 to 100 MB are new.
WRITE_BACK_EVERY = 0.05
SYNC_DATA = getattr(os, "fdatasync", os.fsync)  # macOS has only fsync


@dataclass(frozen=True)
class Folder:
    """A directory or a URL's prefix. Names given to its methods are relative to it, with forward slashes."""

    url: str
    fs: Any
    path: str

    @property
    def is_local(self) -> bool:
        """Whether the folder is a directory of this machine's file system."""
        return isinstance(self.fs, LocalFileSystem)

    @property
    def bucket(self) -> str | None:
        """The S3 bucket; None on file systems without buckets."""
        return self.path.partition("/")[0] if "s3" in self.fs.protocol else None

    @property
    def canonical_url(self) -> str:
        """The URL by which the folder is the same in every process, wherever it runs and however it was written."""
        return str(self.fs.unstrip_protocol(self.path))

    def join(self, name: str) -> str:
        """The path of `name` as the file system knows it; an absolute path or URL, as a manifest may have, stays itself."""
        if name.startswith("/") or "://" in name:
            return str(self.fs._strip_protocol(name))
        return f"{self.path}/{name}" if name else self.path

    def exists(self, name: str = "") -> bool:
        """Whether a file, or a directory with something in it, is there."""
        return bool(self.fs.exists(self.join(name)))

    def read(self, name: str) -> bytes:
        """The content of a file."""
        data: bytes = self.fs.cat_file(self.join(name))
        return data

    def read_range(self, name: str, offset: int, size: int) -> bytes:
        """So many bytes of a file from an offset on, by one read."""
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
        """Give a file another name in its directory. It is there whole at any moment; on object stores for a while twice."""
        if self.is_local:
            _rename(self.join(name), self.join(to))
            return
        self.fs.cp_file(self.join(name), self.join(to))
        self.fs.rm_file(self.join(name))

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole."""
        with self.write_whole(name) as file:
            file.write(data)

    @contextlib.contextmanager
    def write_whole(self, name: str) -> Iterator[BinaryIO]:
        """A file open for writing that appears under its name, complete and on the disk, only when the block succeeds.

        It grows in the scratch directory (same file system as a local output, so that a rename is enough) and leaves
        nothing behind when the block raises. Object stores get it as one upload.
        """
        scratch = scratch_directory(self)
        scratch.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=name.replace("/", "_") + ".", dir=scratch)
        try:
            with open(handle, "wb", buffering=WRITE_BUFFER) as file:
                with _writing_back(file.fileno()):
                    yield file
                    file.flush()
                os.fsync(file.fileno())
            self._publish(temporary, name)
        except OSError as error:
            if error.filename is None and error.errno:  # a full disk does not say which file it was too small for
                raise OSError(error.errno, error.strerror, self.join(name)) from error
            raise
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)

    def _publish(self, temporary: str, name: str) -> None:
        target = self.join(name)
        if not self.is_local:
            self.fs.put_file(temporary, target)
            return
        os.chmod(temporary, 0o666 & ~UMASK)
        _rename(temporary, target)


def _rename(path: str, target: str) -> None:
    parent = Path(target).parent
    parent.mkdir(parents=True, exist_ok=True)
    os.replace(path, target)
    descriptor = os.open(parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # the new name is on the disk too
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _writing_back(descriptor: int) -> Iterator[None]:
    """Bring a file to the disk while it grows, so that the last fsync has little left to wait for."""
    done = threading.Event()

    def write_back() -> None:
        while not done.wait(WRITE_BACK_EVERY):
            with contextlib.suppress(OSError):  # the last fsync, in the writer's thread, tells of it
                SYNC_DATA(descriptor)

    thread = threading.Thread(target=write_back, name="write back", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


UMASK = _umask()  # mkstemp makes files only their owner may read; what is published gets the ordinary mode


def open_folder(url: str, storage_options: Mapping[str, Any]) -> Folder:
    """The folder at a path or URL. `storage_options` are for remote file systems; a local path takes none."""
    protocol = fsspec.utils.get_protocol(url)
    options = {} if protocol in ("file", "local", "memory") else dict(storage_options)
    fs, path = fsspec.core.url_to_fs(url, use_listings_cache=False, **options)
    # One folder has one path, however it is written: an output inside an input is seen through links and dots.
    path = os.path.realpath(path) if isinstance(fs, LocalFileSystem) else path.rstrip("/")
    return Folder(url, fs, path)


def scratch_directory(output: Folder) -> Path:
    """Where unfinished files of an output grow: below it when it is local, else in this machine's temporary directory."""
    if output.is_local:
        return Path(output.path, SCRATCH)
    return Path(tempfile.gettempdir(), "imagerecords-" + hashlib.sha256(output.url.encode()).hexdigest()[:16])


def sweep_scratch(output: Folder) -> None:
    """Remove the unfinished files that a killed build left. Only the holder of the output's lock may do this."""
    shutil.rmtree(scratch_directory(output), ignore_errors=True)
