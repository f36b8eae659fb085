"""Files that appear complete or not at all: written under another name, then renamed or uploaded at once."""

import contextlib
import errno
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from imagerecords.tasks.storage.s3_upload import is_s3, put_checked, upload_object
from imagerecords.tasks.storage.scratch import naming_scratch

WRITE_BUFFER = 64 << 10  # smaller than most images, which then pass without another copy
# Seconds between two write-backs of a growing file; in this time it grows by some 20 to 100 MB.
WRITE_BACK_EVERY = 0.05
# What network and FUSE mounts answer to fsync, of directories above all, when they do not offer it.
UNKNOWN_CALL = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
SYNC_DATA = getattr(os, "fdatasync", os.fsync)  # macOS has only fsync


@contextlib.contextmanager
def renamed_file(target: str, scratch: Path) -> Iterator[BinaryIO]:
    """A file open for writing that is renamed to `target` when the block succeeds; its bytes and name are on the disk then."""
    with _temporary_file(target, scratch) as (file, temporary):
        with _writing_back(file.fileno()):
            yield file
            file.flush()
        _sync(file.fileno())
        file.close()
        with contextlib.suppress(OSError):  # shares with modes of their own (CIFS, some FUSE mounts) refuse it
            os.chmod(temporary, 0o666 & ~UMASK)
        rename_whole(temporary, target)


def rename_whole(path: str, target: str) -> None:
    """Give a local file another name; the new name is on the disk afterwards."""
    parent = Path(target).parent
    parent.mkdir(parents=True, exist_ok=True)
    os.replace(path, target)
    sync_directory(parent)


def sync_directory(directory: str | Path) -> None:
    """Bring a directory's names to the disk, where its file system knows how to."""
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:  # Windows, and mounts that let directories be listed but not opened
        return
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    """Bring a file or directory to the disk, where its file system knows how to."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNKNOWN_CALL:
            raise


@contextlib.contextmanager
def uploaded_file(fs: Any, target: str, scratch: Path) -> Iterator[BinaryIO]:
    """A file open for writing that is uploaded to `target` when the block succeeds."""
    with contextlib.ExitStack() as stack:
        with naming_scratch(scratch, making=True):
            file, temporary = stack.enter_context(_temporary_file(target, scratch))
        with naming_scratch(scratch):
            yield file
            file.close()
        if is_s3(fs):
            upload_object(fs, target, temporary)
        else:
            fs.put_file(temporary, target)
            _check_size(fs, target, os.path.getsize(temporary))


def put_whole(fs: Any, target: str, data: bytes) -> None:
    """Write a remote file in one request."""
    if is_s3(fs):
        put_checked(fs, target, data)
    else:
        fs.pipe_file(target, data)
        _check_size(fs, target, len(data))


def _check_size(fs: Any, target: str, size: int) -> None:
    there = fs.info(target)["size"]
    if there != size:
        raise OSError(errno.EIO, f"the uploaded file has {there} bytes instead of {size}", target)


@contextlib.contextmanager
def _temporary_file(target: str, scratch: Path) -> Iterator[tuple[BinaryIO, str]]:
    """A file open for writing in the scratch directory, and its path; gone after the block."""
    scratch.mkdir(parents=True, exist_ok=True)
    handle, path = tempfile.mkstemp(prefix=Path(target).name + ".", dir=scratch)
    file = open(handle, "wb", buffering=WRITE_BUFFER)  # noqa: SIM115
    try:
        yield file, path
        file.close()
    finally:
        with contextlib.suppress(OSError):  # what is left in the buffer does not fit either; the first error is raised
            file.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


@contextlib.contextmanager
def _writing_back(descriptor: int) -> Iterator[None]:
    """Bring a file to the disk while it grows, so that the last fsync has little left to wait for."""
    done = threading.Event()

    def write_back() -> None:
        while not done.wait(WRITE_BACK_EVERY):
            with contextlib.suppress(OSError):  # the last fsync, in the writer's thread, raises it again
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


UMASK = _umask()  # temporary files only their owner may read; what is published gets the ordinary mode
