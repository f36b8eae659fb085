"""The scratch directory: where unfinished files of an output grow, out of other users' and other outputs' reach."""

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imagerecords.schemas.errors import BadStorage

SMALL = 10_000_000  # bytes
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
ANOTHER = "or pass another --scratch_directory, or set TMPDIR to another temporary directory"
ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_PROFILE")


def staging_directory(fs: Any, url: str, directory: str | None) -> Path:
    """Where files of a remote output grow before they are uploaded: a directory of this machine, for this output alone.

    One URL on two servers is two outputs. Without a `directory` of the settings it lies in one of this user's in the
    temporary directory, which no other user can have made beforehand. Raises BadStorage where there is no such place.
    """
    server = [str(getattr(fs, "endpoint_url", None)), str(getattr(fs, "storage_options", None))]
    server += [os.environ.get(name, "") for name in ENDPOINT_VARIABLES]
    name = hashlib.sha256("\n".join([url, *server]).encode()).hexdigest()[:16]
    if directory:
        return Path(directory, f"imagerecords-{name}")
    return _private_directory() / name


def temporary_directory() -> Path:
    """The temporary directory. Raises BadStorage where none can be written."""
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        tried = str(error.strerror).partition(" in ")[2] or "TMPDIR, /tmp, /var/tmp"
        raise BadStorage(f"the temporary directory must be writable, got none among {tried}. Set TMPDIR to one") from error


def refuse_no_scratch(directory: Path) -> None:
    """Make a staging directory. Raises BadStorage where that can't be done, or nothing be written to it."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_a_byte(directory)
    except OSError as error:
        raise BadStorage(
            f"the scratch directory must be writable, got {_reason(error, directory)}: {directory}. Correct that, {ANOTHER}"
        ) from error


def write_a_byte(directory: Path) -> None:
    """Write a file to a directory and remove it; raises OSError where that can't be done.

    The file is closed first: mounts that know no rename of open files (FUSE's) can't remove one either.
    """
    handle, name = tempfile.mkstemp(dir=directory)
    try:
        with open(handle, "wb") as file:
            file.write(b"\0")
    finally:
        os.unlink(name)


@contextlib.contextmanager
def naming_scratch(directory: Path, *, making: bool = False) -> Iterator[None]:
    """A full scratch directory reported with its name, its room, and the settings that name another.

    While it is `making` files there, every error is the directory's; later only those that speak of room are.
    """
    try:
        yield
    except BadStorage:
        raise
    except OSError as error:
        if not making and (error.errno not in FULL or error.filename is not None):
            raise
        text = f"{_reason(error, directory)} in the scratch directory. Correct that, {ANOTHER}"
        raise OSError(error.errno, text, str(directory)) from error


def _reason(error: OSError, directory: Path) -> str:
    """An error's own words; where it is for want of room, with what there is."""
    words = error.strerror or str(error)
    if error.errno not in FULL:
        return words
    place = next((path for path in (directory, *directory.parents) if path.exists()), directory)
    room = shutil.disk_usage(place)
    unit, size = ("kB", 1e3) if room.total < SMALL else ("MB", 1e6)
    return f"{words} ({room.free / size:,.0f} of {room.total / size:,.0f} {unit} free)"


def remove_directory(directory: Path) -> None:
    """Remove a scratch directory with all in it; what can't be removed stays."""
    shutil.rmtree(directory, ignore_errors=True)


def _private_directory() -> Path:
    """A directory in the temporary directory that belongs to this user and that nobody else may enter."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    path = temporary_directory() / f"imagerecords-{user}"
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        status = path.lstat()
    except OSError as error:
        raise BadStorage(
            f"the temporary directory must be writable, got {_reason(error, path)}: {path}. Pass --scratch_directory, or "
            "set TMPDIR"
        ) from error
    if not stat.S_ISDIR(status.st_mode) or (hasattr(os, "getuid") and (status.st_uid != user or status.st_mode & 0o022)):
        raise BadStorage(
            f"the scratch directory must be a directory that only this user writes to, got another's: {path}. Remove it, pass "
            "--scratch_directory, or set TMPDIR"
        )
    return path
