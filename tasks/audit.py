"""audit: read any folder of TFRecord files, ours or not, and name every fault by file, record number and byte offset."""

import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.errors import BadLayout
from schemas.example import Feature, contract
from schemas.frame import OVERHEAD
from schemas.layout import DATASET_INFO, MANIFEST, index_path, index_text, parse_shard_name
from schemas.plan import EXTRAS_KEY
from tasks.records import Record, parse_example, read_records
from tasks.storage import Folder, open_folder
from tasks.validate import contract_problems

RECORD_ENDINGS = (".tfrecord", ".tfrecords")
Place = tuple[int, int, int]  # a record's offset, framed size and masked CRC


@dataclass(frozen=True)
class Fault:
    """What is wrong, and where; `record` and `offset` are None when a whole file is meant."""

    file: str
    record: int | None
    offset: int | None
    problem: str

    def __str__(self) -> str:
        where = "" if self.record is None else f" record {self.record} at byte {self.offset}:"
        return f"{self.file}:{where} {self.problem}"


@dataclass(frozen=True)
class Told:
    """What the manifest tells of a file: where its records stand, and the features of each."""

    places: list[Place]
    promised: Mapping[str, Feature]


@dataclass(frozen=True)
class Audit:
    """What an audit read and found."""

    files: int
    records: int
    bytes: int
    faults: tuple[Fault, ...]


def audit_folder(url: str, storage_options: Mapping[str, Any]) -> Audit:
    """The audit of all TFRecord files right in a folder, or of one file. Raises BadLayout where there is none."""
    folder = open_folder(url, storage_options)
    if folder.fs.isfile(folder.path):
        parent, _, name = folder.path.rpartition("/")
        return _audit(Folder(parent, folder.fs, parent), [name], None, [])
    files = folder.files()
    names = [name for name in files if parse_shard_name(name) or name.endswith(RECORD_ENDINGS)]
    if MANIFEST in files:
        manifest, faults = _read_manifest(folder)
        if DATASET_INFO not in files:
            faults.append(Fault(DATASET_INFO, None, None, "is missing: the data set is not complete"))
        shards = manifest["shard"].unique().to_pylist() if manifest is not None else []
        missing = sorted(set(shards) - set(names))
        faults += [Fault(name, None, None, "is missing, and the manifest tells of it") for name in missing]
        return _audit(folder, names, manifest, faults)
    if not names:
        raise BadLayout(
            f"a folder to audit must hold TFRecord files (train-00000-of-00008, *.tfrecord), got none: {url}. Check the path"
        )
    return _audit(folder, names, None, list(_missing_shards(names)))


def _audit(folder: Folder, names: list[str], manifest: pa.Table | None, faults: list[Fault]) -> Audit:
    records = size = 0
    for name in names:
        count, length, found = _audit_file(folder, name, None if manifest is None else _told(manifest, name))
        records += count
        size += length
        faults += found
    return Audit(len(names), records, size, tuple(faults))


def _read_manifest(folder: Folder) -> tuple[pa.Table | None, list[Fault]]:
    """The manifest's columns that tell where records stand; None and a fault when it can't be read."""
    columns = ["shard", "record", "offset", "size", "crc32c"]
    try:
        return pq.read_table(io.BytesIO(folder.read(MANIFEST)), columns=columns), []
    except (pa.ArrowException, OSError) as error:
        return None, [Fault(MANIFEST, None, None, f"can't be read: {' '.join(str(error).split())}")]


def _told(manifest: pa.Table, name: str) -> Told:
    """What the manifest tells of a shard."""
    written = pc.and_(pc.equal(manifest["shard"], name), pc.is_valid(manifest["record"]))
    rows = manifest.filter(written).sort_by("record")
    places = list(zip(*(rows[column].to_pylist() for column in ("offset", "size", "crc32c")), strict=True))
    extras = (manifest.schema.metadata or {}).get(EXTRAS_KEY, b"").decode()
    return Told(places, contract(tuple(filter(None, extras.split(",")))))


def _missing_shards(names: list[str]) -> Iterable[Fault]:
    """Numbers that `-of-N` promises and no file has."""
    numbers: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
    for parts in filter(None, map(parse_shard_name, names)):
        numbers[parts.prefix, parts.count].add(parts.index)
    for (prefix, count), present in sorted(numbers.items()):
        for index in sorted(set(range(count)) - present):
            yield Fault(f"{prefix}-{index:05d}-of-{count:05d}", None, None, "is missing")


def _audit_file(folder: Folder, name: str, told: Told | None) -> tuple[int, int, list[Fault]]:
    """The records of one file, their bytes, and the file's faults."""
    faults: list[Fault] = []
    places = []
    with folder.open(name) as file:
        for record in read_records(file):
            faults += [Fault(name, record.number, record.offset, problem) for problem in _record_problems(record, told)]
            places.append((record.offset, len(record.data) + OVERHEAD))
    if told is not None:
        if len(places) != len(told.places):
            faults.append(Fault(name, None, None, f"holds {len(places)} records, the manifest tells {len(told.places)}"))
        faults += _index_faults(folder, name, places)
    return len(places), sum(size for _, size in places), faults


def _record_problems(record: Record, told: Told | None) -> Iterable[str]:
    if record.fault:
        yield record.fault
        return
    try:
        features = parse_example(record.data)
    except ValueError as error:
        yield str(error)
        return
    if not features:
        yield "the Example has no features"
    if told is not None:
        yield from contract_problems(features, told.promised)
        place = record.offset, len(record.data) + OVERHEAD, record.crc
        if record.number < len(told.places) and told.places[record.number] != place:
            yield "is not the record that the manifest tells of"


def _index_faults(folder: Folder, name: str, places: list[tuple[int, int]]) -> Iterable[Fault]:
    path = index_path(name)
    try:
        index = folder.read(path).decode("ascii", "replace")
    except FileNotFoundError:
        yield Fault(path, None, None, "is missing")
        return
    if index != index_text(places):
        yield Fault(path, None, None, f"does not agree with the records of {name}")
