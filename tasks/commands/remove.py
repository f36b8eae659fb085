"""remove: remove images from a finished data set, with all their bytes.

Only the shards that contain them are rewritten, from their own records, so the source is not needed. The images' rows stay in
the manifest, rejected with the reason `removed`, so that every image is still accounted for. Order: write the list of removals,
remove dataset_info.json, write for each shard its file, index and receipt, then the manifest, the files beside it and the data
card if there was one, and dataset_info.json last. If it is killed, running it again, or the build with the same settings, gives
the same result.
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
from imagerecords.tasks.dataset.findings_file import write_findings
from imagerecords.tasks.dataset.plan_file import read_plan_header, read_whole_plan
from imagerecords.tasks.dataset.receipts import read_receipt, write_receipt
from imagerecords.tasks.dataset.removals import REMOVED_MESSAGE, Removals, holds_any, read_removals, write_removals
from imagerecords.tasks.dataset.shard_check import verify_shard
from imagerecords.tasks.findings.find import find_and_list
from imagerecords.tasks.records.frames import read_frames
from imagerecords.tasks.records.writer import RecordWriter
from imagerecords.tasks.storage.folders import Folder, open_folder, sweep_unfinished
from imagerecords.tasks.storage.lock import STALE_SECONDS, output_lock

KEPT = ("split", "shard", "path", "label", "text", "labels", "texts", "source_size", "sha256")  # of a removed image's row
NAMES_OF_IMAGES = "Names are paths (train/cat/1.jpg), file names or SHA-256, as imagerecords locate takes them"
LISTED = 5  # images that an error names for one name


def remove_images(url: str, names: Iterable[str], storage_options: Mapping[str, Any]) -> Removal:
    """Remove the named images (paths, file names or hashes) from a data set built by imagerecords.

    A full hash stands for all images that have it. Raises BadInput, before anything is written, with a line for each name of no
    image or of several; CorruptRecord when a shard differs from its receipt.
    """
    output = open_folder(url, storage_options)
    if not (output.exists(PLAN) and output.exists(MANIFEST)):
        raise BadInput(f"remove needs {MANIFEST} and {PLAN}, as the build wrote them, and one is missing: {url}")
    with output_lock(output, STALE_SECONDS) as lock:
        try:
            removals = read_removals(output)
            if not (removals.unfinished or output.exists(DATASET_INFO)):
                raise BadInput(
                    f"remove needs a complete data set, and {DATASET_INFO} is missing: {url}. Finish its build first"
                )
            chosen = _resolve(read_catalogue(output), names, url)
            images = tuple(sorted(f"{row['split']}/{row['path']}" for row in chosen if row["status"] == WRITTEN))
            already = tuple(sorted(f"{row['split']}/{row['path']}" for row in chosen if row["status"] != WRITTEN))
            shards = [shard for shard, _ in read_whole_plan(output)]
            if images:
                _write_list(output, removals, shards, chosen)
            elif not removals.unfinished:
                return Removal((), already, (), "")
            output.remove(DATASET_INFO)
            verified, rewritten = _remove_records(output, shards, removals)
            lock.check()
            digest = _complete(output, verified, storage_options)
            write_removals(output, Removals(unfinished=False, paths=removals.paths))
            return Removal(images, already, tuple(rewritten), digest)
        finally:
            sweep_unfinished(output)


def _resolve(catalogue: pa.Table, names: Iterable[str], url: str) -> list[dict[str, Any]]:
    """The catalogue's rows that match the names, each once."""
    known, problems = Names(catalogue), []
    chosen: dict[tuple[str, str], dict[str, Any]] = {}
    for name in names:
        try:
            rows = catalogue.filter(known.rows(name)).to_pylist()
        except BadInput as error:
            problems.append(str(error))
            continue
        is_hash = any(name.strip().lower() in (row["sha256"], row["encoded_sha256"]) for row in rows)
        if not rows:
            problems.append(f"a name to remove must be an image's, got {name!r}: {url}. {NAMES_OF_IMAGES}")
        elif len(rows) > 1 and not is_hash:
            which = some([f"{row['split']}/{row['path']}" for row in rows], LISTED)
            problems.append(
                f"a name to remove must be that of one image, got {name!r} of {len(rows):,}: {which}. Give its path"
            )
        chosen |= {(row["split"], row["path"]): row for row in rows}
    if problems:
        raise BadInput("\n".join(problems))
    return list(chosen.values())


def _write_list(output: Folder, removals: Removals, shards: list[Shard], chosen: list[dict[str, Any]]) -> None:
    """Add the images to the list of removals, before any of them is removed."""
    fingerprints = {shard.name: shard.fingerprint for shard in shards}
    for row in chosen:
        if row["status"] == WRITTEN:
            removals.add(fingerprints[row["shard"]], row["path"])
    removals.unfinished = True
    write_removals(output, removals)


def _remove_records(output: Folder, shards: list[Shard], removals: Removals) -> tuple[list[VerifiedShard], list[str]]:
    """The result of verifying every shard, and the names of the rewritten ones."""
    header, digests = read_plan_header(output), _digests(output)
    verified, rewritten = [], []
    for shard in shards:
        receipt = read_receipt(output, shard.name)
        if receipt is None:
            raise CorruptRecord(f"a shard has no receipt: {output.join(shard.name)}. Run the build again")
        removed = set(removals.paths.get(shard.fingerprint, ()))
        if removed and holds_any(receipt, removed):
            verified.append(_rewrite(output, shard, receipt, removed, header))
            rewritten.append(shard.name)
        else:
            verified.append(_unchanged(shard, receipt, digests) or verify_shard(output, shard, receipt, header))
    return verified, rewritten


def _complete(output: Folder, verified: list[VerifiedShard], storage_options: Mapping[str, Any]) -> str:
    """Make the data set complete again, with a data card if it had one; returns its digest."""
    accounts = write_manifest(output, verified)
    write_files_beside(output, accounts)
    findings, listed = find_and_list(output)
    write_findings(output, listed)
    if output.exists(REPORT):
        from imagerecords.tasks.data_card.gather import write_report  # slow: it imports what draws charts

        write_report(output, Outcome(True, findings=findings, digest=accounts.digest), storage_options)
    write_dataset_info(output, accounts)
    return accounts.digest


def _rewrite(output: Folder, shard: Shard, receipt: pa.Table, removed: set[str], header: PlanHeader) -> VerifiedShard:
    """Rewrite a shard without the removed images, and verify it; a stopped removal may have written its file already."""
    reduced = _without(receipt, removed)
    if output.fs.size(output.join(shard.name)) != (pc.sum(reduced["size"]).as_py() or 0):
        _write_without(output, shard, receipt, removed)
    places = zip(reduced["offset"].drop_null().to_pylist(), reduced["size"].drop_null().to_pylist(), strict=True)
    output.write(index_path(shard.name), index_text(places).encode())
    verified = verify_shard(output, shard, reduced, header)
    write_receipt(output, shard.name, shard.fingerprint, reduced)
    return verified


def _write_without(output: Folder, shard: Shard, receipt: pa.Table, removed: set[str]) -> None:
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
                    f"a shard differs from its receipt: {frame.problem or 'another record'} in {where}. Run imagerecords audit"
                )
            if row["path"] not in removed:
                writer.append(frame.data)
            count += 1
        if count != len(rows):
            raise CorruptRecord(
                f"a shard must have {plural(len(rows), 'record')}, got {count:,}: {output.join(shard.name)}. Audit the folder"
            )


def _without(receipt: pa.Table, removed: set[str]) -> pa.Table:
    """A receipt after the removal: the removed images' rows are rejected, and the others' places moved up."""
    rows, record, offset = [], 0, 0
    for row in receipt.to_pylist():
        if row["status"] == WRITTEN and row["path"] in removed:
            kept = {name: row[name] for name in KEPT}
            rows.append({**kept, "status": REJECTED, "reason": Reason.REMOVED.value, "message": REMOVED_MESSAGE})
        elif row["status"] == WRITTEN:
            rows.append({**row, "record": record, "offset": offset})
            record += 1
            offset += row["size"]
        else:
            rows.append(row)
    return pa.Table.from_pylist(rows, COLUMNS.with_metadata(receipt.schema.metadata))


def _digests(output: Folder) -> dict[str, ListedFile]:
    """The shards' entries in croissant.json; none where it is missing or damaged: then the shards are read instead."""
    try:
        return read_croissant(output)
    except (FileNotFoundError, CorruptRecord):
        return {}


def _unchanged(shard: Shard, receipt: pa.Table, digests: dict[str, ListedFile]) -> VerifiedShard | None:
    """The result for a shard of the size in croissant.json, which is unchanged: each removal makes a shard smaller."""
    size = pc.sum(receipt["size"]).as_py() or 0
    listed = digests.get(shard.name)
    records = receipt.num_rows - receipt["record"].null_count
    return VerifiedShard(shard.name, records, size, listed.sha256) if listed and listed.size == f"{size} B" else None
