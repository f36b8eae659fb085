"""Files in an output that no build made: refused before anything is written, since a build would mix with or replace them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow.compute as pc

from imagerecords.schemas.errors import OutputConflict
from imagerecords.schemas.messages import some
from imagerecords.schemas.output_files import BUILD, INDEX, LABELS, OBJECT_LABELS, OURS_AT_THE_TOP, PLAN, is_our_shard, is_ours
from imagerecords.schemas.plan import Plan
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.dataset.labels_file import labels_text
from imagerecords.tasks.storage.folders import Folder, open_folder

SYSTEM_FILES = ("lost+found", "System Volume Information", "$RECYCLE.BIN", "Thumbs.db", "desktop.ini")


def refuse_unplanned_files(output: Folder, plan: Plan, settings: BuildSettings) -> None:
    """Raise OutputConflict where the build would replace an input, lies among one label's images, or meets foreign files.

    An output that holds a plan is a data set: other files in it stay as they are. One without a plan must be empty; hidden
    files, those of the system, and a data set that lost its plan (which `overwrite` replaces) apart.
    """
    for problem in (*_replaced_inputs(output, plan, settings), *_label_folder(output, plan, settings)):
        raise OutputConflict(problem)
    if output.exists(PLAN):
        return
    names = list(_entries(output))
    of_shards = OURS_AT_THE_TOP if any(map(is_our_shard, names)) else frozenset()
    foreign = sorted(name for name in names if name not in of_shards and not _is_expected(output, name, plan, settings))
    if foreign:
        raise OutputConflict(
            f"output_directory must be empty or hold a data set of imagerecords, got other files: {output.url}: "
            f"{some(foreign)}. Choose another directory, or move them away"
        )


def _entries(output: Folder) -> Iterator[str]:
    """The names right in an output; folders end in a slash."""
    try:
        entries = output.fs.ls(output.path, detail=True)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        name = entry["name"].rstrip("/").rpartition("/")[2]
        if entry["name"].rstrip("/") != output.path:  # object stores list a folder's own marker
            yield f"{name}/" if entry["type"] == "directory" else name


def _is_expected(output: Folder, name: str, plan: Plan, settings: BuildSettings) -> bool:
    return (
        name.startswith(".")
        or name.rstrip("/") in SYSTEM_FILES
        or name in (f"{BUILD}/", f"{INDEX}/")
        or is_our_shard(name)
        or (name == LABELS and _is_unchanged(output, plan.header.labels, settings.labels_file, name, settings))
        or (name == OBJECT_LABELS and _keeps_object_labels(output, plan, settings))
    )


def _is_unchanged(output: Folder, labels: Iterable[str], location: str | None, name: str, settings: BuildSettings) -> bool:
    """Whether a file of labels in the output is the one that a setting names, and the build would write the same into it."""
    return _place(location, settings.storage_options) == output.join(name) and output.read(name) == labels_text(labels)


def _keeps_object_labels(output: Folder, plan: Plan, settings: BuildSettings) -> bool:
    return _is_unchanged(output, plan.header.object_labels or (), settings.object_labels_file, OBJECT_LABELS, settings)


def _replaced_inputs(output: Folder, plan: Plan, settings: BuildSettings) -> Iterable[str]:
    """Files that settings name and that the build would replace."""
    for setting, location in _input_files(settings):
        place = _place(location, settings.storage_options)
        if place is None or not place.startswith(f"{output.path}/") or not is_ours(place.removeprefix(f"{output.path}/")):
            continue
        if setting == "labels_file" and _is_unchanged(output, plan.header.labels, location, LABELS, settings):
            continue
        if setting == "object_labels_file" and _keeps_object_labels(output, plan, settings):
            continue
        yield (
            f"{setting} must lie where the build writes nothing, got a file that it would replace: "
            f"{location}. Choose another output, or move the file"
        )


def _input_files(settings: BuildSettings) -> Iterator[tuple[str, str | None]]:
    """Each file that a setting names, with the setting."""
    yield from ((settings.listed_by or "", location) for location in settings.lists())
    yield from ((name, getattr(settings, name)) for name in ("labels_file", "synsets_file", "object_labels_file", "exclude"))
    yield from (("bounding_boxes", location) for _, location in settings.box_files())


def _place(location: Any, storage_options: Mapping[str, Any]) -> str | None:
    """The path of a file, as its file system knows it."""
    if not isinstance(location, str):
        return None
    return open_folder(location, storage_options).path


def _label_folder(output: Folder, plan: Plan, settings: BuildSettings) -> Iterable[str]:
    """Whether the output lies in a folder of one label's images, which a later build from folders would read."""
    parts = output.path.split("/")
    folders = {"/".join(parts[: depth + 1]): label for depth, label in enumerate(parts) if label in plan.header.labels}
    if not folders:
        return
    for root in sorted(set(plan.header.roots.values())):
        source = open_folder(root, settings.storage_options)
        if type(source.fs) is not type(output.fs):
            continue
        for folder, label in folders.items():
            number = plan.header.labels.index(label) + 1
            paths = plan.images.filter(pc.equal(plan.images["label"], number))["path"]
            prefixes = {f"{folder}/", f"{folder}/".removeprefix(f"{source.path}/")}
            if any(pc.any(pc.starts_with(paths, prefix)).as_py() for prefix in prefixes if prefix != "/"):
                yield (
                    f"output_directory must lie outside the images, got {output.url} in the folder of label {label!r}: "
                    f"{folder}. Choose another output"
                )
