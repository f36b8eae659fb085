"""What earlier builds know of the images, gathered from receipts before the shards that it is about are replaced.

Receipts, not the manifest: each is sealed against damage, says under which settings and versions it was made, and is there
after a build that was killed. Of the output's own shards only records that differ from their source are kept, since all others
can be written from the source: copied on a local disk, where they take up the place of the re-encoded images until the
build is complete, and as whole shards within an object store, which moves no byte through this machine.
"""

import errno
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.errors import CorruptRecord, Incomplete, OutputConflict
from imagerecords.schemas.known import COLUMNS, Origin
from imagerecords.schemas.messages import plural, some
from imagerecords.schemas.output_files import DATASET_INFO, KNOWN, KNOWN_IMAGES, PLAN, RECEIPTS, is_our_shard
from imagerecords.schemas.plan import DROP, Plan
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.dataset.known_file import OUTPUT, KnownFile, read_known, remove_known, write_known
from imagerecords.tasks.dataset.known_rows import is_known, known_rows, receipt_origin
from imagerecords.tasks.dataset.plan_file import UNREADABLE, read_planned_shards, read_whole_plan
from imagerecords.tasks.dataset.receipts import read_receipt, receipt_fingerprint
from imagerecords.tasks.images.decoders import origin_now
from imagerecords.tasks.records.random_access import Place, RandomReader
from imagerecords.tasks.records.writer import RecordWriter
from imagerecords.tasks.storage.folders import Folder, open_folder, open_output

REMOTE_CALLS = 16  # receipts read, or shards copied, at once on object stores
NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


@dataclass
class _Earlier:
    """What the receipts of a data set give: rows of known images, and why others gave none."""

    url: str
    receipts: int = 0
    tables: list[pa.Table] = field(default_factory=list)
    damaged: int = 0
    without_origin: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def rows(self) -> pa.Table:
        """All rows."""
        return pa.concat_tables([COLUMNS.empty_table(), *self.tables]).combine_chunks()

    def notes(self) -> Iterator[str]:
        """What is known, and what is not used."""
        if not self.receipts:
            yield f"reuse: nothing is known from {self.url}, which has no receipts of imagerecords in {RECEIPTS}"
        if known := len(self.rows):
            yield f"reuse: {plural(known, 'image')} known from {self.url}; those with the same bytes are not decoded again"
        if self.damaged:
            yield f"reuse: {plural(self.damaged, 'receipt')} of {self.url} can't be read: their images are decoded again"
        if self.without_origin:
            yield (
                f"reuse: {plural(self.without_origin, 'shard')} of {self.url} of an earlier version, which did not record its "
                "decoders: their images are decoded again"
            )
        if self.differences:
            yield f"reuse: images of {self.url} are decoded again, since {some(self.differences)}"


def refuse_no_data_set(settings: BuildSettings) -> None:
    """Raise OutputConflict where `reuse_from` names a place without a data set of imagerecords."""
    for url in settings.reuse_from:
        folder = open_folder(url, settings.storage_options)
        if not (folder.exists(PLAN) or folder.exists(DATASET_INFO)):
            raise OutputConflict(
                f"reuse_from must name data sets of imagerecords, got a place without {PLAN} and {DATASET_INFO}: {url}. "
                "Correct it, or drop it"
            )


def keep_known(plan: Plan, foreign: list[str], settings: BuildSettings) -> tuple[str, ...]:
    """Write what is known to the output, before its `foreign` shards are replaced; returns notes on it.

    What a killed build has written there stays known.
    """
    output = open_output(settings)
    if not settings.reuse:
        remove_known(output)
        return ()
    origin = origin_now(settings)
    before = read_known(output)
    if before is not None and before.origin != origin:
        before = None
    earlier = [_read_earlier(output, origin, plan)] if foreign else []
    others = [_read_earlier(open_folder(url, settings.storage_options), origin) for url in _others(output, settings)]
    if not earlier and not others:
        if before is None:
            remove_known(output)
        return ()
    kept = before.rows if before else COLUMNS.empty_table()
    folders = list(before.folders if before else (OUTPUT,))
    tables, notes = [kept], []
    for each in earlier:
        rows, more = _with_kept_records(output, _new_rows(each.rows, kept), settings)
        tables.append(rows)
        notes += [*each.notes(), *more]
    for each in others:
        if each.url not in folders:
            folders.append(each.url)
        tables.append(_in_folder(each.rows, folders.index(each.url)))
        notes += each.notes()
    known = KnownFile(origin, tuple(folders), pa.concat_tables(tables))
    if known.rows.num_rows:
        write_known(output, known)
    return tuple(notes)


def expected_known(plan: Plan, settings: BuildSettings) -> tuple[int, int]:
    """How many images of a plan have the size and version of one that is known, and how many are to be converted.

    Only a guess at what a build will find: it goes by the SHA-256 of their bytes.
    """
    output = open_output(settings)
    present = _fingerprints(output)
    tables = [rows for shard, rows in zip(plan.shards, plan.tables(), strict=True) if shard.fingerprint not in present]
    images = pa.concat_tables(tables) if tables else plan.images.slice(0, 0)
    images = images.filter(pc.is_null(images[DROP.name]))
    if not settings.reuse or not images.num_rows:
        return 0, images.num_rows
    origin = origin_now(settings)
    folders = [open_folder(url, settings.storage_options) for url in _others(output, settings)]
    states = [state for folder in [output] * settings.overwrite + folders for state in _known_states(folder, origin)]
    if not states:
        return 0, images.num_rows
    known = pc.is_in(_states(images), value_set=pa.concat_arrays(states))
    return pc.sum(known).as_py() or 0, images.num_rows


def _others(output: Folder, settings: BuildSettings) -> list[str]:
    """The data sets of `reuse_from`, each once, without the output itself."""
    urls = {open_folder(url, settings.storage_options).canonical_url: url for url in settings.reuse_from}
    return [url for canonical, url in urls.items() if canonical != output.canonical_url]


def _fingerprints(output: Folder) -> set[str]:
    """The fingerprints of the shards in the output's plan; none where there is no plan."""
    try:
        return {shard.fingerprint for shard in read_planned_shards(output)[1]}
    except UNREADABLE:
        return set()


def _known_states(folder: Folder, origin: Origin) -> Iterator[pa.Array]:
    """The sizes and versions of known images, by shard; none of a data set whose plan can't be read."""
    try:
        for shard, planned in read_whole_plan(folder):
            receipt = read_receipt(folder, shard.name)
            if receipt is None or receipt_origin(receipt) != origin or not receipt["path"].equals(planned["path"]):
                continue
            yield _states(planned.filter(is_known(receipt, origin)))
    except UNREADABLE:
        return


def _states(images: pa.Table) -> pa.Array:
    """Size and version of each image in one text."""
    states = pc.binary_join_element_wise(images["size"].cast(pa.string()), images["version"], "/")
    return states.combine_chunks() if isinstance(states, pa.ChunkedArray) else states


def _read_earlier(folder: Folder, origin: Origin, plan: Plan | None = None) -> _Earlier:
    """What the receipts of a data set give; those of the plan's own shards give nothing, since convert reuses them whole."""
    earlier = _Earlier(folder.url)
    own = {shard.fingerprint for shard in plan.shards} if plan else set()
    names = [name for file in folder.files(RECEIPTS) if is_our_shard(name := file.rpartition(".")[0])]
    earlier.receipts = len(names)
    with ThreadPoolExecutor(1 if folder.is_local else REMOTE_CALLS) as threads:
        for receipt in threads.map(lambda name: read_receipt(folder, name), names):
            if receipt is None:
                earlier.damaged += 1
            elif receipt_fingerprint(receipt) in own:
                continue
            elif (its_origin := receipt_origin(receipt)) is None:
                earlier.without_origin += 1
            elif its_origin != origin:
                earlier.differences = earlier.differences or its_origin.differences(origin)
            else:
                earlier.tables.append(known_rows(receipt, origin, 0))
    return earlier


def _new_rows(rows: pa.Table, kept: pa.Table) -> pa.Table:
    """The rows of images that are not kept already."""
    return rows.filter(pc.invert(pc.is_in(rows["sha256"], value_set=kept["sha256"].combine_chunks())))


def _in_folder(rows: pa.Table, folder: int) -> pa.Table:
    """Rows with the index of their records' folder."""
    index = pc.if_else(pc.is_valid(rows["folder"]), pa.scalar(folder, pa.int32()), pa.scalar(None, pa.int32()))
    return rows.set_column(COLUMNS.get_field_index("folder"), COLUMNS.field("folder"), index)


def _with_kept_records(output: Folder, rows: pa.Table, settings: BuildSettings) -> tuple[pa.Table, list[str]]:
    """The rows of the output's shards with the places of their records' copies; those that can't be copied are dropped."""
    in_record = pc.is_valid(rows["file"])
    unchanged, others = rows.filter(pc.invert(in_record)), rows.filter(in_record)
    if not others.num_rows:
        return unchanged, []
    copied = _copied_records(output, others, settings) if output.is_local else _copied_shards(output, others)
    lost = others.num_rows - copied.num_rows
    note = f"reuse: {plural(lost, 'record')} of re-encoded images can't be kept: their images are decoded again"
    return pa.concat_tables([unchanged, copied]), [note] if lost else []


def _copied_records(output: Folder, rows: pa.Table, settings: BuildSettings) -> pa.Table:
    """The rows whose records were copied into one file; none where the disk has no space for it."""
    reader = RandomReader(output.url, settings.storage_options)
    name = f"{KNOWN}/{_free_name(output)}"
    copied = []
    try:
        with output.write_whole(name) as file:
            writer = RecordWriter(file)
            for row in rows.sort_by([("file", "ascending"), ("offset", "ascending")]).to_pylist():
                try:
                    (data,) = reader.read(row["file"], [Place(0, row["offset"], row["size"], row["crc32c"])])
                except (CorruptRecord, Incomplete):
                    continue
                copied.append(row | writer.append(data) | {"file": name})
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        return COLUMNS.empty_table()
    return pa.Table.from_pylist(copied, COLUMNS)


def _copied_shards(output: Folder, rows: pa.Table) -> pa.Table:
    """The rows whose shards the object store has copied."""
    prefix = _free_name(output)
    names = {shard: f"{KNOWN}/{prefix}-{number:05d}" for number, shard in enumerate(pc.unique(rows["file"]).to_pylist())}

    def is_copied(shard: str) -> bool:
        try:
            output.fs.cp_file(output.join(shard), output.join(names[shard]))
        except FileNotFoundError:
            return False
        return True

    with ThreadPoolExecutor(REMOTE_CALLS) as threads:
        copied = list(threads.map(is_copied, names))
    names = dict(itertools.compress(names.items(), copied))
    rows = rows.filter(pc.is_in(rows["file"], value_set=pa.array(list(names), pa.string())))
    files = pa.array([names[shard] for shard in rows["file"].to_pylist()], pa.string())
    return rows.set_column(COLUMNS.get_field_index("file"), COLUMNS.field("file"), files)


def _free_name(output: Folder) -> str:
    """A name under which no earlier build has kept records."""
    taken = {name.split("-")[1] for name in output.files(KNOWN) if name != KNOWN_IMAGES.rpartition("/")[2] and "-" in name}
    number = next(number for number in range(len(taken) + 1) if f"{number:05d}" not in taken)
    return f"records-{number:05d}"
