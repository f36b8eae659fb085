"""A file that is hashed while it is read."""

import hashlib
from typing import BinaryIO


class HashingFile:
    """The reading side of a file, front to back, that also computes its SHA-256 and size."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.sha256 = hashlib.sha256()
        self.size = 0

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; empty at the end."""
        data = self.file.read(size)
        self.sha256.update(data)
        self.size += len(data)
        return data
