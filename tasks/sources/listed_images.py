"""Labels and listing from an image list or a Label Studio export; every bad row is reported by its line, all at once."""

import posixpath
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagerecords.schemas.boxes import FoundBoxes
from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.labels import NO_LABEL, choose_labels, kept_label
from imagerecords.schemas.listing import COLUMNS, Listing
from imagerecords.schemas.messages import first_lines, some
from imagerecords.schemas.secrets import url_problems
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.splits import EVERY_SPLIT, SPLITS
from imagerecords.tasks.sources.add_boxes import orient, place, with_boxes
from imagerecords.tasks.sources.annotations.rows import AnnotatedRows, read_annotations
from imagerecords.tasks.sources.box_orientation import OrientedBoxes
from imagerecords.tasks.sources.box_units import with_units_and_rows
from imagerecords.tasks.sources.boxes import NO_IMAGE
from imagerecords.tasks.sources.image_list_file import LIKE_ROWS, TEXTS, ListedRows, read_rows
from imagerecords.tasks.sources.image_places import ImagePlaces, locate, look_up, other_form
from imagerecords.tasks.sources.input_files import unreadable
from imagerecords.tasks.sources.listed_labels import (
    all_labels,
    empty_labels,
    excluded_labels,
    name_labels,
    unite_labels,
    with_ids,
    without_excluded,
)

NONE_EXISTS = (
    "None of the list's images exists: pass their folder, --images_directory, or for paths of another machine "
    "--annotations {}, which finds images by the end of their paths"
)
BACKSLASH = "\\"
LIST_OR_OBJECT = r"""(?s)^\[\s*(['"0-9].*)?\]$|^\{\s*['"].*\}$"""  # of Python, NumPy or JSON, but not "[other]"
MAY_CARRY_SECRETS = r"://.*[@?]"


def survey_list(settings: BuildSettings, names: Mapping[str, int] | None, locked: tuple[str, ...]) -> Listing:
    """The listing of what an image list or export names, or its errors.

    `names` are the labels of a labels file with their lines, `locked` those of the data set that is appended to.
    """
    location = settings.image_list or settings.label_studio or ", ".join(settings.annotations)
    try:
        settings, listed = read_annotations(settings) if settings.annotations else (settings, read_rows(settings))
    except BadLayout as error:  # says all itself
        return Listing.of_errors([str(error)])
    except (OSError, ValueError, pa.ArrowException) as error:
        problem = error if isinstance(error, OSError | ValueError) else ValueError(str(error))
        return Listing.of_errors([unreadable(settings.listed_by or "", location, problem)])
    if errors := list(_column_mistakes(settings, listed)):
        return Listing.of_errors(errors)
    usable = _refuse_texts(settings, listed)
    notes = unite_labels(settings, listed, (*locked, *(names or ())))
    usable &= without_excluded(settings, listed)
    named = name_labels(settings, listed, names, usable)
    present = set(all_labels(listed.rows)) - set(excluded_labels(settings, listed))
    named = [label for label in named if label in present or label not in locked]
    labels, lost = choose_labels(named, locked, settings.labels_file, keep=settings.append_missing_labels == "keep")
    chosen = np.flatnonzero(usable)
    if not (len(chosen) and (present or locked)) and not listed.bad:
        return Listing.of_errors([f"{settings.listed_by} must list labelled images, got none: {location}"])
    rows = listed.rows.take(pa.array(chosen))
    places, images = _find_files(settings, listed, rows)
    errors = [f"{problem}: {listed.place(line)}" for line, problem in sorted(listed.bad)]
    errors = [*first_lines(errors), *lost, *empty_labels(named, present, location)]
    if errors or places is None:
        return Listing.of_errors(errors)
    listing = _listing(settings, listed, labels.all, places, images.append_column("row", pa.array(chosen)))
    return replace(listing, notes=(*notes, *listing.notes, *map(kept_label, sorted(labels.reserved))))


def _column_mistakes(settings: BuildSettings, listed: ListedRows) -> Iterator[str]:
    """Settings that a file's columns contradict."""
    if "split" in listed.columns and (settings.validation_fraction or settings.test_fraction or settings.folds):
        yield f"fractions and folds must go with an image list without a column split, got both: {listed.file}. Drop one"
    for column in ("split", "group"):
        if column in listed.columns and settings.group_pattern is not None:
            yield f"group_pattern must go with an image list without a column {column}, got both: {listed.file}. Drop one"
    if "boxes" in listed.columns and settings.bounding_boxes:
        yield f"bounding_boxes must go with an input without boxes of its own, got both: {listed.file}. Drop one of them"


def _refuse_texts(settings: BuildSettings, listed: ListedRows) -> np.ndarray:
    """Which rows can be used, by what stands in them; the others are reported."""
    usable = np.ones(listed.rows.num_rows, bool)
    required = ("path",) if settings.unlabelled_images == "keep" else ("path", "label")
    for column in (*required, *({"split"} & listed.columns)):
        without = pc.is_null(listed.rows[column])
        remedy = ". To write such images pass --unlabelled_images keep" if column == "label" and listed.several else ""
        problem = f"a row must have a {column}, got none{remedy}"
        listed.report(listed.rows.filter(without)["line"].to_numpy(), [problem] * LIKE_ROWS)
        usable &= ~without.to_numpy()
    lists = pc.fill_null(pc.match_substring_regex(listed.rows["label"], LIST_OR_OBJECT), False)
    wanted = "several labels must be a JSON list" if listed.several else "a label must be a name"
    remedy = 'Write ["cat", "dog"]' + ("" if listed.several else " and pass --labels many where an image has several")
    usable &= _refuse(listed, lists, lambda row: f"{wanted}, got {row['label']}. {remedy}")
    other = pc.and_not(pc.is_valid(listed.rows["split"]), pc.is_in(listed.rows["split"], pa.array(EVERY_SPLIT)))
    usable &= _refuse(
        listed, other, lambda row: f"a split must be one of {', '.join(SPLITS)}, fold_0 to fold_9, got {row['split']!r}"
    )
    carrying = pc.fill_null(pc.match_substring_regex(listed.rows["path"], MAY_CARRY_SECRETS), False).to_numpy()
    for row in np.flatnonzero(carrying):
        for problem in url_problems({"a path": listed.rows["path"][int(row)].as_py()}):
            listed.bad.append((listed.rows["line"][int(row)].as_py(), problem))
            usable[row] = False
    return usable


def _refuse(listed: ListedRows, wrong: pa.ChunkedArray, problem_of: Callable[[dict[str, Any]], str]) -> np.ndarray:
    """Report the rows that are wrong; returns which are right."""
    rows = listed.rows.filter(wrong)
    listed.report(rows["line"].to_numpy(), list(map(problem_of, rows.slice(0, LIKE_ROWS).to_pylist())))
    right: np.ndarray = ~wrong.to_numpy()
    return right


def _locate(paths: pa.Array, settings: BuildSettings, listed: ListedRows) -> ImagePlaces:
    below = settings.images_directory if settings.image_list else None
    return locate(paths, listed.file, settings.storage_options, settings.allowed_sources, below)


def _find_files(settings: BuildSettings, listed: ListedRows, rows: pa.Table) -> tuple[ImagePlaces | None, pa.Table]:
    """Where the images of rows lie, and the rows with their files' sizes and versions; what is wrong is reported."""
    rows = _with_found_forms(settings, listed, rows)
    paths = rows["path"].combine_chunks()
    try:
        places = _locate(paths, settings, listed)
    except PermissionError as error:
        listed.bad.append((0, str(error)))
        return None, rows
    except (ValueError, ImportError) as error:
        listed.bad.append((0, f"images must lie on one file system that can be read, got {error}"))
        return None, rows
    lines = rows["line"].to_numpy()
    codes = places.whole.dictionary_encode().indices.to_numpy()
    _, first, position = np.unique(codes, return_index=True, return_inverse=True)
    again = np.flatnonzero(first[position] != np.arange(len(codes)))
    problems = [_path_again(listed, rows, int(row), int(first[position[row]])) for row in again[:LIKE_ROWS]]
    listed.report(lines[again], problems)
    sizes, versions, wrong = look_up(places.folder, places.whole)
    if (
        settings.image_list
        and 1 < len(wrong) == len(rows)
        and all("must exist, got none" in problem for problem in wrong.values())
    ):
        remedy = NONE_EXISTS.format(shlex.quote(settings.image_list))
        wrong |= {number: f"{wrong[number]}. {remedy}" for number in list(wrong)[:1]}
    listed.report(lines[list(wrong)] if wrong else lines[:0], list(wrong.values()))
    return places, rows.append_column("size", sizes).append_column("version", versions)


def _path_again(listed: ListedRows, rows: pa.Table, row: int, first: int) -> str:
    """The problem of a row whose image an earlier one has."""
    path, label, line = (rows[name][row].as_py() for name in ("path", "label", "line"))
    differs = rows["label"][first].as_py() != label
    more = ", or give one row a list of labels and pass --labels many" if differs else ""
    return (
        f"a path must be there once, got {path!r} as in {listed.unit} {rows['line'][first]}. Remove {listed.unit} {line}{more}"
    )


def _with_found_forms(settings: BuildSettings, listed: ListedRows, rows: pa.Table) -> pa.Table:
    """The rows with paths as the files have them where those written lead nowhere for their Unicode form or backslashes."""
    paths = rows["path"].combine_chunks()
    doubtful = pc.or_(pc.invert(pc.string_is_ascii(paths)), pc.match_substring(paths, BACKSLASH))
    positions = np.flatnonzero(doubtful.to_numpy(zero_copy_only=False))
    if not len(positions):
        return rows
    try:
        places = _locate(paths, settings, listed)
    except (PermissionError, ValueError, ImportError):  # reported by the caller
        return rows
    _, _, wrong = look_up(places.folder, places.whole.take(pa.array(positions)))
    changed: dict[int, str] = {}
    for number in wrong:
        row = int(positions[number])
        whole, path = (text.as_py().replace(BACKSLASH, "/") for text in (places.whole[row], paths[row]))
        if (
            found := other_form(places.folder, posixpath.normpath(whole) if places.folder.is_local else whole, path)
        ) is not None:
            changed[row] = found
    if not changed:
        return rows
    names = some(list(changed.values()))
    listed.notes.append(f"{listed.file}: paths in another Unicode form than the files', or with backslashes: {names}")
    united = pa.array([changed.get(row, path) for row, path in enumerate(paths.to_pylist())], pa.string())
    return rows.set_column(rows.column_names.index("path"), "path", united)


def _listing(
    settings: BuildSettings, listed: ListedRows, labels: tuple[str, ...], places: ImagePlaces, images: pa.Table
) -> Listing:
    """The listing of images, which have the columns of listed.rows, size, version, and `row`, their place in listed.rows."""
    by_split = "split" in listed.columns
    source = images["split"] if by_split else pa.repeat("data", images.num_rows)
    rank = pc.index_in(source, pa.array(EVERY_SPLIT))
    images = with_ids(images, labels)
    images = images.append_column("source", source).append_column("rank", rank)
    last = pc.equal(images["label"], NO_LABEL)  # of duplicates the first is kept, which should be one with a label
    images = images.append_column("last", last)
    images = images.sort_by([("rank", "ascending"), ("last", "ascending"), ("label", "ascending"), ("path", "ascending")])
    sources = images["source"].unique().to_pylist()
    listing = Listing(
        labels=labels,
        roots=dict.fromkeys(sources, places.root),
        images=_without_boxes(images),
        skipped={what: count for what, count in listed.skipped.items() if count},
        notes=tuple(_notes(listed, labels, images)),
    )
    if listed.boxes is None:
        return replace(listing, boxes_in_display_orientation=bool(settings.label_studio))
    position = np.full(listed.rows.num_rows, NO_IMAGE, np.int64)
    position[images["row"].to_numpy()] = np.arange(images.num_rows)
    rows = np.where(listed.box_rows == NO_IMAGE, NO_IMAGE, position[listed.box_rows])
    if isinstance(listed, AnnotatedRows):
        return _with_drawn_boxes(settings, listed, listed.boxes, rows, listing)
    return _with_boxes(settings, listed.boxes, rows, listing)


def _without_boxes(images: pa.Table) -> pa.Table:
    """The columns of a listing, without boxes."""
    for name in ("boxes", "objects"):
        images = images.append_column(name, pa.nulls(images.num_rows, COLUMNS.field(name).type))
    return images.select(COLUMNS.names).cast(COLUMNS)


def _with_drawn_boxes(
    settings: BuildSettings, listed: AnnotatedRows, found: FoundBoxes, rows: np.ndarray, listing: Listing
) -> Listing:
    """The listing with the boxes of annotations, which state their unit and mostly the images' sizes."""
    if listed.displayed and settings.boxes_orientation == "auto":
        settings = settings.model_copy(update={"boxes_orientation": "display"})
        found = replace(found, drawn_displayed=True)
    oriented = orient(found, rows, listing, settings, listed.place(0))
    if oriented.errors:
        return Listing.of_errors(oriented.errors)
    placed = place(oriented.found, oriented.rows, listing, settings)
    return replace(with_boxes(listing, placed), errors=placed.errors, notes=(*listing.notes, *oriented.notes))


def _with_boxes(settings: BuildSettings, found: FoundBoxes, rows: np.ndarray, listing: Listing) -> Listing:
    """The listing with the boxes of an image list's rows, or of Label Studio's, which are of the image as displayed."""
    as_displayed = bool(settings.label_studio)
    location = settings.image_list or settings.label_studio or ""
    oriented = OrientedBoxes(found, rows)
    if not as_displayed or settings.exif == "keep":
        drawn = settings.model_copy(update={"boxes_orientation": "display"}) if as_displayed else settings
        found, rows = with_units_and_rows(replace(found, drawn_displayed=as_displayed), rows)
        oriented = orient(found, rows, listing, drawn, location)
    if oriented.errors:
        return Listing.of_errors(oriented.errors)
    placed = place(oriented.found, oriented.rows, listing, settings)
    return replace(
        with_boxes(listing, placed),
        errors=placed.errors,
        notes=(*listing.notes, *([f"{location}: {oriented.found.note}"] if oriented.found.note else []), *oriented.notes),
        boxes_in_display_orientation=as_displayed and settings.exif != "keep",
    )


def _notes(listed: ListedRows, labels: tuple[str, ...], images: pa.Table) -> Iterator[str]:
    """What may be meant, or may be a mistake."""
    yield from listed.notes
    if unread := sorted(listed.columns - {*TEXTS, "boxes"}):
        yield f"{listed.file}: columns not read: {some(unread)}"
    if "split" not in listed.columns:
        return
    for split in images["source"].unique().to_pylist():
        of_split = images.filter(pc.equal(images["source"], split))
        lists = of_split["labels"].null_count < of_split.num_rows
        present = set((pc.list_flatten(of_split["labels"]) if lists else of_split["label"]).unique().to_pylist())
        for number in sorted(set(range(1, len(labels) + 1)) - present):
            yield f"{listed.file}: no image of label {labels[number - 1]!r} in {split}"
    splits = images.group_by("group").aggregate([("source", "count_distinct")])
    mixed = splits.filter(pc.and_(pc.is_valid(splits["group"]), pc.greater(splits["source_count_distinct"], 1)))["group"]
    if len(mixed):
        yield f"{listed.file}: groups in more than one split: {some(sorted(mixed.to_pylist()))}"
