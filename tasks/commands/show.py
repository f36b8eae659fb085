"""show: one record of a TFRecord file, as printed fields and as its image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imagerecords.schemas.errors import BadInput, CorruptRecord
from imagerecords.schemas.messages import plural
from imagerecords.tasks.records.compressed import inflated
from imagerecords.tasks.records.example import parse_example
from imagerecords.tasks.records.files import record_files
from imagerecords.tasks.records.frames import Frame, read_frames
from imagerecords.tasks.records.image import encoded_image
from imagerecords.tasks.sources.input_files import open_file
from imagerecords.tasks.storage.folders import open_folder

LISTED = 100  # values of a feature


@dataclass(frozen=True)
class ShownRecord:
    """A record's place and features; `image` is the encoded image, or empty."""

    offset: int
    features: dict[str, list[Any]]

    @property
    def image(self) -> bytes:
        """The encoded image's bytes."""
        return encoded_image(self.features)

    def lines(self) -> list[str]:
        """One line per feature, keys sorted; of long bytes only the number."""
        return [f"{key}: {_readable(values)}" for key, values in sorted(self.features.items())]


def read_record(url: str, number: int, storage_options: Mapping[str, Any]) -> ShownRecord:
    """Record `number` (from 0) of a file; BadInput when there is no such file or record, CorruptRecord when it is broken."""
    count = 0
    try:
        with open_file(url, storage_options) as file:
            for record in read_frames(inflated(file), resume=False):
                count += 1
                if record.problem and (record.number == number or not record.data):
                    raise CorruptRecord(f"record {record.number} at byte {record.offset} is damaged: {record.problem}: {url}")
                if record.number == number:
                    return _shown(record, url)
    except IsADirectoryError as error:
        folder = open_folder(url, storage_options)
        names, _ = record_files(folder)
        remedy = f"Pass one of its files, e.g. {url.rstrip('/')}/{names[0]}" if names else "It has no such file: check the path"
        raise BadInput(f"show must be given one TFRecord file, got a folder: {url}. {remedy}") from error
    except FileNotFoundError as error:
        raise BadInput(f"show must be given a TFRecord file, got none: {url}. Check the path") from error
    raise BadInput(f"record must be below the number of records ({count:,}), got {number:,}: {url}")


def _shown(record: Frame, url: str) -> ShownRecord:
    try:
        return ShownRecord(record.offset, parse_example(record.data))
    except ValueError as error:
        where = f"record {record.number} at byte {record.offset}"
        raise CorruptRecord(f"{where} must be a tf.train.Example, got: {error}: {url}") from error


def _readable(values: list[Any]) -> str:
    if len(values) == 1:
        return _readable_value(values[0])
    more = f", … {len(values):,} values" if len(values) > LISTED else ""
    return "[" + ", ".join(map(_readable_value, values[:LISTED])) + more + "]"


def _readable_value(value: Any) -> str:
    if not isinstance(value, bytes):
        return str(value)
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return f"{plural(len(value), 'byte')}, {value[:4].hex(' ')} …"
    return text if text.isprintable() and len(text) <= 1000 else plural(len(value), "byte")
