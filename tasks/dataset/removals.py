"""The images removed from an output, by the fingerprint of their shard, in _build/removals.json.

A decision that binds users' data: a removal lasts as long as its shard's fingerprint. A build that plans the same shard
excludes the image, even where it converts the shard again; other input or settings make another shard, with all images of the
source. The list is written before any image is removed, so that the next remove or build finishes what was interrupted.
"""

import json
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import TypeAdapter

from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.output_files import REMOVALS
from imagerecords.schemas.plain_words import plain_words
from imagerecords.schemas.receipt import WRITTEN
from imagerecords.tasks.storage.folders import Folder

REMOVED_MESSAGE = "removed from the data set by imagerecords remove"


@dataclass
class Removals:
    """Paths by fingerprint; `unfinished` is true from before a removal writes anything else until it is done."""

    unfinished: bool = False
    paths: dict[str, list[str]] = field(default_factory=dict)

    def add(self, fingerprint: str, path: str) -> None:
        """Add an image."""
        self.paths[fingerprint] = sorted({*self.paths.get(fingerprint, []), path})


CONTENT = TypeAdapter(Removals)


def read_removals(output: Folder) -> Removals:
    """What was, or is being, removed from an output. Raises CorruptRecord when the list is broken: no image may come back."""
    try:
        return CONTENT.validate_json(output.read(REMOVALS), strict=True)
    except FileNotFoundError:
        return Removals()
    except ValueError as error:
        what = f"the list of removed images must be readable, got: {plain_words(error)}: {output.join(REMOVALS)}"
        raise CorruptRecord(f"{what}. Restore it, or build into another output") from error


def write_removals(output: Folder, removals: Removals) -> None:
    """Write the list."""
    output.write(REMOVALS, (json.dumps(vars(removals), indent=1, sort_keys=True) + "\n").encode())


def removed_paths(output: Folder, fingerprint: str) -> set[str]:
    """The paths of the removed images of the shard with this fingerprint."""
    return set(read_removals(output).paths.get(fingerprint, ()))


def holds_any(receipt: pa.Table, paths: set[str]) -> bool:
    """Whether a receipt lists one of the paths as written."""
    written = receipt.filter(pc.equal(receipt["status"], WRITTEN))
    return bool(pc.any(pc.is_in(written["path"], pa.array(sorted(paths), pa.string()))).as_py())
