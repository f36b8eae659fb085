"""Annotations as rows of a listing: images found, labels chosen, and every doubt reported."""

import csv
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.messages import plural, some
from imagerecords.schemas.plain_words import plain_words
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.settings_rules import UNLABELLED_TASKS
from imagerecords.schemas.splits import SPLITS
from imagerecords.tasks.sources.annotations.find import Finder
from imagerecords.tasks.sources.annotations.found_boxes import found_boxes
from imagerecords.tasks.sources.annotations.joining import JoinedImages
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Source
from imagerecords.tasks.sources.annotations.notes import ReadSource, amount_notes, counted, source_notes, strangers, title
from imagerecords.tasks.sources.annotations.paths import split_of_folders
from imagerecords.tasks.sources.annotations.recognise import FORMATS
from imagerecords.tasks.sources.annotations.sniff import LABEL_STUDIO
from imagerecords.tasks.sources.annotations.source import OpenedSource, open_source
from imagerecords.tasks.sources.annotations.units import in_own_corners, in_own_units
from imagerecords.tasks.sources.image_list_file import ROW, ListedRows, labels_text, read_rows, with_lists

WITHOUT_LABEL, SEVERAL_LABELS, MISSING = "without a label", "several labels", "missing"
UNREADABLE, WITHOUT_SPLIT = "unreadable entry", "without a split"
UNCLEAR = "without a label, with entries that are not read"
KEEP_THEM = ". To write them without a label pass --labels many --unlabelled_images keep"
SKIP_THEM = "Pass --unusable_annotations skip to leave such images out"


@dataclass
class AnnotatedRows(ListedRows):
    """The rows of annotations; `places` says where each line stands, from 1 on.

    With `displayed` the tool draws boxes on images as EXIF shows them.
    """

    places: list[str] = field(default_factory=list)
    displayed: bool = False

    def place(self, line: int) -> str:
        """Where a row stands, for people; line 0 is the whole."""
        return self.places[line - 1] if line else self.file.rstrip("/")


def read_annotations(settings: BuildSettings) -> tuple[BuildSettings, ListedRows]:
    """The rows of the settings' annotations; raises OSError or ValueError where there are none that can be used.

    The settings are those given, or with a Label Studio export those that name it as such.
    """
    opened = [_open(settings, url) for url in settings.annotations]
    if any(each.recognised.name == LABEL_STUDIO for each in opened):
        return _read_label_studio(settings, opened)
    base = _base(opened)
    listed = AnnotatedRows(f"{base.rstrip('/')}/", "image")
    listed.displayed = all(FORMATS[each.recognised.name].displayed for each in opened)
    listed.several = settings.labels == "many"
    joined = JoinedImages(several=listed.several)
    reads = [_read_source(each, base, joined, several=len(opened) > 1) for each in opened]
    images = joined.images()
    labels, own = _labels_of(settings, images)
    listed.notes += [note for read in reads for note in source_notes(read)]
    listed.notes.append(
        f"annotations: an image's label is {'its own (tag, flag, list or folder)' if own else 'the class of its objects'}"
    )
    usable = _usable(settings, listed, images, labels)
    _report_bad(settings, listed, reads)
    _refuse_nothing(listed, reads, usable)
    _fill(settings, listed, images, {path: labels[path] for path in usable})
    found = [read.opened for read in reads]
    listed.boxes, listed.box_rows = found_boxes(images, usable, found, reads)
    listed.columns |= {"path", "label"} | ({"boxes"} if listed.boxes else set())
    listed.notes = [*amount_notes(listed.skipped, reads, images, usable), *listed.notes, *strangers(reads, images)]
    return settings, listed


def _open(settings: BuildSettings, url: str) -> OpenedSource:
    try:
        return open_source(url, settings.annotations_format, settings.images_directory, settings.storage_options)
    except ValueError as error:
        raise BadLayout(str(error) if url in str(error) else f"{error}: {url}") from error


def _read_label_studio(settings: BuildSettings, opened: list[OpenedSource]) -> tuple[BuildSettings, ListedRows]:
    """The rows of a Label Studio export, which has a reader of its own."""
    if settings.unlabelled_images == "keep":
        raise BadLayout(f"{UNLABELLED_TASKS}: {opened[0].location}")
    if len(opened) > 1 or len(opened[0].recognised.chosen) != 1:
        raise BadLayout(f"a Label Studio export must be one file: {opened[0].location}. Pass it alone")
    place = opened[0].source.place(opened[0].recognised.chosen[0])
    settings = settings.model_copy(update={"annotations": (), "label_studio": place})
    listed = read_rows(settings)
    listed.notes.append(f"annotations: {place} read as Label Studio's export")
    return settings, listed


def _base(opened: list[OpenedSource]) -> str:
    """The folder that paths are relative to: that of the data set, or the one around all of them."""
    folders = [each.source.folder for each in opened]
    if len({type(folder.fs) for folder in folders}) > 1:
        raise BadLayout(f"annotations must lie on one file system, got {some([each.location for each in opened])}")
    path = posixpath.commonpath([str(folder.path) for folder in folders]) if len(folders) > 1 else str(folders[0].path)
    return path if folders[0].is_local else str(folders[0].fs.unstrip_protocol(path))


def _read_source(opened: OpenedSource, base: str, joined: JoinedImages, *, several: bool) -> ReadSource:
    """Read one source, and add its images, with paths relative to `base`."""
    source, reader = opened.source, FORMATS[opened.recognised.name].read
    try:
        images = in_own_units(source, _with_doubts(source, reader(source))) if reader else []
        images = in_own_corners(source, images, opened.recognised.name)
    except ValueError as error:
        raise BadLayout(str(error) if opened.location in str(error) else f"{error}: {opened.location}") from error
    except (TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, csv.Error, pa.ArrowException) as error:
        form = FORMATS[opened.recognised.name].title
        raise BadLayout(f"annotations must be as {form} has them, got {plain_words(error)}: {opened.location}") from error
    finder = Finder(source, images)
    start = source.folder.path if source.folder.is_local else source.folder.fs.unstrip_protocol(source.folder.path)
    inner = str(start)[len(base.rstrip("/")) :].strip("/")
    split_around = split_of_folders(inner.split("/")) if several else None
    read = ReadSource(opened, len(images), sum(len(image.boxes) for image in images))
    for image in images:
        found = finder.find(image)
        if found.path is None:
            read.missing.append(image)
            source.refuse(image.place, found.problem)
            continue
        source.remarks[found.how] += bool(found.how)
        whole = found.path if found.path.startswith("/") or "://" in found.path else f"{inner}/{found.path}".lstrip("/")
        read.paths.add(whole)
        joined.add(source, whole, image._replace(split=image.split or split_around))
    return read


def _with_doubts(source: Source, images: Iterable[AnnotatedImage]) -> Iterator[AnnotatedImage]:
    """The images of a reader; unclear are those at which an entry was not read."""
    lost = source.lost
    for image in images:
        yield image._replace(unclear=True) if source.lost > max(lost, source.marked) else image
        lost = source.lost


def _labels_of(settings: BuildSettings, images: Mapping[str, AnnotatedImage]) -> tuple[dict[str, tuple[str, ...]], bool]:
    """The labels of each image, and whether they are its own; raises BadLayout where both are used side by side."""
    of_objects = {path: tuple(dict.fromkeys(box.name for box in image.boxes if box.name)) for path, image in images.items()}
    own = sum(bool(image.labels) for image in images.values())
    others = [path for path, image in images.items() if of_objects[path] and not image.labels]
    if settings.labels_from == "auto" and own and others:
        raise BadLayout(
            f"labels must come from images or from their objects, got {plural(own, 'image')} with labels of their own and "
            f"{len(others):,} with objects alone ({some(others)}): {some(settings.annotations)}. Pass --labels_from images or "
            "objects"
        )
    if settings.labels_from == "images" or (own and settings.labels_from == "auto"):
        return {path: image.labels for path, image in images.items()}, True
    return of_objects, False


def _usable(
    settings: BuildSettings, listed: AnnotatedRows, images: Mapping[str, AnnotatedImage], labels: Mapping[str, tuple[str, ...]]
) -> list[str]:
    """The paths of the images that have one label, and a split where others have one; those that don't are named."""
    left: dict[str, list[str]] = {WITHOUT_LABEL: [], UNCLEAR: [], SEVERAL_LABELS: [], WITHOUT_SPLIT: []}
    by_split = any(image.split for image in images.values())
    usable = []
    for path, image in images.items():
        if not labels[path] and settings.unlabelled_images == "skip":
            left[WITHOUT_LABEL].append(path)
        elif not labels[path] and (image.unclear or not all(box.name for box in image.boxes)):
            left[UNCLEAR].append(path)
        elif len(labels[path]) > 1 and not listed.several:
            several = some(sorted(labels[path]), 5)
            problem = f"an image must have one label, got {several} for {image.path}. Pass --labels many to write all of them"
            left[SEVERAL_LABELS].append(path)
            _refuse(settings, listed, image, problem)
        elif by_split and not image.split:
            left[WITHOUT_SPLIT].append(path)
            _refuse(settings, listed, image, f"an image must have a split as others have, got none for {image.path}")
        else:
            usable.append(path)
    for what, paths in left.items():
        if paths and (what in (WITHOUT_LABEL, UNCLEAR) or settings.unusable_annotations == "skip"):
            listed.skipped[what] = len(paths)
            names = [f"{path} ({some(sorted(labels[path]))})" if what == SEVERAL_LABELS else path for path in paths]
            remedy = KEEP_THEM if what == WITHOUT_LABEL else ""
            listed.notes.append(f"annotations: {plural(len(paths), 'image')} skipped ({what}): {some(names)}{remedy}")
    if kept := [path for path in usable if not labels[path]]:
        listed.notes.append(f"annotations: {plural(len(kept), 'image')} without a label kept: {some(kept)}")
    return usable


def _refuse(settings: BuildSettings, listed: AnnotatedRows, image: AnnotatedImage, problem: str) -> None:
    if settings.unusable_annotations == "error":
        listed.places.append(image.place)
        listed.bad.append((len(listed.places), f"{problem}. {SKIP_THEM}"))


def _report_bad(settings: BuildSettings, listed: AnnotatedRows, reads: list[ReadSource]) -> None:
    """What the sources say is wrong, as errors, or as counts and notes where it is skipped."""
    for read in reads:
        bad = read.opened.source.bad
        if read.missing and len(read.missing) == read.images and all("must exist" in problem for _, problem in bad):
            first = some([image.path for image in read.missing])
            raise BadLayout(
                f"images must exist, got none of the {plural(read.images, 'image')} that {read.opened.location} names: "
                f"{first}. Pass --images_directory with the folder in which they are"
            )
        if settings.unusable_annotations == "error":
            for place, problem in bad:
                listed.places.append(place)
                listed.bad.append((len(listed.places), f"{problem}. {SKIP_THEM}" if "must exist" in problem else problem))
            continue
        counts = Counter(MISSING if "must exist" in problem else UNREADABLE for _, problem in bad)
        listed.skipped |= {what: listed.skipped.get(what, 0) + count for what, count in counts.items()}
        for what in counts:
            lines = [f"{problem}: {place}" for place, problem in bad if ("must exist" in problem) == (what == MISSING)]
            listed.notes.append(f"annotations: {counts[what]:,} skipped ({what}): {some(lines, 3, '; ')}")


def _refuse_nothing(listed: AnnotatedRows, reads: list[ReadSource], usable: list[str]) -> None:
    """Raise ValueError, saying what was seen, where annotations have no image that can be used, and nothing is wrong else."""
    for read in reads:
        unread = counted(read.opened.source.unread)
        dropped = read.opened.source.malformed
        more = f"; not read: {unread}" if unread else f"; {some(dropped, 1, '; ')}" if dropped else ""
        if not read.images and not read.opened.source.bad:
            raise BadLayout(f"annotations must name images, got none: read as {title(read)}{more}: {read.opened.location}")
        if read.paths.isdisjoint(usable) and not read.opened.source.bad and not listed.bad:
            why = "".join(f", {count:,} {what}" for what, count in listed.skipped.items())
            seen = f"{title(read)}: {plural(read.images, 'image')}, {plural(read.boxes, 'object')}{why}{more}"
            raise BadLayout(
                f"annotations must give images one label each, got none that has one: read as {seen}: {read.opened.location}"
            )


def _fill(
    settings: BuildSettings, listed: AnnotatedRows, images: Mapping[str, AnnotatedImage], labels: Mapping[str, tuple[str, ...]]
) -> None:
    """The rows of the images that are used."""
    splits = {images[path].split for path in labels}
    by_split = {split for split in splits if split}
    fractions = settings.validation_fraction or settings.test_fraction or settings.folds
    divided = bool(fractions or settings.group_pattern is not None)
    if by_split and divided and len(splits) > 1:
        names = some(sorted(by_split, key=SPLITS.index))
        raise BadLayout(
            f"fractions, folds and group_pattern must go with an input without splits of its own, got {names} in "
            f"{some(settings.annotations)}. Remove these settings"
        )
    if by_split and divided:
        listed.notes.append(f"annotations: all images are of {by_split.pop()} by their file's name; the settings divide them")
        by_split = set()
    lines = range(len(listed.places) + 1, len(listed.places) + 1 + len(labels))
    listed.places += [images[path].place for path in labels]
    listed.rows = pa.table(
        {
            "line": pa.array(lines, pa.int64()),
            "path": pa.array(labels.keys(), pa.string()),
            "label": pa.array([labels_text(names) if listed.several else names[0] for names in labels.values()], pa.string()),
            "split": pa.array([images[path].split if by_split else None for path in labels], pa.string()),
            "group": pa.nulls(len(labels), pa.string()),
            "labels": pa.nulls(len(labels), ROW.field("labels").type),
        },
        schema=ROW,
    )
    listed.rows = with_lists(listed.rows) if listed.several else listed.rows
    listed.columns |= {"split"} if by_split else set()
