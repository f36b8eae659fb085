"""The images of a finished data set: from its manifest, or, in a folder without one, from the records themselves."""

import hashlib
import io
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.catalogue import CATALOGUE
from schemas.errors import BadInput, CorruptRecord
from schemas.frame import OVERHEAD
from schemas.layout import MANIFEST
from schemas.receipt import WRITTEN
from schemas.splits import SPLITS
from tasks.audit.record import ENCODED, FILENAME, LABEL, TEXT, one, picture_format
from tasks.audit.sidecars import NUMBERED
from tasks.audit.together import label_names
from tasks.interrupt import check_interrupt
from tasks.records.compressed import Inflated, compression_of
from tasks.records.features import Features, read_features
from tasks.records.files import START, record_files
from tasks.records.frames import Readable, read_frames
from tasks.storage.folders import Folder, open_folder

ENDINGS = {"JPEG": ".jpg", "PNG": ".png", "GIF": ".gif", "BMP": ".bmp", "WEBP": ".webp", "TIFF": ".tiff"}


def open_dataset(url: str, storage_options: Mapping[str, Any]) -> Folder:
    """The folder of a finished data set; raises BadInput where there is none."""
    folder = open_folder(url, storage_options)
    if folder.fs.isfile(folder.path) or (MANIFEST not in folder.files() and not record_files(folder)[0]):
        raise BadInput(f"a data set must be a folder with {MANIFEST} or TFRecord files, got none: {url}. Check the path")
    return folder


def read_catalogue(folder: Folder) -> pa.Table:
    """The data set's images, in the columns of CATALOGUE."""
    if MANIFEST in folder.files():
        try:
            return pq.read_table(io.BytesIO(folder.read(MANIFEST)), columns=CATALOGUE.names).combine_chunks()
        except (pa.ArrowException, OSError) as error:
            what = " ".join(str(error).split())
            raise CorruptRecord(f"a manifest must be readable, got: {what}: {folder.join(MANIFEST)}. Run audit") from error
    names, _ = record_files(folder)
    rows = [row for name in names for row in _scan(folder, name)]
    texts = _texts(folder, rows)
    for row in rows:
        if row["text"] is None:
            row["text"] = texts.get(row["label"])
    return pa.Table.from_pylist(rows, CATALOGUE)


def read_records_at(folder: Folder, shard: str, offsets: Collection[int]) -> Iterator[tuple[int, Features]]:
    """The offset and features of the records that begin at these offsets, front to back.

    Raises CorruptRecord where one of them is not sound, or not there.
    """
    left = set(offsets)
    with folder.open(shard) as file:
        for frame in read_frames(_inflated(file)):
            check_interrupt()
            if not left:
                return
            if frame.offset not in left:
                continue
            try:
                features = None if frame.fault else read_features(frame.data)
            except ValueError:
                features = None
            if features is None:
                where = f"record {frame.number} at byte {frame.offset}"
                raise CorruptRecord(f"{where} must be sound, got a broken one: {folder.join(shard)}. Run audit")
            left.discard(frame.offset)
            yield frame.offset, features
    if left:
        raise CorruptRecord(f"a record must begin at byte {min(left)}, got none: {folder.join(shard)}. Run audit")


def image_name(features: Features, shard: str, record: int) -> str:
    """The file name that a record tells, as it is; or one of its place where it tells none."""
    told = one(features, FILENAME, bytes) or b""
    encoded = one(features, ENCODED, bytes) or b""
    return told.decode("utf-8", "replace") or f"{shard}-{record:06d}{ENDINGS.get(picture_format(encoded), '.bin')}"


def _scan(folder: Folder, name: str) -> Iterator[dict[str, Any]]:
    """A row a sound record of a file; broken ones are audit's to tell."""
    split = _split(name)
    with folder.open(name) as file:
        for frame in read_frames(_inflated(file)):
            check_interrupt()
            if frame.fault:
                continue
            try:
                features = read_features(frame.data)
            except ValueError:
                continue
            text, encoded = one(features, TEXT, bytes), one(features, ENCODED, bytes)
            yield {
                "split": split,
                "shard": name,
                "path": image_name(features, name, frame.number),
                "label": one(features, LABEL, int),
                "text": None if text is None else text.decode("utf-8", "replace"),
                "status": WRITTEN,
                "record": frame.number,
                "offset": frame.offset,
                "size": len(frame.data) + OVERHEAD,
                "encoded_sha256": None if encoded is None else hashlib.sha256(encoded).hexdigest(),
            }


def _inflated(file: BinaryIO) -> Readable:
    kind = compression_of(file.read(START))
    file.seek(0)
    return Inflated(file) if kind else file


def _split(name: str) -> str:
    """The split that a file's name tells: one of our words in it, or what stands before its number."""
    words = re.split(r"[-_.]", name)
    told = [split for split in SPLITS if split in words]
    match = NUMBERED.fullmatch(name)
    return told[0] if told else (match["before"] if match else name.partition(".")[0]).rstrip("-_.")


def _texts(folder: Folder, rows: list[dict[str, Any]]) -> dict[int, str]:
    """The labels' texts from the file beside the records that tells them, for records that tell none."""
    names = label_names(folder, set(folder.files()), ours=False)
    return names.by_id((row["label"], row["text"]) for row in rows if row["label"] is not None) if names else {}
