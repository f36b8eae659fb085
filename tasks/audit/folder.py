"""audit: read any folder of TFRecord files, and report every problem by file, record number and byte offset.

A data set built by imagerecords must be all that a build promises; others only what any classic data set is: sound frames and
Examples, images of the format and size that their record says, one text per label, complete numbering, and agreement with the
files beside.

Files are read by threads: digests and decoders release the interpreter, and the rest takes some 40 µs per record.
"""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from imagerecords.schemas.audit import Audit, AuditOptions, AuditProblem
from imagerecords.schemas.cancellation import stop_when
from imagerecords.schemas.errors import BadLayout, BadSettings
from imagerecords.schemas.messages import plural, some
from imagerecords.schemas.output_files import CROISSANT, DATASET_INFO, FINDINGS, INDEX, MANIFEST, PLAN
from imagerecords.tasks.audit.consistency import label_notes, label_problems, merge, shape_notes, shape_problems
from imagerecords.tasks.audit.file import FileAudit, audit_file
from imagerecords.tasks.audit.manifest import (
    Manifest,
    digest_problems,
    findings_problems,
    missing_shard_problems,
    read_by_shard,
    shard_problems,
)
from imagerecords.tasks.audit.sidecars import index_problems, info_problems, read_json
from imagerecords.tasks.audit.tensorflow import tensorflow_problems
from imagerecords.tasks.dataset.croissant import listed_files
from imagerecords.tasks.dataset.labels_file import LabelNames, label_names
from imagerecords.tasks.dataset.numbering import numbering_problems
from imagerecords.tasks.records.files import folders_with_records, record_files
from imagerecords.tasks.sources.input_files import beside
from imagerecords.tasks.storage.folders import Folder, open_folder
from imagerecords.tasks.storage.processors import usable_processors

ALL = AuditOptions()


def _quietly(done: int, files: int) -> None:
    """Show nothing."""


def audit_folder(
    url: str,
    storage_options: Mapping[str, Any],
    options: AuditOptions = ALL,
    show: Callable[[int, int], object] = _quietly,
) -> Audit:
    """The audit of all TFRecord files right in a folder, or of one file; `show` gets how many files are done, of how many.

    Raises BadLayout where there is none, and BadSettings without the TensorFlow that the options ask for.
    """
    if options.tensorflow and find_spec("tensorflow") is None:
        raise BadSettings(
            "tensorflow must be off where TensorFlow is not installed, got on. Run pip install tensorflow, or drop it: every "
            "record is read without it too"
        )
    folder = open_folder(url, storage_options)
    if folder.fs.isfile(folder.path):
        folder, name = beside(url.rstrip("/"), storage_options)
        audits = list(_audit_files(folder, [name], None, {}, _Options(options, show)))
        return _result(audits, [], [], None)
    names, others = record_files(folder)
    present = {*folder.files(), *(f"{INDEX}/{name}" for name in folder.files(INDEX))}
    if not names and MANIFEST not in present:
        raise BadLayout(
            f"a folder to audit must hold TFRecord files (train-00000-of-00008, *.tfrecord), got none: {url}. "
            f"{folders_with_records(folder)}"
        )
    notes = [f"skipped, not TFRecord files: {', '.join(others)}"] if others else []
    return _audit_folder(folder, names, present, _Options(options, show), notes)


@dataclass(frozen=True)
class _Options:
    """What is audited how, and what is shown of it."""

    audit: AuditOptions
    show: Callable[[int, int], object]


def _audit_folder(folder: Folder, names: list[str], present: set[str], options: _Options, notes: list[str]) -> Audit:
    ours = MANIFEST in present
    manifest, problems = read_by_shard(folder, options.audit.digests) if ours else (None, [])
    contents = {}
    for name in (DATASET_INFO, CROISSANT):
        contents[name], found = read_json(folder, name) if name in present else ({}, [])
        problems += found
    digests = {name: file.sha256 for name, file in listed_files(contents[CROISSANT]).items()}
    audits = list(_audit_files(folder, names, manifest, digests, options))
    for audit in audits:
        problems += index_problems(folder, audit, present, required=manifest is not None and audit.name in manifest.shards)
    if ours or folder.exists(PLAN):
        problems += missing_shard_problems(folder, present)
    if manifest:
        problems += shard_problems(manifest, audits)
        problems += digest_problems(folder, digests, manifest) if CROISSANT in present else []
        problems += findings_problems(folder, manifest) if FINDINGS in present else []
    named = {problem.file for problem in problems}  # a missing file is reported once, however many files list it
    for problem in (
        *info_problems(contents[DATASET_INFO], {audit.name: audit for audit in audits}),
        *numbering_problems(names),
    ):
        if problem.file not in named or not problem.problem.startswith("is missing"):
            problems.append(problem)
            named.add(problem.file)
    lists = {key for key, feature in manifest.promised.items() if feature.is_list} if manifest else set()
    return _result(audits, problems, notes, label_names(folder, present, ours), lists)


def _audit_files(
    folder: Folder, names: list[str], manifest: Manifest | None, digests: Mapping[str, str], chosen: _Options
) -> Iterator[FileAudit]:
    options = chosen.audit
    stop = threading.Event()

    def audit(name: str) -> FileAudit:
        stop_when(stop)
        return audit_file(folder, name, manifest.rows_of(name) if manifest else None, options, digests.get(name, ""))

    threads = ThreadPoolExecutor(options.workers or usable_processors())
    try:
        chosen.show(0, len(names))
        for done, result in enumerate(threads.map(audit, names), start=1):
            chosen.show(done, len(names))
            if options.tensorflow and not result.problems:
                result.problems += tensorflow_problems(folder, result)
            yield result
    finally:
        stop.set()
        threads.shutdown(wait=False, cancel_futures=True)


def _result(
    audits: list[FileAudit],
    problems: list[AuditProblem],
    notes: list[str],
    names: LabelNames | None,
    lists: Collection[str] = (),
) -> Audit:
    totals = merge(audits)
    in_files = [problem for audit in audits for problem in audit.problems]
    empty = [audit.name for audit in audits if not audit.places and not audit.problems]
    if audits and len(empty) == len(audits):
        problems = [*problems, *(AuditProblem(name, None, None, "has no record") for name in empty)]
    elif empty:
        notes = [*notes, f"{plural(len(empty), 'file')} without a record: {some(empty)}"]
    return Audit(
        files=len(audits),
        records=sum(len(audit.places) for audit in audits),
        bytes=sum(size for audit in audits for _, size in audit.places),
        skipped_bytes=sum(audit.skipped for audit in audits),
        problems=(*in_files, *problems, *shape_problems(totals, lists), *label_problems(totals, names)),
        notes=(*notes, *_file_notes(audits), *shape_notes(totals), *label_notes(totals)),
    )


def _file_notes(audits: list[FileAudit]) -> Iterable[str]:
    kinds = Counter(audit.compression for audit in audits if audit.compression)
    for kind, count in sorted(kinds.items()):
        of_all = f"{count:,} of {plural(len(audits), 'file')}"
        yield f"compressed ({kind}): {of_all}; readers need this as an option, and offsets are those of the decompressed bytes"
    odd: Counter[str] = sum((audit.odd for audit in audits), Counter())
    for what, count in sorted(odd.items()):
        yield f"{plural(count, 'record')} with {what}"
