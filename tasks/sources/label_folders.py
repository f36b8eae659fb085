"""Labels and listing from folders, one per label: what is taken, what is skipped, and every error of their layout."""

import shlex
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

import pyarrow as pa

from imagerecords.schemas.labels import (
    Labels,
    choose_labels,
    kept_label,
    missing_label,
    name_problems,
    nested_problems,
    numbered_name,
)
from imagerecords.schemas.listing import COLUMNS, Listing
from imagerecords.schemas.messages import first_lines, skipped_phrase, some
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.settings_rules import LIST_ENDINGS
from imagerecords.schemas.unicode_names import composed, form_notes, one_form
from imagerecords.tasks.sources.file_names import IMAGE_ENDINGS, ending_of, is_utf8
from imagerecords.tasks.sources.folder_names import SPLIT_NAMES, name_mistakes, name_notes
from imagerecords.tasks.sources.ignored import ignored_files
from imagerecords.tasks.sources.unlabelled import unlabelled_notes
from imagerecords.tasks.sources.walk import FoundFile, Level, ListingProgress, find_label_folders, read_level, walk_files
from imagerecords.tasks.storage.archives import unpacking
from imagerecords.tasks.storage.folders import Folder, open_folder

REMOTE_LISTINGS = 16  # label prefixes listed at once on object stores


@dataclass
class _Source:
    """One input directory while it is listed."""

    name: str
    folder: Folder
    found: Level
    folder_of: dict[str, str] = field(default_factory=dict)  # by label, which may have another Unicode form
    counts: dict[str, int] = field(default_factory=dict)


def survey_folders(
    settings: BuildSettings,
    listed: Mapping[str, int] | None,
    errors: list[str],
    locked: tuple[str, ...],
    report: Callable[[str], None],
) -> Listing:
    """The listing of all label folders, or what is wrong with them, after `errors` made before.

    `listed` are the labels of a labels file with their lines, `locked` those of the data set that is appended to.
    """
    errors = errors + list(nested_problems(listed or ()))
    sources = []
    for name, url in settings.directories().items():
        folder = open_folder(url, settings.storage_options)
        if not folder.exists():
            errors.append(f"{setting_of(name)} must be an existing directory: {url}. Check the path")
            continue
        if folder.fs.isfile(folder.path):
            errors.append(f"{setting_of(name)} must be a directory, got a file: {url}{_remedy_for_file(url)}")
            continue
        source = _Source(name, folder, find_label_folders(folder, frozenset(listed or ())))
        sources.append(source)
        errors += _folder_mistakes(source)
    if errors:
        return Listing.of_errors(first_lines(errors))
    errors, notes = _name_folders(settings, (*locked, *(listed or ())), sources)
    labels, more = _choose_labels(settings, listed, sources, locked)
    if listed is None and not locked:
        has_boxes = ignored_files(settings).has_boxes
        for source in sources:
            beside = [file.path for file in source.found.files if not has_boxes(source.folder, file.path)]
            names = (sorted(source.folder_of), beside, source.folder.url)
            errors += name_mistakes(*names)
            notes += name_notes(*names)
    if errors := [*errors, *more]:
        return Listing.of_errors(first_lines(errors))
    listing = _list_images(settings, labels, sources, ListingProgress(report))
    return replace(listing, notes=(*notes, *listing.notes))


def setting_of(source: str) -> str:
    """The setting that names the directory of a split, or of `data`."""
    return f"{source}_directory"


def _remedy_for_file(url: str) -> str:
    """What to do with a file that was passed for a directory."""
    if remedy := unpacking(url):
        return f". {remedy}"
    return f". Pass --image_list {shlex.quote(url)} if it lists images" if url.lower().endswith(LIST_ENDINGS) else ""


def _folder_mistakes(source: _Source) -> Iterable[str]:
    url = source.folder.url
    folders = source.found.folders
    images = [file.path for file in source.found.files if ending_of(file.path) in IMAGE_ENDINGS]
    if images:
        yield (
            f"images must lie in label folders, got {len(images)} beside them: {url}: {some(images)}. Move each into "
            "the folder of its label"
        )
    elif not folders:
        yield f"{setting_of(source.name)} must hold one folder per label, got none: {url}"
    splits = [name for name in folders if name.lower() in SPLIT_NAMES]
    inner = [name for name in splits if read_level(source.folder, name).folders]
    if splits != folders:  # "train" may be a label beside "bus"
        inner = [name for name in inner if not _has_images(source.folder, name)] if len(inner) > 1 else []
    if len(inner) > 1 or (inner and splits == folders):
        arguments = " ".join(f"--{_split_name(name)}_directory {shlex.quote(url.rstrip('/') + '/' + name)}" for name in inner)
        yield (
            f"{setting_of(source.name)} must hold one folder per label, got one per split: {url}: {some(splits)}. "
            f"Pass {arguments}"
        )


def _has_images(folder: Folder, name: str) -> bool:
    return any(ending_of(file.path) in IMAGE_ENDINGS for file in read_level(folder, name).files)


def _name_folders(settings: BuildSettings, known: Iterable[str], sources: list[_Source]) -> tuple[list[str], list[str]]:
    """Fill `folder_of` of each source, without excluded labels; returns the errors and notes that this makes."""
    excluded = set(map(composed, settings.exclude_labels))
    forms = one_form([folder for source in sources for folder in source.found.folders], known)
    errors: list[str] = []
    notes = list(form_notes("label folders", forms))
    left_out: set[str] = set()
    for source in sources:
        for folder in source.found.folders:
            label = forms[folder]
            if composed(folder) in excluded:
                left_out.add(folder)
            elif (other := source.folder_of.setdefault(label, folder)) != folder:
                errors.append(
                    f"a label must have one folder, got {other!r} and {folder!r}, whose names differ in Unicode form only: "
                    f"{source.folder.url}. Move the images into one of them"
                )
    if left_out:
        notes.append(f"label folders left out by exclude_labels: {some(sorted(left_out))}")
    return errors, [*notes, *unlabelled_notes({label for source in sources for label in source.folder_of})]


def _split_name(folder: str) -> str:
    name = folder.lower()
    return "train" if name.startswith("train") else "test" if name.startswith("test") else "validation"


def _choose_labels(
    settings: BuildSettings, listed: Mapping[str, int] | None, sources: list[_Source], locked: tuple[str, ...]
) -> tuple[Labels, list[str]]:
    """The labels, and what is wrong between labels file, folders and the labels of the data set that is appended to."""
    folders = {label for source in sources for label in source.folder_of}
    errors = []
    if listed is None:
        named = sorted(folders)
        errors += [f"{problem}. Rename the folder" for label in named for problem in name_problems(label)]
    else:
        named = [label for label in listed if label in folders or label not in locked]
        errors += _listed_mistakes(settings, {label: listed[label] for label in named}, folders)
        unlisted = sorted(folders - set(listed))
        if unlisted and settings.unlisted_labels == "error":
            errors.append(
                f"each label folder must be in the labels file, got {len(unlisted)} not listed: {settings.labels_file}: "
                f"{some(unlisted)}. Add them, or pass --unlisted_labels ignore"
            )
    labels, lost = choose_labels(named, locked, settings.labels_file, keep=settings.append_missing_labels == "keep")
    return labels, errors + lost


def _listed_mistakes(settings: BuildSettings, listed: Mapping[str, int], folders: set[str]) -> Iterable[str]:
    for label, line in listed.items():
        if label in folders:
            continue
        where = f"{settings.labels_file}, line {line}"
        if (name := numbered_name(label)) and name in folders:
            yield (
                f"a line of the labels file must be a name alone, got {label!r}: {where}. Write {name!r}: ids come from "
                "the order of the lines"
            )
        else:
            yield f"a listed label must have a folder, got none for {label!r}: {where}. Make it or remove the line"


def _list_images(settings: BuildSettings, labels: Labels, sources: list[_Source], progress: ListingProgress) -> Listing:
    errors: list[str] = []
    notes: list[str] = []
    skipped: Counter[str] = Counter()
    skips: defaultdict[str, Counter[str]] = defaultdict(Counter)
    tables = [COLUMNS.empty_table()]
    ignored = ignored_files(settings)
    for source in sources:
        skipped += source.found.skipped
        skipped["beside the label folders"] += len(source.found.files)
        taken = set(source.folder_of).intersection(labels.all) - labels.reserved
        present = [label for label in labels.all if label in taken]
        if unlisted := sorted(set(source.folder_of) - taken):
            notes.append(f"{source.folder.url}: {len(unlisted)} unlisted label folders ignored: {some(unlisted)}")
        walk = partial(walk_files, source.folder, advance=progress.advance, ignored=ignored)
        with ThreadPoolExecutor(1 if source.folder.is_local else REMOTE_LISTINGS) as threads:
            names = [source.folder_of[label] for label in present]
            for label, name, level in zip(present, names, threads.map(walk, names), strict=True):
                errors += _label_mistakes(settings, source, name, level.files)
                if settings.recursive and level.files and _wraps_labels(source, name, level.files):
                    remedy = f"If the sub-folders are the labels, {_inner_argument(source, name)}"
                    notes.append(f"{source.folder.url}: all images are in sub-folders of the one label {label!r}. {remedy}")
                skipped += level.skipped
                skips[label] += level.skipped
                source.counts[label] = len(level.files)
                tables.append(_table(source.name, labels.all.index(label) + 1, level.files))
    for label in labels.all:
        missing = [source.folder.url for source in sources if not source.counts.get(label)]
        if len(missing) == len(sources) and label in labels.locked:
            if settings.append_missing_labels == "error":
                errors.append(missing_label(label))
            else:
                notes.append(kept_label(label))
        elif len(missing) == len(sources):
            files = f", {skipped_phrase(skips[label])} skipped" if skips[label] else ""
            errors.append(
                f"a label must have images, got none for {label!r}: {some(missing)}{files}. Add some or remove the label"
            )
        else:
            notes.extend(f"{url}: no image of label {label!r}" for url in missing)
    if errors:
        return Listing.of_errors(first_lines(errors))
    roots = {source.name: source.folder.canonical_url for source in sources}
    return Listing(labels.all, roots, pa.concat_tables(tables), dict(+skipped), (), tuple(notes))


def _label_mistakes(settings: BuildSettings, source: _Source, name: str, files: list[FoundFile]) -> Iterable[str]:
    nested = [file.path for file in files if "/" in file.path[len(name) + 1 :]]
    if nested and not settings.recursive:
        remedy = f"Move them, or pass --recursive to give all of them the label {name!r}"
        if _wraps_labels(source, name, files):
            remedy = f"If the sub-folders are the labels, {_inner_argument(source, name)}; else pass --recursive"
        yield (
            f"images must lie right in their label's folder, got {len(nested)} in sub-folders: {source.folder.url}: "
            f"{some(nested)}. {remedy}"
        )
    unnameable = [ascii(file.path) for file in files if not is_utf8(file.path)]
    if unnameable:
        reads = sys.getfilesystemencoding()
        remedy = "Rename them" if reads == "utf-8" else f"Set PYTHONUTF8=1, since Python reads names as {reads} here"
        yield f"file names must be UTF-8, got {len(unnameable)} others: {source.folder.url}: {some(unnameable)}. {remedy}"


def _wraps_labels(source: _Source, name: str, files: list[FoundFile]) -> bool:
    """Whether a folder is the only one, and has all of its images in sub-folders: a level above the labels, it seems."""
    return list(source.folder_of.values()) == [name] and all("/" in file.path[len(name) + 1 :] for file in files)


def _inner_argument(source: _Source, name: str) -> str:
    inner = shlex.quote(f"{source.folder.url.rstrip('/')}/{name}")
    return f"pass --{setting_of(source.name)} {inner}"


def _table(source: str, label: int, files: list[FoundFile]) -> pa.Table:
    files = [file for file in files if is_utf8(file.path)]
    paths, sizes, versions = zip(*files, strict=True) if files else ((), (), ())
    known = [[source] * len(files), [label] * len(files), paths, sizes, versions]
    nothing = [pa.nulls(len(files), kind) for kind in COLUMNS.types[len(known) :]]
    return pa.table([*known, *nothing], schema=COLUMNS)
