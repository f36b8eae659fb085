"""Lays the labelled images of a Label Studio export out as label folders.

Local images are linked, remote ones copied. The split is partition's keyed hash of the image's path, so an image keeps
its split from export to export.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
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

LAID_OUT = (
    ".laid_out.json"  # the places that exports have put images in, of which the next removes those that are none of its own
)
SHORT_DIGEST, DIGEST = 8, 64  # hexadecimal digits in the name of a place


def lay_out_labels(export: LabelExport, note: Callable[[str], None] = lambda _: None) -> dict[str, int]:
    """Lay an export's images out below labelled_directory; returns the number of images by `split/label`.

    `note` is called with a line for each thing to report, among them how many tasks were skipped. Raises BadLayout, with a line
    for each bad row, when an image has no label or several, two rows give it different ones, or it does not exist; nothing is
    laid out then.
    """
    folder, name = beside(export.export_file, export.storage_options)
    text = folder.read(name).decode("utf-8-sig")
    found = read_export(text, export.export_file, export)
    images = _checked(found)
    for line in (*found.notes, *(f"{found.file}: {plural(count, 'task')} {what}" for what, count in found.skipped.items())):
        note(line)
    target = open_folder(export.labelled_directory, export.storage_options)
    base = export.images_directory or folder.url
    planned: dict[str, tuple[Folder, str]] = {}
    for image in images:
        place, where = _planned(image, base, export, SHORT_DIGEST)
        if place in planned:  # 32 bits of a digest are not enough for ten thousands of images of one name
            place, where = _planned(image, base, export, DIGEST)
        planned[place] = where
    before = set(json.loads(target.read(LAID_OUT))) if target.exists(LAID_OUT) else set()
    _record(target, before | planned.keys())  # first: whatever an interrupted export leaves, the next one knows
    for place, (origin, file) in planned.items():
        _put(origin, file, target, place)
    for place in before - planned.keys():  # of images that were relabelled, or removed from the project
        target.remove(place)
    _record(target, planned.keys())
    target.write(LABELS, labels_text(sorted({image.label for image in images})))
    return dict(Counter(place.rpartition("/")[0] for place in planned))


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


def _planned(image: LabelledPath, base: str, export: LabelExport, digits: int) -> tuple[str, tuple[Folder, str]]:
    """The place of an image in its label's folder, with digits of its path's digest in its name; and where the image is now."""
    source = _source(image.path, base, export.storage_options)
    origin, name = beside(source, export.storage_options)
    if not origin.exists(name):
        raise BadLayout(f"an image of the export must exist, got none: {source}. Check images_directory")
    split = "validation" if group_position(image.path) < export.validation_fraction else "train"
    return f"{split}/{image.label}/{hashlib.sha256(image.path.encode()).hexdigest()[:digits]}-{name}", (origin, name)


def _put(origin: Folder, name: str, target: Folder, place: str) -> None:
    """Link an image to its place, or copy it where one of both is remote; a link to another image is replaced."""
    if not (origin.is_local and target.is_local):
        target.write(place, origin.read(name))
        return
    link, image = target.join(place), origin.join(name)
    os.makedirs(os.path.dirname(link), exist_ok=True)
    if os.path.islink(link) and os.readlink(link) != image:  # images_directory was another one
        os.unlink(link)
    if not os.path.lexists(link):
        os.symlink(image, link)


def _record(target: Folder, places: Iterable[str]) -> None:
    """Write down what was laid out, so that the next export removes that alone."""
    target.write(LAID_OUT, json.dumps(sorted(places), indent=0).encode())
