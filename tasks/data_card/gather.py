"""The data card of a folder of TFRecord files: gathered from its manifest, or from its records where it has none.

A decision: the page depends on the data set alone, so `imagerecords report` writes the same bytes as the build. Only pictures
of rejected images are read from the input, if it is still there.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from imagerecords.schemas.about import About
from imagerecords.schemas.data_card import Outcome, Picture, Problem, Report
from imagerecords.schemas.errors import CorruptRecord
from imagerecords.schemas.findings import Findings
from imagerecords.schemas.messages import plural
from imagerecords.schemas.output_files import ABOUT, BUILD, CROISSANT, DATASET_INFO, MANIFEST, REPORT, is_our_shard
from imagerecords.schemas.plan import PlanHeader
from imagerecords.tasks.data_card.drawn import Drawn, read_drawn
from imagerecords.tasks.data_card.gallery import (
    by_severity,
    duplicate_problems,
    label_problems,
    mislabel_problem,
    quality_problems,
    rejected_problem,
    shortcut_problem,
)
from imagerecords.tasks.data_card.histograms import size_points
from imagerecords.tasks.data_card.overview import Overview, count_all
from imagerecords.tasks.data_card.page import render
from imagerecords.tasks.data_card.rows import has_all_columns, read_rows
from imagerecords.tasks.data_card.shown import categories_of, make_pictures, metrics_of
from imagerecords.tasks.dataset.about_file import read_about
from imagerecords.tasks.dataset.croissant import read_croissant
from imagerecords.tasks.dataset.digest import dataset_digest
from imagerecords.tasks.dataset.label_columns import has_several
from imagerecords.tasks.dataset.plan_file import read_plan_header
from imagerecords.tasks.findings.find import find
from imagerecords.tasks.findings.mislabels import Suspects, find_mislabels
from imagerecords.tasks.findings.shortcuts import Shortcut, by_metric, by_name
from imagerecords.tasks.storage.folders import Folder, open_folder, sweep_unfinished
from imagerecords.tasks.storage.lock import STALE_SECONDS, output_lock


def write_report(output: Folder, outcome: Outcome, storage_options: Mapping[str, Any], *, reuse: bool = True) -> None:
    """Write the data card of an output whose manifest is written, with the pictures that its earlier card has, on `reuse`."""
    drawn = read_drawn(output) if reuse else {}
    output.write(REPORT, render(gather(output, outcome, storage_options, drawn)))


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


def gather(
    folder: Folder,
    outcome: Outcome,
    storage_options: Mapping[str, Any],
    drawn: Mapping[str, Drawn] = MappingProxyType({}),
) -> Report:
    """The content of the data card; pictures that are `drawn` already are not drawn again."""
    rows = read_rows(folder)
    has_manifest = rows.wide is None
    header = _read_header(folder) if has_manifest else None
    overview = count_all(rows)
    suspects = find_mislabels(overview.written)
    problems = by_severity(_problems(overview, outcome.findings, suspects))
    inputs = _inputs(header, overview.split_names, storage_options)
    pictures = make_pictures(overview, problems, inputs, drawn)
    shortcuts = shortcut_problem(overview, [*find_shortcuts(overview), *find_picture_shortcuts(pictures)], pictures)
    sizes, omitted = size_points(overview.written)
    return Report(
        outcome=outcome,
        has_manifest=has_manifest,
        splits=overview.splits,
        labels=overview.labels,
        charts=tuple(bars for _, bars in overview.charts),
        metrics=metrics_of(pictures, overview),
        sizes=sizes,
        omitted_sizes=omitted,
        categories=categories_of(pictures, overview.written),
        pictures=pictures,
        problems=by_severity([*problems, shortcuts]),
        hints=tuple(_hints(outcome.findings, suspects)),
        skipped=header.skipped if header else {},
        boxes=tuple(reason.line() for reason in header.boxes.reasons) if header and header.boxes else (),
        settings=_settings(header) if header else {},
        version=header.version if header else "",
        about=_about(folder),
    )


def _problems(overview: Overview, findings: Findings, suspects: Suspects) -> Iterator[Problem]:
    rows, written = overview.rows, overview.written
    yield rejected_problem(rows)
    yield from label_problems(overview.labels, overview.split_names)
    yield from duplicate_problems(rows, written, findings)
    yield from quality_problems(rows, written, findings)
    yield mislabel_problem(rows, suspects, overview.texts)


def find_shortcuts(overview: Overview) -> list[Shortcut]:
    """Labels that a metric or the file format separates from the others; none with one label, or several per image."""
    written = overview.written
    if has_several(written):
        return []
    label = written["label"].to_numpy()
    found = by_metric(label, {key: metric.values for key, metric in overview.metrics.items() if key != "boxes"})
    if "source_format" in written.column_names:
        names = written["source_format"].cast(pa.string()).fill_null("").to_numpy(zero_copy_only=False)
        found += by_name(label, "format", names.astype(str))
    return found


def find_picture_shortcuts(pictures: Sequence[Picture]) -> list[Shortcut]:
    """Labels that the camera, or grey instead of colour, separates from the others, as far as pictures say."""
    drawn = [picture for picture in pictures if picture.data_uri and not picture.note]
    label = np.array([picture.label for picture in drawn], np.int64)
    cameras = np.array([picture.camera for picture in drawn], str)
    colours = np.array(["grey" if picture.is_grey else "colour" for picture in drawn], str)
    return by_name(label, "camera", cameras) + by_name(label, "colour", colours)


def _hints(findings: Findings, suspects: Suspects) -> Iterator[str]:
    """What was searched in vain, or is worth knowing and has no pictures."""
    if suspects.compared and not suspects.is_meaningful:
        yield (
            "Wrong labels were not searched: the metrics say too little about labels (the neighbours of "
            f"{suspects.agreement:.0%} of the images have the same label)."
        )
    counts = findings.counts
    if limit := counts.limit_of_near():
        yield f"{limit[0].upper()}{limit[1:]}."
    if counts.has_gps:
        yield f"{plural(counts.has_gps, 'image')} with a GPS position in the metadata: `--metadata strip` leaves it out."
    if counts.has_thumbnail:
        yield f"{plural(counts.has_thumbnail, 'image')} with an embedded thumbnail, which `--metadata strip` leaves out."
    if counts.odd_header:
        yield f"{plural(counts.odd_header, 'image')} with an odd JPEG header, which no pixel depends on."


def _about(folder: Folder) -> About | None:
    """What the data set is called; None where that is not recorded, or can't be read."""
    try:
        return read_about(folder) if folder.exists(ABOUT) else None
    except CorruptRecord:
        return None


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
