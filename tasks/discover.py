"""discover: labels, boxes and a sorted listing of images, from wherever the settings say; all errors are reported at once."""

import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

import pyarrow.compute as pc

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.label_map import ENDINGS, read_label_map
from imagerecords.schemas.labels import likeness_notes, number_notes, read_labels, read_synsets
from imagerecords.schemas.listing import Listing
from imagerecords.schemas.messages import first_lines, plural
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.unicode_names import composed, one_form
from imagerecords.tasks.images.opening import register_heic
from imagerecords.tasks.sources.exclude import exclude_images
from imagerecords.tasks.sources.input_files import read_text
from imagerecords.tasks.sources.label_folders import setting_of, survey_folders
from imagerecords.tasks.storage.folders import open_folder, open_output

T = TypeVar("T")

HEIC_NAMES = r"(?i)\.(heic|heif)$"


def discover_images(
    settings: BuildSettings,
    existing: tuple[str, ...] = (),
    note: Callable[[str], None] = lambda _: None,
    objects: tuple[str, ...] = (),
) -> Listing:
    """The labels and the sorted listing of all input images.

    `existing` are the labels of the data set that is appended to, `objects` its classes of objects, where those are others.

    A long listing calls `note` with a line now and then. Raises BadLayout, with a line for each error, when folders, labels,
    image list or boxes are not as the settings say.
    """
    listing = survey(settings, existing, note, objects)
    if listing.errors:
        raise BadLayout("\n".join(listing.errors))
    return listing


def survey(
    settings: BuildSettings,
    existing: tuple[str, ...] = (),
    note: Callable[[str], None] = lambda _: None,
    objects: tuple[str, ...] = (),
) -> Listing:
    """The same, but with errors listed instead of raised; where the layout is wrong, images may be missing."""
    errors = list(_directory_errors(settings))
    labels_in_file, texts = None, None
    if settings.labels_file is not None:
        read = read_label_map if settings.labels_file.lower().endswith(ENDINGS) else read_labels
        found, problems = _read(settings, "labels_file", read)
        labels_in_file = {label: found[name] for name, label in one_form(found, existing).items()}
        errors += problems
    if settings.synsets_file is not None:
        texts, problems = _read(settings, "synsets_file", read_synsets)
        errors += problems
    if settings.listed_by:
        from imagerecords.tasks.sources.listed_images import survey_list  # slow, as all that reads exports is

        listing = Listing.of_errors(errors) if errors else survey_list(settings, labels_in_file, existing)
    else:
        listing = survey_folders(settings, labels_in_file, errors, existing, note)
        if listing.errors and not errors:
            from imagerecords.tasks.sources.annotations.source import exports_in  # slow, as above

            listing = Listing.of_errors([*listing.errors, *exports_in(settings)])
    if texts is not None and not listing.errors:
        listing = _with_texts(settings, listing, texts)
    if settings.bounding_boxes and not listing.errors:
        from imagerecords.tasks.sources.add_boxes import add_boxes

        listing = add_boxes(settings, listing)
    if settings.features == "detection" and listing.boxes is None and not listing.errors:
        return Listing.of_errors(
            ["features must be detection only with boxes, got an input without any. Pass --bounding_boxes"]
        )
    if listing.object_labels is not None and not listing.errors:
        from imagerecords.tasks.sources.object_labels import number_objects

        listing = number_objects(settings, listing, objects)
    if listing.errors:
        return listing
    ordered = () if settings.labels_file or existing else number_notes(listing.labels)
    notes = (*listing.notes, *likeness_notes(listing.labels), *ordered, *_heic_notes(listing))
    listing = replace(listing, notes=notes)
    return exclude_images(settings, listing)


def _heic_notes(listing: Listing) -> Iterable[str]:
    """A note where images are HEIC by their names, which no decoder here reads: better now than after an hour."""
    count = pc.sum(pc.match_substring_regex(listing.images["path"], HEIC_NAMES)).as_py() or 0
    if count and not register_heic():
        yield f"{plural(count, 'image')} in HEIC will be rejected without a decoder: pip install 'imagerecords[heic]'"


def _directory_errors(settings: BuildSettings) -> Iterable[str]:
    if settings.tensorflow_check != "none" and importlib.util.find_spec("tensorflow") is None:
        yield (
            f"tensorflow_check must be none where TensorFlow is not installed, got {settings.tensorflow_check}. "
            "Run pip install tensorflow, or drop it: every record is read back without it too"
        )
    output = open_output(settings)
    if not output.path:
        yield f"output_directory must name a directory or prefix, got {settings.output_directory!r}"
    seen: dict[str, str] = {}
    for name, url in settings.directories().items():
        folder = open_folder(url, settings.storage_options)
        if other := seen.get(folder.canonical_url):
            yield f"{setting_of(name)} must differ from {setting_of(other)}, got one directory for both splits: {url}"
        seen[folder.canonical_url] = name
        same = type(folder.fs) is type(output.fs)
        if same and (output.path == folder.path or output.path.startswith(folder.path + "/")):
            yield (
                f"output_directory must lie outside the input, got {settings.output_directory} inside "
                f"{setting_of(name)} {url}. Choose another output"
            )
    for url in settings.annotations:
        folder = open_folder(url, settings.storage_options)
        if type(folder.fs) is type(output.fs) and f"{output.path}/".startswith(f"{folder.path}/"):
            yield (
                f"output_directory must lie outside the input, got {settings.output_directory} inside annotations {url}. "
                "Choose another output"
            )


def _read(
    settings: BuildSettings, setting: str, read: Callable[[str, str], tuple[dict[str, T], list[str]]]
) -> tuple[dict[str, T], list[str]]:
    """The content of the file that a setting names, and its errors."""
    location = getattr(settings, setting)
    text, errors = read_text(setting, location, settings.storage_options)
    return ({}, errors) if errors else read(text, location)


def _with_texts(settings: BuildSettings, listing: Listing, texts: dict[str, str]) -> Listing:
    """The listing with the human text of each label, which is a synset."""
    texts = {composed(synset): text for synset, text in texts.items()}
    errors = [
        f"each label must be a synset of synsets_file, got {label!r}: {settings.synsets_file}. Add a line for it"
        for label in listing.labels
        if composed(label) not in texts
    ]
    if errors:
        return Listing.of_errors(first_lines(errors))
    return replace(listing, texts=tuple(texts[composed(label)] for label in listing.labels))
