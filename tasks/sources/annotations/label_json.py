"""JSON that gives images their labels and nothing else: a map of file to label, of label to files, or a line per image."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import Any

from imagerecords.tasks.sources.annotations.folders import has_label_folders
from imagerecords.tasks.sources.annotations.label_tables import BOX_COLUMNS, LABEL_COLUMNS, SPLIT_COLUMNS, names_columns
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Source
from imagerecords.tasks.sources.annotations.paths import SPLIT_OF, folder_of, join, split_of, split_of_path
from imagerecords.tasks.sources.annotations.tables import FILE_COLUMNS, column, folders_of
from imagerecords.tasks.sources.annotations.text_lists import differ_by_folder
from imagerecords.tasks.sources.file_names import IMAGE_ENDINGS, ending_of

VAGUE = ("label_json", "label_csv")  # formats of which a file may give images any text, not their labels
LOOKED_INTO = 20  # entries that decide what a file is
OBJECTS = BOX_COLUMNS | {
    "annotations",
    "objects",
    "regions",
    "shapes",
    "spans",
    "instances",
    "predictions",
    "detection",
    "score",
}


def is_label_map(source: Source, content: Any) -> bool:
    """Whether JSON is a map of images to labels, or of labels to images that are there."""
    if not isinstance(content, dict) or not content:
        return False
    if _images_are_keys(source, content):
        pairs = [(key, str(value)) for key, value in content.items()]
    elif _images_are_values(source, content):
        pairs = [(str(image), key) for key, each in content.items() for image in (each if isinstance(each, list) else [each])]
    else:
        return False
    are_splits = all(text.lower() in SPLIT_OF for _, text in pairs)
    return not are_splits and (not has_label_folders(source) or differ_by_folder(pairs))


def is_label_line(source: Source, line: Any) -> bool:
    """Whether a line of JSON Lines has an image that is there and its label, and no objects."""
    if not isinstance(line, dict) or not OBJECTS.isdisjoint(line):
        return False
    image, label = column(line, FILE_COLUMNS), column(line, LABEL_COLUMNS)
    return bool(image and label) and _is_image(source, line[image or ""]) and _labels(line[label or ""]) is not None


def read_label_json(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files."""
    for path in source.chosen:
        found: defaultdict[str, list[str]] = defaultdict(list)
        splits: dict[str, str | None] = {}
        places: dict[str, str] = {}
        entries = _lines(source, path) if ending_of(path) != ".json" else _entries(source, path)
        for place, image, value, split in entries:
            labels = _labels(value)
            if labels is None or not isinstance(image, str):
                source.refuse(place, f"an image must have a label or a list of them, got {str(value)[:60]!r}")
                continue
            found[image] += labels
            splits.setdefault(image, split)
            places.setdefault(image, place)
        home, of_file = folder_of(path), split_of_path(path)
        folders = tuple(join(start, name) for start in (home, folder_of(home)) for name in ("", *folders_of(of_file)))
        for image, labels in found.items():
            by_stem = ending_of(image) not in IMAGE_ENDINGS
            own = tuple(dict.fromkeys(labels))
            yield AnnotatedImage(image, places[image], own, splits[image] or of_file, by_stem=by_stem, folders=folders)


def _entries(source: Source, path: str) -> Iterator[tuple[str, Any, Any, str | None]]:
    content = source.json(path)
    content = content if isinstance(content, dict) else {}
    by_image = _images_are_keys(source, content)
    for key, value in content.items():
        place = source.place(path, f"key {key}")
        if by_image:
            yield place, key, value, None
        else:
            for image in value if isinstance(value, list) else [value]:
                yield place, image, key, None


def _lines(source: Source, path: str) -> Iterator[tuple[str, Any, Any, str | None]]:
    for place, line in source.json_lines(path):
        image, label = (column(line, names) if isinstance(line, dict) else None for names in (FILE_COLUMNS, LABEL_COLUMNS))
        split = split_of(str(line.get(column(line, SPLIT_COLUMNS) or "", ""))) if isinstance(line, dict) else None
        yield place, line[image] if image else None, line[label] if label else None, split


def _images_are_keys(source: Source, content: dict[str, Any]) -> bool:
    first = list(islice(content.items(), LOOKED_INTO))
    known = sum(_is_image(source, key) for key, _ in first)
    return known * 2 > len(first) and all(_labels(value) is not None for _, value in first)


def _images_are_values(source: Source, content: dict[str, Any]) -> bool:
    first = [
        image for value in islice(content.values(), LOOKED_INTO) for image in (value[:3] if isinstance(value, list) else [None])
    ]
    return bool(first) and sum(_is_image(source, image) for image in first) * 2 > len(first)


def _is_image(source: Source, name: Any) -> bool:
    return isinstance(name, str) and source.has_picture(name)


def _labels(value: Any) -> list[str] | None:
    """The labels that a value is: a text, a whole number, or a list of these; None where it is anything else."""
    values = value if isinstance(value, list) else [value]
    if any(isinstance(each, bool) or not isinstance(each, str | int | None) for each in values):
        return None
    return [str(each) for each in values if each not in ("", None)]


def pop_vague(source: Source, found: defaultdict[str, list[str]]) -> dict[str, list[str]]:
    """The files of VAGUE formats that are not known by what they are called inside, removed from those that were found."""
    vague = {"label_json": found.pop("label_json", []), "label_csv": found.pop("label_csv", [])}
    if named := [path for path in vague["label_csv"] if names_columns(source.head(path))]:
        found["label_csv"] = named
        vague["label_csv"] = [path for path in vague["label_csv"] if path not in named]
    return {name: paths for name, paths in vague.items() if paths}
