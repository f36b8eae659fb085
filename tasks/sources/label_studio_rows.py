"""A Label Studio export as rows of an image list: images found beside the export or in `images_directory`."""

import json
import posixpath
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from imagerecords.schemas.messages import plural, some
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.sources.input_files import beside
from imagerecords.tasks.sources.label_studio import Export, read_export
from imagerecords.tasks.sources.label_studio_paths import readings, there
from imagerecords.tasks.storage.folders import Folder, open_folder

MISSING, UNUSABLE = "missing", "unusable"


@dataclass
class ExportRows:
    """Rows with line, path, label and boxes, and what else an export says; with `several` labels are JSON texts of lists."""

    unit: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    several: bool = False


def read_export_rows(data: bytes, file: str, settings: BuildSettings) -> ExportRows:
    """The rows of an export; raises ValueError or BadLayout when it is none or is unclear."""
    by_objects, several = settings.labels_from == "objects", settings.labels == "many"
    export = read_export(data.decode("utf-8-sig"), file, settings, by_objects=by_objects, several=several)
    skips = settings.unusable_annotations == "skip"
    found = ExportRows(export.unit, [], [] if skips else export.bad, export.skipped, export.notes, several)
    if skips and export.bad:
        found.skipped[UNUSABLE] += len({number for number, _ in export.bad if number})
        found.notes.append(f"{file}: skipped: {some(export.problems(), between='; ')}")
    folder, _ = beside(file, settings.storage_options)
    others = settings.images_directory and open_folder(settings.images_directory, settings.storage_options)
    missing = _add_rows(found, export, folder, others or None, must_exist=skips)
    if missing:
        found.skipped[MISSING] += len(missing)
        found.notes.append(f"{file}: {plural(len(missing), 'image')} skipped (missing): {some(missing)}")
    return found


def _add_rows(found: ExportRows, export: Export, folder: Folder, others: Folder | None, *, must_exist: bool) -> list[str]:
    """Add a row for each image of an export; returns the paths of those that are left out, since there is no such file."""
    missing: list[str] = []
    for image in export.images:
        path = there(image.path, lambda way: _exists(folder, way))
        if (others or must_exist) and not _exists(folder, path):
            ways = [way for way in readings(image.path) if "://" not in way and not way.startswith("/")]
            elsewhere = [] if others is None else [way for way in ways if others.exists(way)]
            if others is not None and elsewhere:
                path = f"{others.url.rstrip('/')}/{elsewhere[0]}"
                path = posixpath.abspath(path) if others.is_local and "://" not in path else path
            elif must_exist:
                missing.append(path)
                continue
        boxes = [[*box[:4], box.name] for box in image.boxes]
        label = json.dumps([image.label, *image.more], ensure_ascii=False) if found.several else image.label
        found.rows.append({"line": image.number, "path": path, "label": label, "boxes": boxes})
    return missing


def _exists(folder: Folder, way: str) -> bool:
    """Whether there is a file at a path relative to a folder, or absolute on its file system; URLs are looked up later."""
    if "://" in way:
        return True
    return bool(folder.fs.exists(way)) if way.startswith("/") else folder.exists(way)
