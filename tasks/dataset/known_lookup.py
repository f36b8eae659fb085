"""The lookup of a known image by the SHA-256 of its bytes; what a process has read is kept for the rest of its build."""

import hashlib
import threading
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.errors import CorruptRecord, Incomplete
from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.dataset.known_file import BEGINNING, DIGEST, KnownFile, beginnings, digests_of, read_known
from imagerecords.tasks.images.decoders import origin_now
from imagerecords.tasks.images.metrics import Figures
from imagerecords.tasks.images.process import RgbJpeg
from imagerecords.tasks.records.example import parse_example
from imagerecords.tasks.records.image import ENCODED
from imagerecords.tasks.records.random_access import Place, RandomReader
from imagerecords.tasks.storage.folders import open_output

Outcome = RgbJpeg | Rejected
# An outcome's numbers: one NumPy record gives them to Python thirty times as fast as Arrow's columns.
NUMBERS = {
    "height": np.int32,
    "width": np.int32,
    "source_format": np.int32,
    "orientation": np.int8,
    "odd_header": np.bool_,
    "has_gps": np.bool_,
    "has_thumbnail": np.bool_,
    "brightness": np.float32,
    "contrast": np.float32,
    "sharpness": np.float32,
    "dhash": np.uint64,
}
PRESENT = ("reason", "encoded_sha256", "dhash", "sharpness")  # columns in which a null has a meaning
IN_RECORD = ("encoded_sha256", "folder", "file", "offset", "size", "crc32c")


class KnownImages:
    """Outcomes by the SHA-256 of the source's bytes."""

    def __init__(self, known: KnownFile, readers: Sequence[RandomReader]) -> None:
        rows = known.rows.combine_chunks()
        digests = digests_of(rows)
        self._digests = memoryview(digests.tobytes())
        self._beginnings = memoryview(beginnings(digests).tobytes()).cast("Q")
        formats = rows["source_format"].combine_chunks().dictionary_encode()
        self._formats = formats.dictionary.to_pylist()
        self._numbers = _numbers(rows.set_column(rows.column_names.index("source_format"), "source_format", formats.indices))
        self._rows = rows
        self._readers = readers

    @property
    def has_remote_records(self) -> bool:
        """Whether a record may have to be read over the network."""
        return not all(reader.is_local for reader in self._readers)

    def find(self, data: bytes, digest: bytes) -> Outcome | None:
        """What becomes of an image with these bytes; None where it is not known, or its record can't be read any more."""
        number = self._number(digest)
        if number is None:
            return None
        height, width, kind, *others, is_rejected, is_re_encoded, has_figures, has_sharpness = self._numbers[number].item()
        if is_rejected:
            return Rejected(*self._reason(number))
        encoded = self._encoded(number) if is_re_encoded else data
        if encoded is None:
            return None
        orientation, is_odd, has_gps, has_thumbnail, brightness, contrast, sharpness, dhash = others
        figures = Figures(brightness, contrast, sharpness if has_sharpness else None, dhash) if has_figures else None
        return RgbJpeg(
            encoded,
            height,
            width,
            self._formats[kind],
            orientation,
            figures,
            is_odd=is_odd,
            has_gps=has_gps,
            has_thumbnail=has_thumbnail,
        )

    def _number(self, digest: bytes) -> int | None:
        beginning = int.from_bytes(digest[:BEGINNING], "big")
        number = bisect_left(self._beginnings, beginning)
        while number < len(self._beginnings) and self._beginnings[number] == beginning:
            if self._digests[number * DIGEST : (number + 1) * DIGEST] == digest:
                return number
            number += 1
        return None

    def _reason(self, number: int) -> tuple[Reason, str]:
        return Reason(self._rows["reason"][number].as_py()), self._rows["message"][number].as_py()

    def _encoded(self, number: int) -> bytes | None:
        """The JPEG of a record, whose checksums and SHA-256 are right; None for any other."""
        encoded_sha256, folder, file, *place = (self._rows[name][number].as_py() for name in IN_RECORD)
        try:
            (record,) = self._readers[folder].read(file, [Place(0, *place)])
            encoded: bytes = parse_example(record)[ENCODED][0]
        except (CorruptRecord, Incomplete, OSError, ValueError, LookupError):
            return None
        return encoded if hashlib.sha256(encoded).digest() == encoded_sha256 else None


def _numbers(rows: pa.Table) -> np.ndarray[Any, Any]:
    """One record per row: its numbers, 0 for null, and which of the columns PRESENT have a value."""
    present = [(f"has {name}", np.bool_) for name in PRESENT]
    numbers = np.zeros(rows.num_rows, [*NUMBERS.items(), *present])
    for name, kind in NUMBERS.items():
        numbers[name] = pc.fill_null(rows[name], kind(0).item()).to_numpy()
    for name in PRESENT:
        numbers[f"has {name}"] = pc.is_valid(rows[name]).to_numpy()
    return numbers


def known_images(settings: BuildSettings, build: str) -> KnownImages | None:
    """What the build with this id knows, read once per process; None where it is nothing, or of another origin.

    Another origin: a worker on another machine may have other decoders.
    """
    if not settings.reuse:
        return None
    with _LOADING:
        if not build or _loaded.build != build:
            _loaded.build, _loaded.images = build, _load(settings)
        return _loaded.images


@dataclass
class _Loaded:
    """What this process read last, and for which build."""

    build: str = ""
    images: KnownImages | None = None


_loaded = _Loaded()
_LOADING = threading.Lock()


def _load(settings: BuildSettings) -> KnownImages | None:
    known = read_known(open_output(settings))
    if known is None or known.origin != origin_now(settings):
        return None
    urls = (url or settings.output_directory for url in known.folders)
    return KnownImages(known, [RandomReader(url, settings.storage_options) for url in urls])
