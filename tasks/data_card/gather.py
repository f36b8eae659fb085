"""The data card of a folder of TFRecord files: gathered from its manifest, or from its records where it has none.

A decision: the page depends on the data set alone, so `imagerecords report` writes the same bytes as the build. Only pictures
of rejected images are read from the input, if it is still there.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from imagerecords.schemas.data_card import Outcome, Report
from imagerecords.schemas.findings import Findings
from imagerecords.schemas.output_files import BUILD, CROISSANT, DATASET_INFO, MANIFEST, REPORT, is_our_shard
from imagerecords.schemas.plan import PlanHeader
from imagerecords.tasks.data_card.gallery import draft_duplicates, draft_extremes, draft_quality, draft_rejected, illustrate
from imagerecords.tasks.data_card.histograms import label_charts, label_rows, metric_charts, split_summaries
from imagerecords.tasks.data_card.page import render
from imagerecords.tasks.data_card.rows import has_all_columns, read_rows
from imagerecords.tasks.data_card.sheets import make_sheets
from imagerecords.tasks.dataset.croissant import read_croissant
from imagerecords.tasks.dataset.digest import dataset_digest
from imagerecords.tasks.dataset.plan_file import read_plan_header
from imagerecords.tasks.findings.find import find
from imagerecords.tasks.storage.folders import Folder, open_folder, sweep_unfinished
from imagerecords.tasks.storage.lock import STALE_SECONDS, output_lock


def write_report(output: Folder, outcome: Outcome, storage_options: Mapping[str, Any]) -> None:
    """Write the data card of an output whose manifest is written."""
    output.write(REPORT, render(gather(output, outcome, storage_options)))


def make_report(url: str, storage_options: Mapping[str, Any]) -> bytes:
    """The data card of any folder of TFRecord files. Raises BadLayout where there are none."""
    folder = open_folder(url, storage_options)
    return render(gather(folder, read_outcome(folder), storage_options))


def put_report(url: str, storage_options: Mapping[str, Any], page: bytes) -> None:
    """Write a data card into a folder. Raises OutputLocked while a build writes there.

    In a folder of another program nothing else is left.
    """
    folder = open_folder(url, storage_options)
    with output_lock(folder, STALE_SECONDS):
        folder.write(REPORT, page)
        sweep_unfinished(folder)
    if folder.is_local:
        with contextlib.suppress(OSError):  # not empty: it has a build's files
            os.rmdir(folder.join(BUILD))


def read_outcome(folder: Folder) -> Outcome:
    """How the build of a folder ended, from its files."""
    files = folder.files()
    findings = find(folder) if MANIFEST in files and has_all_columns(folder) else Findings()
    if not {MANIFEST, DATASET_INFO, CROISSANT}.issubset(files):
        return Outcome(DATASET_INFO in files, findings=findings)
    shards = ((name, file.sha256) for name, file in read_croissant(folder).items() if is_our_shard(name))
    return Outcome(True, findings=findings, digest=dataset_digest(shards))


def gather(folder: Folder, outcome: Outcome, storage_options: Mapping[str, Any]) -> Report:
    """The content of the data card."""
    rows = read_rows(folder)
    has_manifest = rows.wide is None
    header = _read_header(folder) if has_manifest else None
    splits = split_summaries(rows.narrow)
    names = [split.split for split in splits]
    labels = label_rows(rows.narrow, names)
    written = rows.narrow.take(rows.written())
    return Report(
        outcome=outcome,
        has_manifest=has_manifest,
        splits=splits,
        labels=labels,
        label_charts=tuple(label_charts(labels, names)),
        metric_charts=tuple(metric_charts(written, names)),
        sheets=make_sheets(rows, written, labels),
        problems=illustrate(
            [
                draft_rejected(rows, _inputs(header, names, storage_options)),
                *draft_duplicates(rows, written, outcome.findings),
                *draft_quality(rows, written, outcome.findings),
                *draft_extremes(rows, written, outcome.findings.counts),
            ]
        ),
        skipped=header.skipped if header else {},
        boxes=tuple(reason.line() for reason in header.boxes.reasons) if header and header.boxes else (),
        settings=_settings(header) if header else {},
        version=header.version if header else "",
    )


def _read_header(folder: Folder) -> PlanHeader | None:
    """The plan's header, where _build/ is still there and this version can read it."""
    with contextlib.suppress(FileNotFoundError, ValueError, KeyError, OSError, pa.ArrowException):
        return read_plan_header(folder)
    return None


def _inputs(header: PlanHeader | None, splits: list[str], storage_options: Mapping[str, Any]) -> dict[str, Folder]:
    """The input's folder of each split, where there is a plan."""
    if header is None:
        return {}
    roots = {split: header.roots.get(split) or header.roots.get("data") for split in splits}
    return {split: open_folder(root, storage_options) for split, root in roots.items() if root}


def _settings(header: PlanHeader) -> dict[str, str]:
    """The settings that decide content and layout, as text."""
    return {name: _recorded(value) for name, value in sorted((header.layout | header.content).items())}


def _recorded(value: Any) -> str:
    if value is None:
        return "not set"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
