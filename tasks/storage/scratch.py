"""The scratch directory: where unfinished files of an output grow, out of other users' and other outputs' reach."""

import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Any

from imagerecords.schemas.errors import BadStorage

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


def remove_directory(directory: Path) -> None:
    """Remove a scratch directory with all in it; what can't be removed stays."""
    shutil.rmtree(directory, ignore_errors=True)


def _private_directory() -> Path:
    """A directory in the temporary directory that belongs to this user and that nobody else may enter."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    path = Path(tempfile.gettempdir(), f"imagerecords-{user}")
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        status = path.lstat()
    except OSError as error:
        raise BadStorage(
            f"the temporary directory must be writable, got {error.strerror}: {path}. Pass --scratch_directory, or set TMPDIR"
        ) from error
    if not stat.S_ISDIR(status.st_mode) or (hasattr(os, "getuid") and (status.st_uid != user or status.st_mode & 0o022)):
        raise BadStorage(
            f"the scratch directory must be a directory that only this user writes to, got another's: {path}. Remove it, pass "
            "--scratch_directory, or set TMPDIR"
        )
    return path
