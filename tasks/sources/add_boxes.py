"""A listing with the boxes of the files and folders that bounding_boxes names: read, matched, turned and placed."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.boxes import CROWD, NAMELESS, BoxCounts, FoundBoxes
from imagerecords.schemas.listing import COLUMNS, Listing
from imagerecords.schemas.messages import first_lines, plural, some
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.sources.box_files import NoBoxFiles, read_boxes
from imagerecords.tasks.sources.box_orientation import OrientedBoxes, orient_boxes, read_shapes
from imagerecords.tasks.sources.boxes import (
    NO_IMAGE,
    Naming,
    PlacedBoxes,
    leave_out_objects,
    leave_out_unnamed,
    nameless,
    place_boxes,
)
from imagerecords.tasks.sources.input_files import unreadable
from imagerecords.tasks.sources.match_boxes import differ_in_form, match_boxes
from imagerecords.tasks.storage.folders import open_folder

FIRST_ROWS = 2


@dataclass(frozen=True)
class _BoxFile:
    """What one file or folder has: its boxes as oriented, or the errors that it made."""

    location: str
    split: str | None
    form: str
    oriented: OrientedBoxes

    def notes(self) -> list[str]:
        """What was decided about its boxes."""
        note = self.oriented.found.note
        return [*([f"{self.location}: {note}"] if note else []), *self.oriented.notes]


def add_boxes(settings: BuildSettings, listing: Listing) -> Listing:
    """The listing with the boxes that the settings name, or with every error of theirs."""
    files: list[_BoxFile] = []
    errors: list[str] = []
    for split, location in settings.box_files():
        try:
            parts = _read(split, location, settings)
        except (OSError, ValueError, pa.ArrowException) as error:
            problem = error if isinstance(error, OSError | ValueError) else ValueError(str(error))
            errors.append(unreadable("bounding_boxes", location, problem))
            continue
        for of_split, part in parts:
            rows, unclear = _match(part, of_split, listing)
            oriented = orient(part, rows, listing, settings, location)
            errors += [*first_lines(unclear), *oriented.errors]
            files.append(_BoxFile(location, of_split, part.form, oriented))
    if errors:
        return Listing.of_errors(first_lines(errors))
    found = FoundBoxes.joined([file.oriented.found for file in files])
    rows = np.concatenate([file.oriented.rows for file in files])
    placed = place(found, rows, listing, settings)
    if errors := [*placed.errors] or list(_unused(files, placed, listing)):
        return Listing.of_errors(errors)
    notes = list(dict.fromkeys(note for file in files for note in file.notes()))  # a folder of two splits has its note twice
    if others := differ_in_form(found, rows, listing.images):
        notes.append(f"bounding_boxes: {plural(len(others), 'image')} named in another Unicode form: {some(others)}")
    listing = with_boxes(listing, placed)
    notes += _splits_without(listing.images, placed.counts)
    return replace(listing, notes=(*listing.notes, *notes))


def _read(split: str | None, location: str, settings: BuildSettings) -> list[tuple[str | None, FoundBoxes]]:
    """The boxes at a place, with the split that they are of, None where it may be any.

    Files with the boxes of several images may lie in a folder, each of the split in whose directory it is. Raises ValueError or
    OSError where there are none.
    """
    try:
        return [(split or _split_around(location, settings), read_boxes(location, settings.storage_options))]
    except NoBoxFiles as error:
        by_split: defaultdict[str | None, list[FoundBoxes]] = defaultdict(list)
        others = []
        for path in error.others:
            file = f"{location.rstrip('/')}/{path}"
            try:
                by_split[split or _split_around(file, settings)].append(read_boxes(file, settings.storage_options))
            except (ValueError, pa.ArrowException):  # another tool's JSON or CSV, or a damaged one
                others.append(path)
        found = [(of_split, FoundBoxes.joined(parts)) for of_split, parts in by_split.items() if parts]
        if not any(len(part) for _, part in found):
            raise
        note = f"{plural(len(others), 'file')} not read as box files: {some(others)}" if others else ""
        return [(of_split, replace(part, note=note)) for of_split, part in found]


def orient(found: FoundBoxes, rows: np.ndarray, listing: Listing, settings: BuildSettings, location: str) -> OrientedBoxes:
    """The boxes as boxes of the images as stored; images are read only where something depends on them."""
    has_image = rows != NO_IMAGE
    needed = has_image if settings.exif != "reject" else has_image & found.in_pixels
    shapes = read_shapes(listing.images, np.unique(rows[needed]), listing.roots, settings.storage_options)
    if settings.exif == "reject":
        shapes = {row: shape._replace(orientation=1) for row, shape in shapes.items()}
    oriented = orient_boxes(found, rows, shapes, settings.boxes_orientation, location)
    if unknown := sorted(set(rows[needed].tolist()) - shapes.keys()):
        names = some(listing.images["path"].take(pa.array(unknown)).to_pylist())
        note = f"{location}: {plural(len(unknown), 'image')} whose size can't be read, taken for upright: {names}"
        oriented = replace(oriented, notes=(*oriented.notes, note))
    return oriented


def place(found: FoundBoxes, rows: np.ndarray, listing: Listing, settings: BuildSettings) -> PlacedBoxes:
    """The boxes as columns, by the settings' policies."""
    if settings.crowd == "drop":
        found = replace(found, left_out=np.where(found.crowd, np.int8(CROWD), found.left_out))
    if settings.object_labels == "drop":
        found = leave_out_objects(found, listing.labels)
    naming = Naming(listing.images["label"], listing.labels)
    if settings.object_labels == "own":
        found = replace(found, left_out=np.where(nameless(found), np.int8(NAMELESS), found.left_out))
        naming = Naming(listing.images["label"], listing.labels, tuple(sorted(set(found.names.drop_null().to_pylist()))))
    else:
        found = leave_out_unnamed(found, rows, naming)
    return place_boxes(found, rows, naming, settings.invalid_boxes, for_detection=settings.features == "detection")


def with_boxes(listing: Listing, placed: PlacedBoxes) -> Listing:
    """The listing with boxes in its columns."""
    images = listing.images
    for name, column in (("boxes", placed.column), ("objects", placed.objects)):
        images = images.set_column(COLUMNS.get_field_index(name), COLUMNS.field(name), column)
    return replace(listing, images=images, boxes=placed.counts, object_labels=placed.object_labels)


def _split_around(location: str, settings: BuildSettings) -> str | None:
    """The split whose directory a box file lies in, as Roboflow lays them out."""
    place = open_folder(location, settings.storage_options).canonical_url + "/"
    for split, url in settings.directories().items():
        if split != "data" and place.startswith(open_folder(url, settings.storage_options).canonical_url + "/"):
            return split
    return None


def _match(found: FoundBoxes, split: str | None, listing: Listing) -> tuple[np.ndarray, list[str]]:
    """The row of each box's image, of a split's images where one is given."""
    if split is None:
        return match_boxes(found, listing.images, listing.roots)
    positions = np.flatnonzero(pc.equal(listing.images["source"], split).to_numpy())
    if not len(positions):
        return np.full(len(found), NO_IMAGE, np.int64), []
    rows, unclear = match_boxes(found, listing.images.take(pa.array(positions)), listing.roots)
    return np.where(rows == NO_IMAGE, NO_IMAGE, positions[rows]), unclear


def _unused(files: list[_BoxFile], placed: PlacedBoxes, listing: Listing) -> Iterator[str]:
    """An error for each file of which no box is planned: what it was read as, and its first rows."""
    start = 0
    for file in files:
        found, rows = file.oriented.found, file.oriented.rows
        planned = placed.is_planned[start : start + len(found)]
        start += len(found)
        if planned.any():
            continue
        if not len(found) and not found.malformed:
            yield f"bounding_boxes must have boxes, got none: {file.location}, read as {file.form}"
            continue
        names = list(dict.fromkeys(found.images.to_pylist()))
        what = []
        if of_none := int((rows == NO_IMAGE).sum()):
            of_split = listing.images.filter(pc.equal(listing.images["source"], file.split)) if file.split else listing.images
            images = some([repr(path) for path in of_split["path"].slice(0, FIRST_ROWS).to_pylist()], FIRST_ROWS)
            where = file.split or "the input"
            first = some([repr(name) for name in names], FIRST_ROWS)
            what.append(f"{of_none:,} of images named {first}, where {where} has {images}")
        if found.malformed:
            what.append(f"{len(found.malformed):,} that can't be read, first: {found.malformed[0]}")
        if other := len(found) - of_none:
            what.append(f"{plural(other, 'box', 'boxes')} left out: {'; '.join(r.line() for r in placed.counts.reasons)}")
        yield (
            f"bounding_boxes must have boxes of the input's images, got none that can be used: {file.location}, read as "
            f"{file.form}: {'; '.join(what)}. See docs/sources.md for the formats"
        )


def _splits_without(images: pa.Table, counts: BoxCounts) -> Iterator[str]:
    """Splits without a box while others have some."""
    if not counts.planned:
        return
    for split in pc.unique(images["source"]).to_pylist():
        boxes = images.filter(pc.equal(images["source"], split))["boxes"]
        if not pc.sum(pc.list_value_length(boxes)).as_py():
            yield f"{split}: no image has a box. Pass its box file too (--bounding_boxes.{split})"
