"""renumber: the shards of a data set that has grown get the names that its plan gives them, their bytes untouched.

A decision that binds users' data. Every reader takes `-of-N` at its word: TFDS's {SHARD_X_OF_Y} has one N a split, audits look
for N files, trainers glob `train-*-of-00010`. New shards under a second prefix, or with an N for each generation, would
be read by none of them. So N is raised for all shards of a split: a rename on disks, a copy within the store and a
deletion on object stores. What that costs: a trainer that opens its files by the old names in mid-epoch finds them gone
(on a disk, those it has open stay readable), and dataset_info.json is away until the build has ended.

Killed at any moment, it can be begun again, towards the same plan or another: a shard's receipt, which holds the fingerprint
of its content, is written under the new name first and removed under the old one last. So a shard under a name that no plan
knows is known by its receipt, and one without a receipt was never finished.
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
    """The names of shards that have a file, an index, a receipt in an output."""

    files: frozenset[str]
    indexes: frozenset[str]
    receipts: frozenset[str]

    @property
    def all(self) -> list[str]:
        """Every name of which there is something, sorted."""
        return sorted(self.files | self.indexes | self.receipts)


def present_shards(output: Folder) -> Present:
    """What there is of shards in an output."""
    files = frozenset(filter(is_our_shard, output.files()))
    indexes, receipts = (_shards_in(output.files(directory)) for directory in (INDEX, RECEIPTS))
    return Present(files, indexes, receipts)


def renamed_shards(output: Folder, lying: Iterable[PlannedShard], present: Present) -> dict[str, PlannedShard]:
    """The shards of the plan that lies in an output, by each name under which there is something of them.

    That is the plan's name, and names with another number of shards under which a receipt has the shard's fingerprint.
    """
    shards: dict[tuple[str, int], PlannedShard] = {(shard.split, shard.index): shard for shard in lying}
    found: dict[str, PlannedShard] = {}
    for name in present.all:
        parts = parse_shard_name(name)
        shard = shards.get((parts.prefix, parts.index)) if parts else None
        if shard and (name == shard.name or (name in present.receipts and _is_receipt_of(output, name, shard))):
            found[name] = shard
    return found


def renumber_shards(output: Folder, planned: Iterable[PlannedShard], lying: Iterable[PlannedShard]) -> None:
    """Bring the shards of the plan that lies in an output under the names of another that has them too, or of the same."""
    names = {(shard.split, shard.index): shard.name for shard in planned}
    present = present_shards(output)
    moves: defaultdict[str, list[tuple[str, PlannedShard]]] = defaultdict(list)
    for old, shard in renamed_shards(output, lying, present).items():
        if old != (new := names[shard.split, shard.index]):
            moves[new].append((old, shard))

    def move_all(new: str) -> None:
        for old, shard in moves[new]:
            _move(output, present, (old, new), shard.fingerprint)

    with ThreadPoolExecutor(1 if output.is_local else REMOTE_MOVES) as threads:
        for _ in threads.map(move_all, moves):
            pass  # raises what a move raised


def _move(output: Folder, present: Present, names: tuple[str, str], fingerprint: str) -> None:
    """Move a shard's file, index and receipt; one without a receipt was not finished, and what is left of it is removed."""
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
