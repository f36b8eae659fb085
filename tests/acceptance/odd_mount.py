"""python odd_mount.py MOUNT BACKING REFUSALS: a FUSE mount over a directory that refuses what some real mounts refuse.

REFUSALS, comma-separated: `sync_directory` (EINVAL: VirtualBox shares, older CIFS), `chmod` (EPERM: shares with forced modes,
Mountpoint for S3, exFAT), `link` (EPERM: no hard links), `rename_open` (EBUSY: SMB).
"""

import errno
import os
import stat
import sys
from typing import Any

from mfusepy import FUSE, FuseOSError, Operations


class OddMount(Operations):
    """The backing directory, but for what is refused."""

    use_ns = True

    def __init__(self, backing: str, refused: frozenset[str]) -> None:
        self._backing = backing
        self._refused = refused
        self._open: dict[int, str] = {}

    def _at(self, path: str) -> str:
        return self._backing + path

    def _refuse(self, what: str, code: int) -> None:
        if what in self._refused:
            raise FuseOSError(code)

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        status = os.lstat(self._at(path))
        names = ("st_mode", "st_uid", "st_gid", "st_size", "st_nlink")
        times = {f"st_{time}time": getattr(status, f"st_{time}time_ns") for time in "acm"}
        return {name: getattr(status, name) for name in names} | times

    def readdir(self, path: str, fh: int) -> list[Any]:
        names = [".", "..", *os.listdir(self._at(path))]
        return [(name, {"st_mode": stat.S_IFMT(os.lstat(os.path.join(self._at(path), name)).st_mode)}, 0) for name in names]

    def mkdir(self, path: str, mode: int) -> int:
        os.mkdir(self._at(path), mode)
        return 0

    def rmdir(self, path: str) -> int:
        os.rmdir(self._at(path))
        return 0

    def unlink(self, path: str) -> int:
        os.unlink(self._at(path))
        return 0

    def rename(self, old: str, new: str, flags: int = 0) -> int:
        if old in self._open.values():
            self._refuse("rename_open", errno.EBUSY)
        os.rename(self._at(old), self._at(new))
        return 0

    def link(self, target: str, source: str) -> int:
        self._refuse("link", errno.EPERM)
        os.link(self._at(source), self._at(target))
        return 0

    def chmod(self, path: str, mode: int) -> int:
        self._refuse("chmod", errno.EPERM)
        os.chmod(self._at(path), mode)
        return 0

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        handle = os.open(self._at(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        self._open[handle] = path
        return handle

    def open(self, path: str, flags: int) -> int:
        handle = os.open(self._at(path), flags & ~os.O_APPEND)
        self._open[handle] = path
        return handle

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        os.truncate(self._at(path), length)
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        os.fsync(fh)
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        self._refuse("sync_directory", errno.EINVAL)
        return 0

    def release(self, path: str, fh: int) -> int:
        del self._open[fh]
        os.close(fh)
        return 0

    def utimens(self, path: str, times: Any = None) -> int:
        os.utime(self._at(path), ns=times)
        return 0


if __name__ == "__main__":
    mount, backing, refused = sys.argv[1:]
    FUSE(OddMount(backing, frozenset(refused.split(","))), mount, foreground=True, nothreads=True)
