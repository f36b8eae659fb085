"""What the files beside the records say, against what was found: indexes, dataset_info.json."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from imagerecords.schemas.audit import AuditProblem
from imagerecords.schemas.frame import OVERHEAD
from imagerecords.schemas.messages import plural
from imagerecords.schemas.output_files import DATASET_INFO, index_path, index_text
from imagerecords.tasks.audit.file import FileAudit
from imagerecords.tasks.storage.folders import Folder

TFDS_TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"


def index_problems(folder: Folder, audit: FileAudit, present: set[str], required: bool) -> Iterable[AuditProblem]:
    """Where a file's byte index, in DALI's format, is missing (and should not be) or leads elsewhere."""
    paths = [path for path in (index_path(audit.name), f"{audit.name}.idx") if path in present]
    if required and not paths:
        yield AuditProblem(index_path(audit.name), None, None, "is missing")
    for path in paths:
        lines = folder.read(path).decode("ascii", "replace").splitlines()
        if lines != index_text(audit.places).splitlines():
            yield AuditProblem(path, None, None, f"does not agree with the records of {audit.name}")


def info_problems(info: dict[str, Any], audits: Mapping[str, FileAudit]) -> list[AuditProblem]:
    """Where TFDS's dataset_info.json tells other counts than its files have, or is not made as TFDS makes it."""
    try:
        return list(_info_problems(info, audits))
    except (ValueError, TypeError, AttributeError) as error:
        return [AuditProblem(DATASET_INFO, None, None, f"must be as TFDS writes it, got {type(error).__name__}: {error}")]


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
                yield AuditProblem(name, None, None, f"is missing, and {DATASET_INFO} tells of it")
            elif len(audits[name].places) != length:
                yield AuditProblem(
                    name, None, None, f"holds {plural(len(audits[name].places), 'record')}, {DATASET_INFO} tells {length}"
                )
        yield from _size_problems(split, [audits[name] for name in names if name in audits], len(names))


def _size_problems(split: dict[str, Any], audits: list[FileAudit], count: int) -> Iterable[AuditProblem]:
    """NumBytes is the size of the files, or of what is in their records: TFDS counts these."""
    if len(audits) < count or "numBytes" not in split:
        return
    framed = sum(size for audit in audits for _, size in audit.places)
    bare = framed - OVERHEAD * sum(len(audit.places) for audit in audits)
    if int(split["numBytes"]) not in (framed, bare):
        problem = f"tells {split['numBytes']} bytes of {split.get('name')}, its records have {framed}"
        yield AuditProblem(DATASET_INFO, None, None, problem)


def read_json(folder: Folder, name: str) -> tuple[dict[str, Any], list[AuditProblem]]:
    """A JSON file's object; empty, with a problem, when it is none."""
    try:
        content = json.loads(folder.read(name))
        if isinstance(content, dict):
            return content, []
        problem = f"a {type(content).__name__}"
    except ValueError as error:
        problem = str(error)
    return {}, [AuditProblem(name, None, None, f"must hold a JSON object, got {problem}")]
