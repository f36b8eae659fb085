"""Where each record of a data set is, for reading by number: from its manifest, or, in a folder without one, from its files.

Columns are NumPy and Arrow arrays: a million records take some 100 MB less than as Python objects, are pickled in a moment, and
forked workers that read them copy no memory.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.errors import BadInput, CorruptRecord, Incomplete
from imagerecords.schemas.messages import plural, some
from imagerecords.schemas.output_files import BUILD, DATASET_INFO, MANIFEST
from imagerecords.schemas.receipt import REJECTED, WRITTEN
from imagerecords.tasks.dataset.label_columns import each_label, has_several
from imagerecords.tasks.dataset.labels_file import label_names
from imagerecords.tasks.dataset.manifest import read_manifest
from imagerecords.tasks.dataset.numbering import numbering_problems
from imagerecords.tasks.dataset.record_rows import read_rows_of_records
from imagerecords.tasks.records.files import is_compressed, record_files
from imagerecords.tasks.records.random_access import Place
from imagerecords.tasks.storage.folders import Folder

COLUMNS = [
    "split",
    "shard",
    "path",
    "label",
    "text",
    "labels",
    "texts",
    "status",
    "message",
    "record",
    "offset",
    "size",
    "crc32c",
    "height",
    "width",
]
UNKNOWN = -1
WHOLE = ("files", "path", "several")  # fields of Places that a slice does not cut as arrays
LISTED = 5  # files that an error names

Numbers = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Places:
    """The records of a split or of a part of one, one entry per record; `file` is an index into `files`.

    `label` (the first of `several`), `height` and `width` (pixels) are -1 where they are not known. `crc` is the masked CRC32C
    of the record's data.
    """

    files: tuple[str, ...]
    file: Numbers
    record: Numbers
    offset: Numbers
    size: Numbers
    crc: Numbers
    label: Numbers
    height: Numbers
    width: Numbers
    path: pa.Array
    several: bool = False

    def __len__(self) -> int:
        return len(self.offset)

    def __getitem__(self, numbers: slice) -> "Places":
        """The part that a slice selects."""
        columns = {field.name: getattr(self, field.name)[numbers] for field in fields(self) if field.name not in WHOLE}
        # Taken, not sliced: pickling a slice of an Arrow array pickles the whole.
        path = self.path.take(pa.array(np.arange(len(self))[numbers]))
        return Places(files=self.files, path=path, several=self.several, **columns)

    @classmethod
    def joined(cls, parts: Sequence["Places"]) -> "Places":
        """The records of all parts, one part after the other."""
        starts = itertools.accumulate((len(part.files) for part in parts), initial=0)
        file = np.concatenate([part.file + start for part, start in zip(parts, starts, strict=False)])
        names = [field.name for field in fields(cls) if field.name not in (*WHOLE, "file")]
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return cls(
            files=tuple(name for part in parts for name in part.files),
            file=file,
            path=pa.concat_arrays([part.path for part in parts]),
            several=any(part.several for part in parts),
            **columns,
        )

    def place(self, number: int) -> tuple[str, Place]:
        """The file of a record, and where it is in there."""
        columns = self.record, self.offset, self.size, self.crc
        return self.files[self.file[number]], Place(*(int(column[number]) for column in columns))

    def spans(self, most: int) -> Iterator[tuple[int, int]]:
        """Ranges of records, in order, that are neighbours in one file: each of at most `most` bytes, or of one record."""
        ends = self.offset + self.size
        adjacent = ((self.offset[1:] == ends[:-1]) & (self.file[1:] == self.file[:-1])).tolist()
        start = total = 0
        for number, size in enumerate(self.size.tolist()):
            if number and not (adjacent[number - 1] and total + size <= most):
                yield start, number
                start, total = number, 0
            total += size
        if len(self):
            yield start, len(self)

    def runs(self) -> Iterator[tuple[str, int, int]]:
        """File, first record's number in it, and count, of each run of consecutive records of one file."""
        follows = (self.record[1:] == self.record[:-1] + 1) & (self.file[1:] == self.file[:-1])
        bounds = [0, *(np.flatnonzero(~follows) + 1).tolist(), len(self)] if len(self) else []
        for start, stop in itertools.pairwise(bounds):
            yield self.files[self.file[start]], int(self.record[start]), stop - start


@dataclass(frozen=True, eq=False)
class Found:
    """The records of a data set by split, and the names of its labels by id, in the order of ids."""

    places: dict[str, Places]
    labels: dict[int, str]


def find_places(folder: Folder) -> Found:
    """Where all records are.

    Raises Incomplete where a build is not finished or files are missing, CorruptRecord where a file is not as long as the
    manifest says or, without a manifest, holds a broken record, and BadInput for files compressed as a whole.
    """
    present = set(folder.files())
    if MANIFEST in present:
        rows = read_manifest(folder, COLUMNS)
        rows = rows.filter(pc.equal(rows["status"], WRITTEN))
        _refuse_wrong_files(folder, rows)
    else:
        rows = _read_files(folder)
    return Found(_by_split(rows), _labels(folder, rows, present))


def refuse_unfinished(folder: Folder) -> None:
    """Raise Incomplete where a build has begun and not written dataset_info.json."""
    if not folder.exists(DATASET_INFO) and folder.files(BUILD):
        raise Incomplete(
            f"the data set is not complete, since {DATASET_INFO} is missing: {folder.url}. Its build is still "
            "running, was interrupted or ended with an error: wait for it, or build again"
        )


def _refuse_wrong_files(folder: Folder, rows: pa.Table) -> None:
    """Each file of the manifest must be there and end with its last record."""
    listed = folder.fs.ls(folder.path, detail=True)
    sizes = {entry["name"].rstrip("/").rpartition("/")[2]: entry["size"] for entry in listed if entry["type"] != "directory"}
    ends = rows.append_column("end", pc.add(rows["offset"], rows["size"])).group_by("shard").aggregate([("end", "max")])
    expected = dict(zip(ends["shard"].to_pylist(), ends["end_max"].to_pylist(), strict=True))
    missing = sorted(expected.keys() - sizes.keys())
    if missing:
        raise Incomplete(
            f"{len(missing):,} of {plural(len(expected), 'file')} of the manifest are missing: {folder.url}: "
            f"{some(missing, LISTED)}. Restore them, or build again"
        )
    for name, end in sorted(expected.items()):
        if sizes[name] != end:
            raise CorruptRecord(
                f"a file must have the {end:,} bytes of its records in the manifest, got {sizes[name]:,}: {folder.join(name)}. "
                "Restore the file that belongs to the manifest, or build again"
            )


def _read_files(folder: Folder) -> pa.Table:
    """The rows of a folder without a manifest; every record is read for them."""
    names, _ = record_files(folder)
    problems = [f"{problem.file} {problem.problem}" for problem in numbering_problems(names)]
    if problems:
        raise Incomplete(
            f"the numbers in the files' names do not match the files: {folder.url}: {some(problems, LISTED)}. Restore them"
        )
    for name in names:
        if is_compressed(folder, name):
            raise BadInput(
                f"a file must not be compressed as a whole for its records to be read by number, got: {folder.join(name)}. "
                "Decompress it (gunzip), or read it with tf.data.TFRecordDataset"
            )
    rows = read_rows_of_records(folder, names)
    broken = rows.filter(pc.equal(rows["status"], REJECTED)).to_pylist()
    if broken:
        first = broken[0]
        raise CorruptRecord(
            f"{len(broken):,} of {plural(len(rows), 'record')} are broken. First: {first['path']}: {first['message']}: "
            f"{folder.url}. Run imagerecords audit on the folder"
        )
    return rows


def _by_split(rows: pa.Table) -> dict[str, Places]:
    splits = rows["split"].unique().to_pylist()
    return {split: _places(rows.filter(pc.equal(rows["split"], split))) for split in splits}


def _places(rows: pa.Table) -> Places:
    names = rows["shard"].combine_chunks().dictionary_encode()
    if isinstance(names, pa.ChunkedArray):  # pyarrow gives one or the other, by version
        names = names.combine_chunks()
    numbers = {
        name: pc.fill_null(rows[name], UNKNOWN).to_numpy() for name in ("record", "offset", "size", "label", "height", "width")
    }
    path = pa.concat_arrays([pa.array([], pa.large_string()), *rows["path"].cast(pa.large_string()).chunks])
    return Places(
        files=tuple(names.dictionary.to_pylist()),
        file=names.indices.to_numpy(),
        crc=rows["crc32c"].to_numpy(),
        path=path,
        several=has_several(rows),
        **numbers,
    )


def _labels(folder: Folder, rows: pa.Table, present: set[str]) -> dict[int, str]:
    """The labels' names by id: of the file beside the records, else of the records, else the ids themselves."""
    by_label, _ = each_label(rows)
    pairs = by_label.select(["label", "text"]).group_by(["label", "text"]).aggregate([]).to_pylist()
    in_records = [(pair["label"], pair["text"]) for pair in pairs if pair["label"] is not None]
    names = label_names(folder, present, ours=MANIFEST in present)
    by_id = names.by_id(in_records) if names else {}
    for label, text in in_records:
        by_id.setdefault(label, str(label) if text is None else text)
    return dict(sorted(by_id.items()))
