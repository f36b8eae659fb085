"""renumber: the shards of a data set that has grown are renamed as its plan says; their bytes do not change.

A decision that binds users' data. Readers rely on `-of-N`: TFDS's {SHARD_X_OF_Y} has one N per split, audits expect N files,
trainers glob `train-*-of-00010`. None of them would read new shards under a second prefix, or with another N. So N is raised
for all shards of a split: a rename on disks, a copy within the store and a deletion on object stores. The cost: a trainer that
opens its files by the old names in mid-epoch finds them missing (on a disk, those it has open stay readable), and there is no
dataset_info.json until the build has ended.

Killed at any moment, it can be started again, for the same plan or another: a shard's receipt, which has the fingerprint of its
content, is written under the new name first and removed under the old one last. So the receipt identifies a shard under a name
that no plan has, and a shard without a receipt was never finished.
"""

from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa

from imagerecords.schemas.output_files import INDEX, RECEIPTS, index_path, is_our_shard, parse_shard_name, receipt_path
from imagerecords.schemas.plan import PlannedShard
from imagerecords.schemas.receipt import COLUMNS
from imagerecords.tasks.dataset.receipts import read_receipt, receipt_fingerprint, write_receipt
from imagerecords.tasks.storage.folders import Folder

REMOTE_MOVES = 16  # shards renamed at once on object stores, where each takes six round trips


@dataclass(frozen=True)
class Present:
    """The names of the shards with a file, with an index and with a receipt in an output."""

    files: frozenset[str]
    indexes: frozenset[str]
    receipts: frozenset[str]

    @property
    def all(self) -> list[str]:
        """Every name with a file, an index or a receipt, sorted."""
        return sorted(self.files | self.indexes | self.receipts)


def present_shards(output: Folder) -> Present:
    """The shards of an output, whole or in part."""
    files = frozenset(filter(is_our_shard, output.files()))
    indexes, receipts = (_shards_in(output.files(directory)) for directory in (INDEX, RECEIPTS))
    return Present(files, indexes, receipts)


def renamed_shards(output: Folder, existing: Iterable[PlannedShard], present: Present) -> dict[str, PlannedShard]:
    """The shards of an output's plan (`existing`), by each name under which they are present.

    That is the plan's name, and names with another number of shards whose receipt has the shard's fingerprint.
    """
    shards: dict[tuple[str, int], PlannedShard] = {(shard.split, shard.index): shard for shard in existing}
    found: dict[str, PlannedShard] = {}
    for name in present.all:
        parts = parse_shard_name(name)
        shard = shards.get((parts.prefix, parts.index)) if parts else None
        if shard and (name == shard.name or (name in present.receipts and _is_receipt_of(output, name, shard))):
            found[name] = shard
    return found


def renumber_shards(output: Folder, planned: Iterable[PlannedShard], existing: Iterable[PlannedShard]) -> None:
    """Rename the shards of an output's plan (`existing`) as the new plan names them; it may be the same plan."""
    names = {(shard.split, shard.index): shard.name for shard in planned}
    present = present_shards(output)
    moves: defaultdict[str, list[tuple[str, PlannedShard]]] = defaultdict(list)
    for old, shard in renamed_shards(output, existing, present).items():
        if old != (new := names[shard.split, shard.index]):
            moves[new].append((old, shard))

    def move_all(new: str) -> None:
        for old, shard in moves[new]:
            _move(output, present, (old, new), shard.fingerprint)

    with ThreadPoolExecutor(1 if output.is_local else REMOTE_MOVES) as threads:
        for _ in threads.map(move_all, moves):
            pass  # raises what a move raised


def _move(output: Folder, present: Present, names: tuple[str, str], fingerprint: str) -> None:
    """Move a shard's file, index and receipt; one without a receipt was not finished, so its file and index are removed."""
    old, new = names
    receipt = read_receipt(output, old) if old in present.receipts else None
    if receipt is None or receipt_fingerprint(receipt) != fingerprint:
        output.remove(old)
        output.remove(index_path(old))
    else:
        position = COLUMNS.get_field_index("shard")
        shard = pa.array([new] * receipt.num_rows, pa.string())
        write_receipt(output, new, fingerprint, receipt.set_column(position, COLUMNS.field(position), shard))
        if old in present.files:
            output.move(old, new)
        if old in present.indexes:
            output.move(index_path(old), index_path(new))
    output.remove(receipt_path(old))


def _is_receipt_of(output: Folder, name: str, shard: PlannedShard) -> bool:
    receipt = read_receipt(output, name)
    return receipt is not None and receipt_fingerprint(receipt) == shard.fingerprint


def _shards_in(files: list[str]) -> frozenset[str]:
    return frozenset(filter(is_our_shard, (name.rpartition(".")[0] for name in files)))
