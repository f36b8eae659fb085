"""The files beside the records, compared with the records: indexes, dataset_info.json."""

from collections.abc import Iterable, Mapping
from typing import Any

from imagerecords.schemas.audit import AuditProblem
from imagerecords.schemas.frame import OVERHEAD
from imagerecords.schemas.json_text import parse_json
from imagerecords.schemas.messages import plural
from imagerecords.schemas.output_files import DATASET_INFO, index_path, index_text
from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.audit.file import FileAudit
from imagerecords.tasks.storage.folders import Folder

TFDS_TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"


def index_problems(folder: Folder, audit: FileAudit, present: set[str], required: bool) -> Iterable[AuditProblem]:
    """Where a file's byte index, in DALI's format, is missing though required, or does not agree."""
    paths = [path for path in (index_path(audit.name), f"{audit.name}.idx") if path in present]
    if required and not paths:
        yield AuditProblem(index_path(audit.name), None, None, "is missing")
    for path in paths:
        lines = folder.read(path).decode("ascii", "replace").splitlines()
        if lines != index_text(audit.places).splitlines():
            yield AuditProblem(path, None, None, f"does not agree with the records of {audit.name}")


def info_problems(info: dict[str, Any], audits: Mapping[str, FileAudit]) -> list[AuditProblem]:
    """Where TFDS's dataset_info.json has other counts than the files, or another structure than TFDS writes."""
    try:
        return list(_info_problems(info, audits))
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        return [AuditProblem(DATASET_INFO, None, None, f"must be as TFDS writes it, got {plain_words(error)}")]


def _info_problems(info: dict[str, Any], audits: Mapping[str, FileAudit]) -> Iterable[AuditProblem]:
    if info.get("fileFormat", "tfrecord") != "tfrecord":
        return
    for split in info.get("splits", []):
        lengths = [int(length) for length in split.get("shardLengths", [])]
        template = split.get("filepathTemplate") or info.get("filepathTemplate") or TFDS_TEMPLATE
        parts = {"{DATASET}": str(info.get("name")), "{SPLIT}": str(split.get("name")), "{FILEFORMAT}": "tfrecord"}
        for part, value in parts.items():
            template = template.replace(part, value)
        names = [template.replace("{SHARD_X_OF_Y}", f"{index:05d}-of-{len(lengths):05d}") for index in range(len(lengths))]
        if any("{" in name for name in names):  # a template that only TFDS knows to fill
            continue
        for name, length in zip(names, lengths, strict=True):
            if name not in audits:
                yield AuditProblem(name, None, None, f"is missing, but in {DATASET_INFO}")
            elif len(audits[name].places) != length:
                there = plural(len(audits[name].places), "record")
                yield AuditProblem(name, None, None, f"has {there}, {length:,} according to {DATASET_INFO}")
        yield from _size_problems(split, [audits[name] for name in names if name in audits], len(names))


def _size_problems(split: dict[str, Any], audits: list[FileAudit], count: int) -> Iterable[AuditProblem]:
    """Where numBytes is the size neither of the files, nor of the data in their records, which TFDS counts."""
    if len(audits) < count or "numBytes" not in split:
        return
    framed = sum(size for audit in audits for _, size in audit.places)
    bare = framed - OVERHEAD * sum(len(audit.places) for audit in audits)
    if int(split["numBytes"]) not in (framed, bare):
        problem = f"has numBytes {split['numBytes']} for {split.get('name')}, its records have {framed}"
        yield AuditProblem(DATASET_INFO, None, None, problem)


def read_json(folder: Folder, name: str) -> tuple[dict[str, Any], list[AuditProblem]]:
    """The object in a JSON file; empty, with a problem, when there is none."""
    try:
        content = parse_json(folder.read(name))
        if isinstance(content, dict):
            return content, []
        problem = f"a {type(content).__name__}"
    except ValueError as error:
        problem = str(error)
    return {}, [AuditProblem(name, None, None, f"must hold a JSON object, got {problem}")]
