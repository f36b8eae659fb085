"""locate: where an image is in a finished data set, by its name or by a hash of its bytes."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.errors import BadInput
from imagerecords.schemas.results import Located
from imagerecords.schemas.unicode_names import composed
from imagerecords.tasks.commands.catalogue import open_dataset, read_catalogue

HASH = re.compile(r"[0-9a-f]{6,64}")
HASHES = ("sha256", "encoded_sha256")


def locate_image(
    url: str, name: str, storage_options: Mapping[str, Any], report: Callable[[str], object] | None = None
) -> list[Located]:
    """All images of this file name, path (with or without the split before it), SHA-256, or prefix of one.

    Empty where there is none. `report` is called with a line on broken records, if there are any. Raises BadInput where a
    prefix matches several hashes.
    """
    catalogue = read_catalogue(open_dataset(url, storage_options), report)
    return [Located(**row) for row in catalogue.filter(Names(catalogue).rows(name)).to_pylist()]


def _unchanged(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column


def _composed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_normalize(column, "NFC")


class Names:
    """Finds a catalogue's images by path, file name or hash."""

    def __init__(self, catalogue: pa.Table) -> None:
        self.catalogue = catalogue
        self.paths = catalogue["path"]
        self.with_split = pc.binary_join_element_wise(catalogue["split"], self.paths, "/")
        self.basenames = pc.replace_substring_regex(self.paths, r"(?s)^.*/", "")

    def rows(self, name: str) -> pa.ChunkedArray:
        """Which rows match a name: paths before file names before hashes, so that a name is never read as a hash.

        Where none does, it is tried as other systems write it: with backslashes, in another Unicode form, or between spaces.
        """
        other = composed(name.strip().replace("\\", "/").removeprefix("./"))
        ways = [(name, _unchanged), (other, _composed)]
        for wanted, form_of in ways if name != other or not name.isascii() else ways[:1]:
            for column in (self.with_split, self.paths, self.basenames):
                found = pc.equal(form_of(column), wanted)
                if pc.any(found).as_py():
                    return found
        prefix = name.strip().lower()
        if not HASH.fullmatch(prefix):
            return pa.chunked_array([pa.array([False] * len(self.catalogue), pa.bool_())])
        matches = [pc.fill_null(pc.starts_with(self.catalogue[column], prefix), False) for column in HASHES]
        hashes = {
            value
            for column, found in zip(HASHES, matches, strict=True)
            for value in self.catalogue[column].filter(found).unique().to_pylist()
        }
        if len(hashes) > 1 and not self._are_of_one_image(matches):
            raise BadInput(f"a hash's prefix must match one hash, got {len(hashes)}: {name}. Give more digits")
        return pc.or_(*matches)

    def _are_of_one_image(self, matches: Iterable[pa.ChunkedArray]) -> bool:
        first, second = matches
        return int(pc.sum(pc.or_(first, second)).as_py()) == 1
