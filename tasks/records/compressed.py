"""TFRecord files compressed as a whole, as TFRecordOptions("GZIP") and ("ZLIB") write them: recognised, and read inflated."""

import zlib
from typing import BinaryIO, Literal

from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.frame import HEADER
from imagerecords.tasks.records.frames import BLOCK, Readable, head_positions

Compression = Literal["", "GZIP", "ZLIB"]  # TensorFlow's names
GZIP = b"\x1f\x8b\x08"
START = 4096  # bytes: enough of a compressed file to inflate a record's head
EITHER = zlib.MAX_WBITS | 32  # zlib detects by itself whether it is gzip or zlib


class Inflated:
    """The reading side of a compressed file; members that follow each other are read as one."""

    def __init__(self, file: Readable) -> None:
        self.file = file
        self.inflate = zlib.decompressobj(EITHER)
        self.waiting = b""

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; raises CorruptRecord where the stream is broken or ends too early."""
        while True:
            if self.inflate.eof:
                self.waiting = self.inflate.unused_data or self.file.read(BLOCK)
                if not self.waiting:
                    return b""
                self.inflate = zlib.decompressobj(EITHER)
            data = self.waiting or self.file.read(BLOCK)
            try:
                out = self.inflate.decompress(data, size)
            except zlib.error as error:
                raise CorruptRecord(f"the compressed stream is broken ({error})") from error
            self.waiting = self.inflate.unconsumed_tail
            if out:
                return out
            if not data:
                raise CorruptRecord("the compressed stream ends too early")


def inflated(file: BinaryIO) -> Readable:
    """A TFRecord file from its start, decompressed if it is compressed."""
    kind = compression_of(file.read(START))
    file.seek(0)
    return Inflated(file) if kind else file


def compression_of(start: bytes) -> Compression | None:
    """How a TFRecord file is compressed, by its first bytes ("" when it is not); None when it is no TFRecord file."""
    if _begins_with_a_frame(start):
        return ""
    kind = _stream_kind(start)
    if not kind:
        return None
    try:
        inside = zlib.decompressobj(EITHER).decompress(start, HEADER.size)
    except zlib.error:
        return None
    return kind if _begins_with_a_frame(inside) else None


def _begins_with_a_frame(data: bytes) -> bool:
    return head_positions(data[: HEADER.size]) == [0]


def _stream_kind(start: bytes) -> Compression:
    """The compression by the magic bytes: gzip's three (RFC 1952), or zlib's two, a multiple of 31 (RFC 1950)."""
    if start.startswith(GZIP):
        return "GZIP"
    if len(start) >= 2 and start[0] & 0x0F == zlib.DEFLATED and start[0] >> 4 <= 7 and (start[0] << 8 | start[1]) % 31 == 0:
        return "ZLIB"
    return ""
