"""remove: take images out of a finished data set, so that nothing of their bytes is left in it.

Only the shards that hold them are written anew, from their own records, so the source is not needed. The images' rows stay in
the manifest, rejected with the reason `removed`: the books still balance. Order: the list of removals first, dataset_info.json
away, then for each shard its file, index and receipt, then manifest, sidecars and the data card if there was one, and
dataset_info.json last. Killed at any moment and run again, or built again with the same settings, it comes to the same end.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.data_card import Outcome
from imagerecords.schemas.errors import BadInput, CorruptRecord
from imagerecords.schemas.frame import OVERHEAD
from imagerecords.schemas.messages import plural, some
from imagerecords.schemas.output_files import DATASET_INFO, MANIFEST, PLAN, REPORT, index_path, index_text
from imagerecords.schemas.plan import PlanHeader, Shard
from imagerecords.schemas.receipt import COLUMNS, REJECTED, WRITTEN, Reason, VerifiedShard
from imagerecords.schemas.results import Removal
from imagerecords.tasks.commands.catalogue import read_catalogue
from imagerecords.tasks.commands.locate import Names
from imagerecords.tasks.dataset.completion import write_dataset_info, write_files_beside, write_manifest
from imagerecords.tasks.dataset.croissant import ListedFile, read_croissant
from imagerecords.tasks.dataset.plan_file import read_plan_header, read_whole_plan
from imagerecords.tasks.dataset.receipts import read_receipt, write_receipt
from imagerecords.tasks.dataset.removals import REMOVED_MESSAGE, Removals, holds_any, read_removals, write_removals
from imagerecords.tasks.dataset.shard_check import verify_shard
from imagerecords.tasks.findings.find import find
from imagerecords.tasks.records.frames import read_frames
from imagerecords.tasks.records.writer import RecordWriter
from imagerecords.tasks.storage.folders import Folder, open_folder, sweep_unfinished
from imagerecords.tasks.storage.lock import STALE_SECONDS, output_lock

KEPT = ("split", "shard", "path", "label", "text", "source_size", "sha256")  # of a removed image's row
TOLD = 5  # of the images that a name may mean


def remove_images(url: str, names: Iterable[str], storage_options: Mapping[str, Any]) -> Removal:
    """Take the named images (paths, file names or hashes) out of a data set of ours.

    A full hash means all images that have it. Raises BadInput, before anything is touched, for names that mean no image or
    several, all at once; CorruptRecord when a shard is not what its receipt says.
    """
    output = open_folder(url, storage_options)
    if not (output.exists(PLAN) and output.exists(MANIFEST)):
        raise BadInput(f"a data set to remove from must have {MANIFEST} and {PLAN}, as build wrote them, got none: {url}")
    with output_lock(output, STALE_SECONDS) as lock:
        try:
            removals = read_removals(output)
            if not (removals.unfinished or output.exists(DATASET_INFO)):
                raise BadInput(f"a data set to remove from must be complete, got none of {DATASET_INFO}: {url}. Build it first")
            chosen = _resolve(read_catalogue(output), names, url)
            images = tuple(sorted(f"{row['split']}/{row['path']}" for row in chosen if row["status"] == WRITTEN))
            already = tuple(sorted(f"{row['split']}/{row['path']}" for row in chosen if row["status"] != WRITTEN))
            shards = [shard for shard, _ in read_whole_plan(output)]
            if images:
                _note(output, removals, shards, chosen)
            elif not removals.unfinished:
                return Removal((), already, (), "")
            output.remove(DATASET_INFO)
            verified, written = _take_out(output, shards, removals)
            lock.check()
            digest = _complete(output, verified, storage_options)
            write_removals(output, Removals(unfinished=False, paths=removals.paths))
            return Removal(images, already, tuple(written), digest)
        finally:
            sweep_unfinished(output)


def _resolve(catalogue: pa.Table, names: Iterable[str], url: str) -> list[dict[str, Any]]:
    """The catalogue's rows that the names mean, each once."""
    known, problems = Names(catalogue), []
    chosen: dict[tuple[str, str], dict[str, Any]] = {}
    for name in names:
        try:
            rows = catalogue.filter(known.rows(name)).to_pylist()
        except BadInput as error:
            problems.append(str(error))
            continue
        is_hash = any(name.lower() in (row["sha256"], row["encoded_sha256"]) for row in rows)
        if not rows:
            problems.append(f"each name to remove must be an image's, got {name!r}, which is none's: {url}")
        elif len(rows) > 1 and not is_hash:
            which = some([f"{row['split']}/{row['path']}" for row in rows], TOLD)
            problems.append(f"each name to remove must be one image's, got {name!r} of {len(rows)}: {which}. Give its path")
        chosen |= {(row["split"], row["path"]): row for row in rows}
    if problems:
        raise BadInput("\n".join(problems))
    return list(chosen.values())


def _note(output: Folder, removals: Removals, shards: list[Shard], chosen: list[dict[str, Any]]) -> None:
    """Write down what goes, before it does."""
    fingerprints = {shard.name: shard.fingerprint for shard in shards}
    for row in chosen:
        if row["status"] == WRITTEN:
            removals.add(fingerprints[row["shard"]], row["path"])
    removals.unfinished = True
    write_removals(output, removals)


def _take_out(output: Folder, shards: list[Shard], removals: Removals) -> tuple[list[VerifiedShard], list[str]]:
    """A verified on every shard, and the names of those written anew."""
    header, digests = read_plan_header(output), _digests(output)
    verified, written = [], []
    for shard in shards:
        receipt = read_receipt(output, shard.name)
        if receipt is None:
            raise CorruptRecord(f"a shard must have a receipt, got none: {output.join(shard.name)}. Run the build again")
        gone = set(removals.paths.get(shard.fingerprint, ()))
        if gone and holds_any(receipt, gone):
            verified.append(_rewrite(output, shard, receipt, gone, header))
            written.append(shard.name)
        else:
            verified.append(_known(shard, receipt, digests) or verify_shard(output, shard, receipt, header))
    return verified, written


def _complete(output: Folder, verified: list[VerifiedShard], storage_options: Mapping[str, Any]) -> str:
    """Make the data set complete again, with a data card if it had one; returns its digest."""
    accounts = write_manifest(output, verified)
    write_files_beside(output, accounts)
    if output.exists(REPORT):
        from imagerecords.tasks.data_card.gather import write_report  # with all that it draws by

        write_report(output, Outcome(True, findings=find(output), digest=accounts.digest), storage_options)
    write_dataset_info(output, accounts)
    return accounts.digest


def _rewrite(output: Folder, shard: Shard, receipt: pa.Table, gone: set[str], header: PlanHeader) -> VerifiedShard:
    """The verified on a shard without the images that go. Its file may be written already, by a removal that was stopped."""
    reduced = _without(receipt, gone)
    if output.fs.size(output.join(shard.name)) != (pc.sum(reduced["size"]).as_py() or 0):
        _write_without(output, shard, receipt, gone)
    places = zip(reduced["offset"].drop_null().to_pylist(), reduced["size"].drop_null().to_pylist(), strict=True)
    output.write(index_path(shard.name), index_text(places).encode())
    verified = verify_shard(output, shard, reduced, header)
    write_receipt(output, shard.name, shard.fingerprint, reduced)
    return verified


def _write_without(output: Folder, shard: Shard, receipt: pa.Table, gone: set[str]) -> None:
    rows = receipt.filter(pc.equal(receipt["status"], WRITTEN)).select(["path", "offset", "size", "crc32c"]).to_pylist()
    count = 0
    with output.open(shard.name) as source, output.write_whole(shard.name) as target:
        writer = RecordWriter(target)
        for frame in read_frames(source, resume=False):
            row = rows[frame.number] if frame.number < len(rows) else {}
            place = frame.offset, len(frame.data) + OVERHEAD, frame.crc
            if frame.problem or place != (row.get("offset"), row.get("size"), row.get("crc32c")):
                where = f"record {frame.number} at byte {frame.offset}: {output.join(shard.name)}"
                raise CorruptRecord(
                    f"a shard must be as its receipt says, got {frame.problem or 'another record'} in {where}. Audit it"
                )
            if row["path"] not in gone:
                writer.append(frame.data)
            count += 1
        if count != len(rows):
            raise CorruptRecord(
                f"a shard must hold {plural(len(rows), 'record')}, got {count}: {output.join(shard.name)}. Audit it"
            )


def _without(receipt: pa.Table, gone: set[str]) -> pa.Table:
    """A receipt after images went: their rows rejected, and the others' places moved up."""
    rows, record, offset = [], 0, 0
    for row in receipt.to_pylist():
        if row["status"] == WRITTEN and row["path"] in gone:
            kept = {name: row[name] for name in KEPT}
            rows.append({**kept, "status": REJECTED, "reason": Reason.REMOVED.value, "message": REMOVED_MESSAGE})
        elif row["status"] == WRITTEN:
            rows.append({**row, "record": record, "offset": offset})
            record += 1
            offset += row["size"]
        else:
            rows.append(row)
    return pa.Table.from_pylist(rows, COLUMNS)


def _digests(output: Folder) -> dict[str, ListedFile]:
    """What croissant.json says of the shards; nothing where there is none, or a damaged one: the shards are read then."""
    try:
        return read_croissant(output)
    except (FileNotFoundError, CorruptRecord):
        return {}


def _known(shard: Shard, receipt: pa.Table, digests: dict[str, ListedFile]) -> VerifiedShard | None:
    """The verified on a shard that nothing was taken out of since croissant.json was written: each removal makes it smaller."""
    size = pc.sum(receipt["size"]).as_py() or 0
    listed = digests.get(shard.name)
    records = receipt.num_rows - receipt["record"].null_count
    return VerifiedShard(shard.name, records, size, listed.sha256) if listed and listed.size == f"{size} B" else None
