"""Classes of objects in a list of their own (object_labels=own), with ids from a file, the data set that grows, or the names.

A decision that binds users' data: without a file ids follow the names of the planned boxes, sorted by code point; a data set
that grows keeps its ids, and new classes come after the old ones.
"""

from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa

from imagerecords.schemas.boxes import PLANNED_BOX, PLANNED_OBJECT, BoxCounts, BoxReason
from imagerecords.schemas.label_map import ENDINGS, read_label_map
from imagerecords.schemas.labels import grow_labels, read_labels
from imagerecords.schemas.listing import COLUMNS, Listing
from imagerecords.schemas.messages import NAMED, first_lines, some
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.unicode_names import form_notes, one_form
from imagerecords.tasks.sources.input_files import read_text


def number_objects(settings: BuildSettings, listing: Listing, locked: tuple[str, ...]) -> Listing:
    """The listing with the classes of its objects by their final ids, or its errors; `locked` are those of the data set."""
    listed, errors = _listed(settings)
    if errors:
        return Listing.of_errors(first_lines(errors))
    names = listing.object_labels or ()
    forms = one_form(names, (*locked, *listed))
    ids = listing.images["objects"].combine_chunks().flatten().field("label").to_numpy()
    used = {names[number - 1]: forms[names[number - 1]] for number in np.unique(ids).tolist()}
    if errors := [_no_line(name) for name in sorted(set(used.values())) if not _is_line(name)]:
        return Listing.of_errors(first_lines(errors))
    unlisted = sorted(set(used.values()) - set(listed)) if settings.object_labels_file else []
    if unlisted and settings.unlisted_labels == "error":
        return Listing.of_errors(
            [
                f"classes of objects must be in object_labels_file, got {some([repr(name) for name in unlisted])}: "
                f"{settings.object_labels_file}. Add them, or pass --unlisted_labels ignore to leave such objects out"
            ]
        )
    known = listed or sorted(set(used.values()))
    labels, errors = grow_labels(locked, known, settings.object_labels_file, keep=True)
    if errors:
        return Listing.of_errors(first_lines(errors))
    final = {label: number for number, label in enumerate(labels, start=1)}
    of_name = np.array([0, *(final.get(forms[name], 0) for name in names)], np.int32)
    notes = form_notes("classes of objects", {name: form for name, form in forms.items() if name in used})
    listing = replace(listing, object_labels=labels, notes=(*listing.notes, *notes))
    return _with_ids(listing, of_name[ids], [names[number - 1] for number in ids.tolist() if not of_name[number]])


def _listed(settings: BuildSettings) -> tuple[tuple[str, ...], list[str]]:
    """The classes of object_labels_file in their order, and its errors."""
    location = settings.object_labels_file
    if location is None:
        return (), []
    text, errors = read_text("object_labels_file", location, settings.storage_options)
    if errors:
        return (), errors
    found, errors = (read_label_map if location.lower().endswith(ENDINGS) else read_labels)(text, location)
    return tuple(found), errors


def _is_line(name: str) -> bool:
    return name == name.strip() and name.isprintable()


def _no_line(name: str) -> str:
    return f"a class of objects must be a line of text, without spaces around it, got {name!r}. Rename it in the box file"


def _with_ids(listing: Listing, ids: np.ndarray, unlisted: list[str]) -> Listing:
    """The listing with these ids of all objects; those of id 0 are left out, and counted by their names."""
    keep = ids > 0
    images = listing.images
    rows = np.repeat(np.arange(images.num_rows), _lengths(images["objects"]))[keep]
    edges = pa.array(np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=images.num_rows))]), pa.int32())
    for name, fields in (("boxes", PLANNED_BOX), ("objects", PLANNED_OBJECT)):
        values = images[name].combine_chunks().flatten().filter(pa.array(keep))
        if name == "objects":
            others = [values.field(number) for number in range(1, len(fields))]
            values = pa.StructArray.from_arrays([pa.array(ids[keep], pa.int32()), *others], fields=list(fields))
        images = images.set_column(COLUMNS.get_field_index(name), COLUMNS.field(name), pa.ListArray.from_arrays(edges, values))
    counts = listing.boxes
    if unlisted and counts is not None:
        counts = _counted(counts, unlisted)
    return replace(listing, images=images, boxes=counts)


def _lengths(column: pa.ChunkedArray) -> np.ndarray:
    lengths: np.ndarray = column.combine_chunks().value_lengths().fill_null(0).to_numpy()
    return lengths


def _counted(counts: BoxCounts, unlisted: list[str]) -> BoxCounts:
    names = Counter(unlisted)
    first = tuple(f"{name!r} ({count:,})" for name, count in names.most_common(NAMED))
    text = "left out, since their object's class is not in object_labels_file (setting unlisted_labels)"
    reason = BoxReason(reason=text, count=len(unlisted), first=first, of_names=True)
    changed = {"planned": counts.planned - len(unlisted), "excluded": counts.excluded + len(unlisted)}
    return counts.model_copy(update=changed | {"reasons": (*counts.reasons, reason)})
