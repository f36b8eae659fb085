"""A TFRecord file written record by record."""

from typing import BinaryIO

from imagerecords.schemas.frame import OVERHEAD, frame


class RecordWriter:
    """Appends records to a file and returns the place of each."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.offset = 0
        self.records = 0

    def append(self, data: bytes) -> dict[str, int]:
        """Write one record; returns its number, offset, framed size and masked CRC32C."""
        before, after, crc = frame(data)
        self.file.write(before)
        self.file.write(data)
        self.file.write(after)
        place = {"record": self.records, "offset": self.offset, "size": len(data) + OVERHEAD, "crc32c": crc}
        self.offset += place["size"]
        self.records += 1
        return place
