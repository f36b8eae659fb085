"""What the tests of reading share: a record's digest, and files with bytes that a test chooses."""

import hashlib

from imagerecords.schemas.frame import frame


def sha256(record):
    """The SHA-256 of the record's image."""
    return hashlib.sha256(record.encoded).hexdigest()


def damage(path, position):
    """Flip one bit of a file."""
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def framed(data):
    """The bytes as a TFRecord frame."""
    head, foot, _ = frame(data)
    return head + data + foot
