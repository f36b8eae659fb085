"""What was taken out of an output: images by the fingerprint of their shard, in _build/removals.json.

A decision that binds users' data: a removal holds as long as its shard's fingerprint. A build that plans the same shard leaves
the image out, whatever has to be converted anew; other input or settings make another shard, and its images come from the
source. The list is written before anything is taken out, so that whoever comes next, remove or build, finishes it.
"""

import json
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.output_files import REMOVALS
from imagerecords.schemas.receipt import WRITTEN
from imagerecords.tasks.storage.folders import Folder

REMOVED_MESSAGE = "taken out of the data set by remove"


@dataclass
class Removals:
    """Paths by fingerprint; `unfinished` from before a removal touches anything until all of it is done."""

    unfinished: bool = False
    paths: dict[str, list[str]] = field(default_factory=dict)

    def add(self, fingerprint: str, path: str) -> None:
        """Note that an image goes."""
        self.paths[fingerprint] = sorted({*self.paths.get(fingerprint, []), path})


def read_removals(output: Folder) -> Removals:
    """What was, or is being, taken out of an output. Raises CorruptRecord when the list is broken: nothing may come back."""
    try:
        return Removals(**json.loads(output.read(REMOVALS)))
    except FileNotFoundError:
        return Removals()
    except (ValueError, TypeError) as error:
        what = f"the list of removed images must be readable, got: {error}: {output.join(REMOVALS)}"
        raise CorruptRecord(f"{what}. Restore it, or build into another output") from error


def write_removals(output: Folder, removals: Removals) -> None:
    """Write the list, whole."""
    output.write(REMOVALS, (json.dumps(vars(removals), indent=1, sort_keys=True) + "\n").encode())


def removed_paths(output: Folder, fingerprint: str) -> set[str]:
    """The paths that are not to be in the shard of this fingerprint."""
    return set(read_removals(output).paths.get(fingerprint, ()))


def holds_any(receipt: pa.Table, paths: set[str]) -> bool:
    """Whether a receipt tells one of the paths as written."""
    written = receipt.filter(pc.equal(receipt["status"], WRITTEN))
    return bool(pc.any(pc.is_in(written["path"], pa.array(sorted(paths), pa.string()))).as_py())
