"""Lays the labelled images of a Label Studio export out as label folders.

Local images are linked, remote ones copied. The split is partition's keyed hash of the image's path, so an image keeps
its split from export to export.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.label_export import LabelExport, LabelledPath
from imagerecords.schemas.messages import first_lines, plural
from imagerecords.schemas.output_files import LABELS
from imagerecords.tasks.dataset.labels_file import labels_text
from imagerecords.tasks.planning.splits import group_position
from imagerecords.tasks.sources.input_files import beside
from imagerecords.tasks.sources.label_studio import Export, read_export
from imagerecords.tasks.sources.label_studio_paths import there
from imagerecords.tasks.storage.folders import Folder, open_folder

LAID_OUT = ".laid_out.json"  # what the last export put here, so that the next removes only that


def lay_out_labels(export: LabelExport, note: Callable[[str], None] = lambda _: None) -> dict[str, int]:
    """Lay an export's images out below labelled_directory; returns the number of images by `split/label`.

    `note` is called with a line for each thing to report, among them how many tasks were skipped. Raises BadLayout, with a line
    for each bad row, when an image has no label or several, or two rows give it different ones.
    """
    folder, name = beside(export.export_file, export.storage_options)
    text = folder.read(name).decode("utf-8-sig")
    found = read_export(text, export.export_file, export)
    images = _checked(found)
    for line in (*found.notes, *(f"{found.file}: {plural(count, 'task')} {what}" for what, count in found.skipped.items())):
        note(line)
    target = open_folder(export.labelled_directory, export.storage_options)
    base = export.images_directory or folder.url
    placed = {}
    for image in images:
        split = "validation" if group_position(image.path) < export.validation_fraction else "train"
        label_folder = f"{split}/{image.label}"
        placed[_place(image.path, base, target, label_folder, export.storage_options)] = label_folder
    _remove_gone(target, set(placed))
    target.write(LABELS, labels_text(sorted({image.label for image in images})))
    return dict(Counter(placed.values()))


def _checked(found: Export) -> list[LabelledPath]:
    """The images of an export, each once; raises BadLayout."""
    errors = found.problems()
    images: dict[str, LabelledPath] = {}
    for image in found.images:
        before = images.setdefault(image.path, image)
        if before.label != image.label:
            errors.append(
                f"an image must have one label, got {before.label!r} at {before.place} and {image.label!r}: {image.place}"
            )
    if not images and not errors:
        errors.append(f"an export must have labelled images, got none: {found.file}")
    if errors:
        raise BadLayout("\n".join(first_lines(errors)))
    return list(images.values())


def _source(path: str, base: str, storage_options: Mapping[str, Any]) -> str:
    """The path or URL at which an image is read."""

    def whole(way: str) -> str:
        return way if "://" in way or way.startswith("/") else f"{base.rstrip('/')}/{way}"

    def exists(way: str) -> bool:
        folder, name = beside(whole(way), storage_options)
        return folder.exists(name)

    return whole(there(path, exists))


def _place(path: str, base: str, target: Folder, folder: str, storage_options: Mapping[str, Any]) -> str:
    """Put an image into its label's folder, under a name with a digest of its path; returns its place."""
    source = _source(path, base, storage_options)
    origin, name = beside(source, storage_options)
    place = f"{folder}/{hashlib.sha256(path.encode()).hexdigest()[:8]}-{name}"
    if not origin.exists(name):
        raise BadLayout(f"an image of the export must exist, got none: {source}. Check images_directory")
    if origin.is_local and target.is_local:
        link = target.join(place)
        os.makedirs(os.path.dirname(link), exist_ok=True)
        if not os.path.lexists(link):
            os.symlink(origin.join(name), link)
    else:
        target.write(place, origin.read(name))
    return place


def _remove_gone(target: Folder, placed: set[str]) -> None:
    """Remove what an earlier export laid out and this one does not: images that were relabelled or removed from the project."""
    before = json.loads(target.read(LAID_OUT)) if target.exists(LAID_OUT) else []
    for place in set(before) - placed:
        target.remove(place)
    target.write(LAID_OUT, json.dumps(sorted(placed), indent=0).encode())
