"""Checks of data sets built by imagerecords alone: the manifest's rows, and files that must be there and agree."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.audit import AuditProblem
from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.example import Feature, contract
from imagerecords.schemas.messages import plural
from imagerecords.schemas.output_files import (
    CLASS_LABELS,
    CROISSANT,
    DATASET_INFO,
    FEATURES,
    FINDINGS,
    LABEL_MAP,
    LABELS,
    MANIFEST,
    OBJECT_CLASS_LABELS,
    OBJECT_LABELS,
)
from imagerecords.tasks.audit.file import FileAudit, ManifestRows
from imagerecords.tasks.dataset.findings_file import read_findings
from imagerecords.tasks.dataset.labels_file import read_labels
from imagerecords.tasks.dataset.manifest import extras_of, manifest_sha256, read_manifest
from imagerecords.tasks.dataset.tfds import class_labels_text
from imagerecords.tasks.storage.folders import Folder

COLUMNS = [
    "split",
    "shard",
    "label",
    "text",
    "labels",
    "texts",
    "path",
    "record",
    "offset",
    "size",
    "crc32c",
    "height",
    "width",
    "boxes",
]


@dataclass(frozen=True)
class Manifest:
    """The rows of written images by shard, the features that records must have, and the SHA-256, empty if not computed."""

    shards: dict[str, pa.Table]
    promised: Mapping[str, Feature]
    sha256: str

    def rows_of(self, shard: str) -> ManifestRows | None:
        """The rows of a shard; None for a file that is no shard of the manifest."""
        if shard not in self.shards:
            return None
        return ManifestRows({row["offset"]: row for row in self.shards[shard].to_pylist()}, self.promised)


def missing_shard_problems(folder: Folder, present: set[str]) -> Iterable[AuditProblem]:
    """Missing files of a complete data set, and label names for TFDS that differ from labels.txt."""
    if DATASET_INFO not in present:
        yield AuditProblem(DATASET_INFO, None, None, "is missing: the data set is unfinished. Run its build again")
        return
    for name in (MANIFEST, LABELS, CLASS_LABELS, FEATURES, CROISSANT):
        if name not in present:
            yield AuditProblem(name, None, None, "is missing")
    for names, labels in ((CLASS_LABELS, LABELS), (OBJECT_CLASS_LABELS, OBJECT_LABELS)):
        if {labels, names} <= present and folder.read(names) != class_labels_text(read_labels(folder, labels)):
            yield AuditProblem(names, None, None, f"does not have the labels of {labels}")
        elif labels == OBJECT_LABELS and (labels in present) != (names in present):
            yield AuditProblem(names if labels in present else labels, None, None, "is missing")


def shard_problems(manifest: Manifest, audits: Iterable[FileAudit]) -> Iterable[AuditProblem]:
    """Shards of the manifest that are missing, and files with records that the manifest does not list."""
    holding = {audit.name: bool(audit.places) for audit in audits}
    for name in sorted(manifest.shards.keys() - holding.keys()):
        yield AuditProblem(name, None, None, "is missing, but in the manifest")
    for name, holds in sorted(holding.items()):
        if holds and name not in manifest.shards:  # a shard of no images has no rows
            yield AuditProblem(name, None, None, "is no shard of the manifest")


def digest_problems(folder: Folder, digests: Mapping[str, str], manifest: Manifest) -> Iterable[AuditProblem]:
    """Shards without a digest in croissant.json, and a manifest or label map with another digest there."""
    for name in (LABEL_MAP, OBJECT_LABELS):
        if name in digests:
            yield from _listed_file_problems(folder, name, digests[name])
    listed = digests.get(MANIFEST)
    if listed and manifest.sha256 and listed != manifest.sha256:
        yield AuditProblem(MANIFEST, None, None, f"has SHA-256 {manifest.sha256}, {listed} according to {CROISSANT}")
    for name in sorted(manifest.shards.keys() - digests.keys()):
        yield AuditProblem(CROISSANT, None, None, f"has no SHA-256 of {name}")


def _listed_file_problems(folder: Folder, name: str, listed: str) -> Iterable[AuditProblem]:
    if not folder.exists(name):
        yield AuditProblem(name, None, None, "is missing")
    elif (sha256 := hashlib.sha256(folder.read(name)).hexdigest()) != listed:
        yield AuditProblem(name, None, None, f"has SHA-256 {sha256}, {listed} according to {CROISSANT}")


def findings_problems(folder: Folder, manifest: Manifest) -> Iterable[AuditProblem]:
    """Whether findings.parquet can't be read, or names images that the manifest does not have there."""
    try:
        found = read_findings(folder)
    except (CorruptRecord, OSError) as error:
        yield AuditProblem(FINDINGS, None, None, f"can't be read: {' '.join(str(error.__cause__ or error).split())}")
        return
    written = [_keys(rows, pa.array([name] * len(rows), pa.string())) for name, rows in manifest.shards.items()]
    known = pa.chunked_array([chunk for keys in written for chunk in keys.chunks], pa.string()).combine_chunks()
    unknown = len(found) - (pc.sum(pc.is_in(_keys(found, found["shard"]), value_set=known)).as_py() or 0)
    if unknown:
        yield AuditProblem(FINDINGS, None, None, f"names {plural(unknown, 'record')} that the manifest does not have")


def _keys(rows: pa.Table, shard: pa.ChunkedArray) -> pa.ChunkedArray:
    """A text per row for the place of its record and its path."""
    keys = pc.binary_join_element_wise(shard, pc.cast(rows["record"], pa.string()), rows["path"].cast(pa.string()), "/")
    return keys if isinstance(keys, pa.ChunkedArray) else pa.chunked_array([keys], pa.string())


def read_by_shard(folder: Folder, digests: bool) -> tuple[Manifest | None, list[AuditProblem]]:
    """The manifest's written rows by shard; None and a problem when it can't be read."""
    columns = [*COLUMNS, "encoded_sha256"] if digests else COLUMNS
    try:
        table = read_manifest(folder, columns)
        sha256 = manifest_sha256(folder) if digests else ""
    except (CorruptRecord, OSError) as error:
        return None, [AuditProblem(MANIFEST, None, None, f"can't be read: {' '.join(str(error.__cause__ or error).split())}")]
    names = table["shard"].unique().to_pylist()
    places = pc.index_in(table["shard"], pa.array(names, pa.string())).to_numpy()
    order = np.argsort(places, kind="stable")
    ordered, ends = table.take(order), np.cumsum(np.bincount(places, minlength=len(names)))
    starts = [0, *ends.tolist()][: len(names)]
    slices = {name: ordered.slice(start, end - start) for name, start, end in zip(names, starts, ends.tolist(), strict=True)}
    written = {name: rows.filter(pc.is_valid(rows["record"])) for name, rows in slices.items()}
    return Manifest(written, contract(extras_of(table)), sha256), []
