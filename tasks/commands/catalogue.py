"""The images of a finished data set: from its manifest, or, in a folder without one, from the records themselves."""

import shlex
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.cancellation import check_interrupt
from imagerecords.schemas.errors import BadInput, CorruptRecord
from imagerecords.schemas.messages import plural, some
from imagerecords.schemas.output_files import MANIFEST
from imagerecords.schemas.receipt import WRITTEN
from imagerecords.schemas.results import CATALOGUE
from imagerecords.tasks.dataset.manifest import read_manifest
from imagerecords.tasks.dataset.record_rows import read_rows_of_records
from imagerecords.tasks.records.compressed import inflated
from imagerecords.tasks.records.features import Features, read_features
from imagerecords.tasks.records.files import folders_with_records, record_files
from imagerecords.tasks.records.frames import read_frames
from imagerecords.tasks.storage.folders import Folder, open_folder


def open_dataset(url: str, storage_options: Mapping[str, Any]) -> Folder:
    """The folder of a finished data set; raises BadInput where there is none."""
    folder = open_folder(url, storage_options)
    refuse_no_dataset(folder)
    return folder


def refuse_no_dataset(folder: Folder) -> None:
    """Raise BadInput where a folder has neither a manifest nor TFRecord files."""
    if folder.fs.isfile(folder.path) or (MANIFEST not in folder.files() and not record_files(folder)[0]):
        remedy = folders_with_records(folder)
        raise BadInput(f"a data set must be a folder with {MANIFEST} or TFRecord files, got none: {folder.url}. {remedy}")


def read_catalogue(folder: Folder, report: Callable[[str], object] | None = None) -> pa.Table:
    """The data set's images, in the columns of CATALOGUE; `report` is called with a line on broken records, if there are any.

    Raises CorruptRecord when its manifest can't be read.
    """
    images, broken = read_images(folder)
    if broken and report is not None:
        audit = f"Run imagerecords audit {shlex.quote(folder.url)}"
        report(f"{plural(len(broken), 'broken record')} skipped: {some(broken)}: {folder.url}. {audit}")
    return images


def read_images(folder: Folder) -> tuple[pa.Table, list[str]]:
    """The same, and the places of broken records, in a folder without a manifest."""
    if MANIFEST in folder.files():
        return read_manifest(folder, CATALOGUE), []
    rows = read_rows_of_records(folder, record_files(folder)[0])
    is_sound = pc.equal(rows["status"], WRITTEN)
    return rows.filter(is_sound).select(CATALOGUE), rows.filter(pc.invert(is_sound))["path"].to_pylist()


def read_records_at(folder: Folder, shard: str, offsets: Collection[int]) -> Iterator[tuple[int, Features]]:
    """The offset and features of the records that begin at these offsets, front to back.

    Raises CorruptRecord where one of them is broken or missing.
    """
    left = set(offsets)
    with folder.open(shard) as file:
        for frame in read_frames(inflated(file)):
            check_interrupt()
            if not left:
                return
            if frame.offset not in left:
                continue
            try:
                features = None if frame.problem else read_features(frame.data)
            except ValueError:
                features = None
            if features is None:
                where = f"record {frame.number} at byte {frame.offset}"
                raise CorruptRecord(f"{where} is broken: {folder.join(shard)}. Run imagerecords audit on the folder")
            left.discard(frame.offset)
            yield frame.offset, features
    if left:
        raise CorruptRecord(f"no record begins at byte {min(left)}: {folder.join(shard)}. Run imagerecords audit on the folder")
