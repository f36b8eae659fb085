"""CSV files of labels: a row per image with its class or classes, or a column of 0 or 1 for each class."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from imagerecords.schemas.json_text import parse_json
from imagerecords.schemas.messages import plural
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Source
from imagerecords.tasks.sources.annotations.paths import SPLIT_OF, folder_of, join, split_of, split_of_folders, split_of_path
from imagerecords.tasks.sources.annotations.tables import (
    CLASS_COLUMNS,
    FILE_COLUMNS,
    Row,
    column,
    column_of_names,
    columns_of,
    folders_of,
    read_rows,
    rows_of,
    values_in,
)
from imagerecords.tasks.sources.file_names import IMAGE_ENDINGS, ending_of

LABEL_COLUMNS = (*CLASS_COLUMNS, "tags", "finding_labels", "diagnosis", "dx", "breed", "attribute_ids", "classes", "targets")
BOX_COLUMNS = {"bbox", "bboxes", "box", "boxes", "bbox_x", "x", "x1", "xmin", "x_min", "left", "x_center", "xcenter", "roi.x1"}
SPLIT_COLUMNS = ("split", "subset", "set", "data_set", "dataset", "partition", "is_valid", "is_test", "fold", "kfold", "usage")
NO_LABELS = {"width", "height", "url", "md5", "sha256", "size", "caption", "text", "description", "x_1", "y_1", *SPLIT_COLUMNS}
IS_SPLIT = {"is_valid": {"true": "validation", "1": "validation"}, "is_test": {"true": "test", "1": "test"}}
SINGULAR = ("ss", "is", "us", "species", "series")  # ends of names that are not plural: class, diagnosis, status
OF_WORDS = ("tags", "attribute_ids")  # columns that have a word for each of several labels
NO_OTHERS = 2  # columns of a table that has a file and a class alone
FIRST, SECOND = "first column", "second column"  # of a table without a header
FRACTION = re.compile(r"-?\d*\.\d*[1-9]\d*")
LOOKED_INTO = 20  # rows that decide which column names the images
FLAGS = {"1": True, "0": False, "1.0": True, "0.0": False, "true": True, "false": False}
AS_SIGNS = {"1": True, "-1": False, "1.0": True, "-1.0": False}  # CelebA's


class Columns(NamedTuple):
    """Which columns of a table name the image, its class and its split."""

    image: str
    label: str
    split: str | None


def columns_in(source: Source, text: str) -> Columns | None:
    """The columns of a table of labels; None where one has boxes, or no class that its name or place makes known."""
    if headless(source, text):
        first, second = (FIRST, SECOND) if source.has_picture(columns_of(text)[0]) else (SECOND, FIRST)
        return Columns(first, second, None)
    columns = columns_of(text)
    plain = {name.replace(" ", "_"): name for name in columns}
    image = image_column(source, text)
    boxes = not BOX_COLUMNS.isdisjoint(plain) or any(name.startswith("bbox") for name in plain)
    if image is None or boxes or {"x_1", "y_1"} <= plain.keys():
        return None
    others = {short: name for short, name in plain.items() if name != image}
    named = column(others, LABEL_COLUMNS)
    label = others[named] if named else None
    if label is None and len(columns) == NO_OTHERS and NO_LABELS.isdisjoint(others) and _are_classes(text, image):
        label = next(iter(others.values()), None)
    if label is None:
        return None
    split = column(others, SPLIT_COLUMNS)
    return Columns(image, label, others[split] if split else None)


def names_columns(text: str) -> bool:
    """Whether a table's header names the column of its images as tools do."""
    return not {*columns_of(text)}.isdisjoint(FILE_COLUMNS)


def headless(source: Source, text: str) -> bool:
    """Whether a table of two columns begins with an image and its class, in any order, without a header."""
    columns = columns_of(text)
    named = not {*columns}.isdisjoint(FILE_COLUMNS)
    return len(columns) == NO_OTHERS and not named and any(map(source.has_picture, columns))


def has_images(source: Source, path: str) -> bool:
    """Whether a table names images that are there; one of the classes' names by their numbers does not."""
    text = source.head(path)
    found = columns_in(source, text)
    if found is None:
        return False
    names = (FIRST, SECOND) if headless(source, text) else ()
    rows = [row for _, row in zip(range(LOOKED_INTO), read_rows(text, names), strict=False)]
    return any(source.has_picture(row.values.get(found.image, "")) for row in rows)


def _are_classes(text: str, image: str) -> bool:
    """Whether the values beside the images are classes: no fractions, and not another one for most images."""
    values = [value for row in read_rows(text) for name, value in row.values.items() if name != image]
    fractions = any(FRACTION.fullmatch(value) for value in values)
    return not fractions and (len(values) <= LOOKED_INTO or len(set(values)) * 2 < len(values))


def image_column(source: Source, text: str) -> str | None:
    """The column that names the images: one whose first values are files that are there, else by its name, else by stems."""
    columns = columns_of(text)
    rows = [row for _, row in zip(range(LOOKED_INTO), read_rows(text), strict=False)]
    plain = {name.replace(" ", "_"): name for name in columns}
    named = plain.get(column(plain, FILE_COLUMNS) or "")
    of_files: list[str] = []
    of_stems: list[str] = []
    for name in columns:
        values = [row.values.get(name, "") for row in rows]
        if sum(map(source.has_picture, values)) * 2 > len(rows):
            (of_files if all(map(ending_of, values)) else of_stems).append(name)
    if named and (named in of_files or not of_files):
        return named
    return next(iter([*of_files, *of_stems]), None)


def read_label_table(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files, a row each, or several rows of one image with several labels."""
    for path in source.chosen:
        text = source.text(path)
        found = columns_in(source, text)
        if found is None:
            source.refuse(source.place(path), "a table must name images and one class, by columns such as filename and label")
            continue
        names = (FIRST, SECOND) if headless(source, text) else ()
        columns = list(names) or columns_of(text)
        rows = list(rows_of(source, path, names))
        found = found._replace(label=column_of_names(found.label, [name for name in columns if name != found.image], rows))
        if not _are_splits(found.split, rows):
            found = found._replace(split=None)
        others = [name for name in columns if name not in found]
        for name in others:
            source.unread[f"column {name or 'without a name'}"] += 1
        source.remarks[f"row whose label is in column {found.label}"] += len(rows) if others else 0
        divider = divider_of(found.label, {row.values.get(found.label, "") for row in rows})
        images: defaultdict[str, list[Row]] = defaultdict(list)
        for row in rows:
            images[row.values.get(found.image, "")].append(row)
        home, split = folder_of(path), split_of_path(path)
        folders = [join(start, name) for start in (home, folder_of(home)) for name in ("", *folders_of(split))]
        by_folder = _splits_of_folders(images) if found.split is None and split is None else {}
        for image, of_image in images.items():
            place = source.place(path, f"line {of_image[0].line}")
            if not image:
                source.refuse(place, "a row must name its image, got none")
                continue
            labels = [label for row in of_image for label in _labels(row.values.get(found.label, ""), divider)]
            source.remarks["row with several labels"] += len(labels) > len(of_image)
            written = _split(source, found.split, of_image[0])
            by_stem = ending_of(image) not in IMAGE_ENDINGS
            labels = list(dict.fromkeys(labels))
            yield AnnotatedImage(
                image, place, tuple(labels), written or split or by_folder.get(image), by_stem=by_stem, folders=tuple(folders)
            )


def _splits_of_folders(images: Collection[str]) -> dict[str, str]:
    """The splits that folders in images' paths name, where each has one and there are several."""
    found = {image: split_of_folders(image.replace("\\", "/").split("/")[:-1]) for image in images}
    splits = {image: split for image, split in found.items() if split}
    return splits if len(splits) == len(images) and len(set(splits.values())) > 1 else {}


def _are_splits(name: str | None, rows: Sequence[Row]) -> bool:
    """Whether a column is of splits: by its name, or by its values, since `usage` or `dataset` may mean anything."""
    if name is None or name in ("split", "subset", "set", *IS_SPLIT):
        return True
    return all(split_of(value) for row in rows if (value := row.values.get(name, "")))


def _split(source: Source, name: str | None, row: Row) -> str | None:
    if name is None:
        return None
    value = row.values.get(name, "")
    if name in IS_SPLIT:
        return IS_SPLIT[name].get(value.lower(), "train")
    if value and value.lower() not in SPLIT_OF and not split_of(value):
        source.unread[f"value of column {name} that is no split"] += 1
    return split_of(value)


def divider_of(name: str, values: Collection[str]) -> str | None:
    """What stands between several labels of one cell; None where cells have one each.

    The name of the column is plural, or a part stands alone elsewhere. Labels may have spaces, so words count as labels of
    their own only where all are numbers, or where the column's name is plural and words stand alone or come in many pairings.
    """
    if name in OF_WORDS:
        return " "
    several = name.endswith("s") and not name.endswith(SINGULAR)
    whole = {value for value in values if not value.startswith("[")}
    for divider in "|;,":
        parts = {part.strip() for value in whole if divider in value for part in value.split(divider)}
        if parts and (several or parts <= whole or (divider == "|" and not parts.isdisjoint(whole))):
            return divider
    of_several = {value for value in values if " " in value}
    words = {word for value in of_several for word in value.split()}
    if of_several and all(word.isdigit() for value in values for word in value.split()):
        return " "
    return " " if several and of_several and (not words.isdisjoint(values) or len(words) < len(of_several)) else None


def _labels(value: str, divider: str | None) -> list[str]:
    """The labels of one cell, which may be the JSON text of a list, or a list as Python prints it."""
    if value.startswith("[") and value.endswith("]"):
        for text in (value, value.replace("'", '"')):
            try:
                found = parse_json(text)
            except ValueError:
                continue
            if isinstance(found, list) and all(isinstance(each, str | int) for each in found):
                return [str(each) for each in found if str(each)]
    parts = value.split(divider) if divider else [value]
    return [part.strip() for part in parts if part.strip()]


def is_one_hot(source: Source, columns: list[str], first: list[str], name: str) -> bool:
    """Whether a CSV is Roboflow's `_classes.csv`, or like it: a file name, and a column of 0 or 1 for each class."""
    named = bool(columns and first) and (columns[0] in FILE_COLUMNS or source.has_picture(first[0].strip()))
    several = len(columns) > NO_OTHERS and not any(known in columns for known in CLASS_COLUMNS[:5])
    flags = len(first) == len(columns) and all(value.strip().lower() in FLAGS | AS_SIGNS for value in first[1:])
    return named and flags and (several or name == "_classes.csv")


def read_one_hot(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files, with the classes whose column is 1; columns go by place: names may repeat."""
    for path in source.chosen:
        rows = values_in(source, path)
        _, header = next(rows, (0, []))
        table = []
        for line, values in rows:
            if len(values) == len(header):
                table.append((line, values))
            else:
                problem = f"a row must have {plural(len(header), 'column')}, got {len(values)}"
                source.refuse(source.place(path, f"line {line}"), problem)
        seen = {value.lower() for _, values in table for value in values[1:]}
        flags = AS_SIGNS if seen <= AS_SIGNS.keys() and not seen <= FLAGS.keys() else FLAGS
        for line, (image, *values) in table:
            place = source.place(path, f"line {line}")
            names = []
            for name, value in zip(header[1:], values, strict=True):
                if value.lower() not in flags:
                    source.refuse(place, f"a class's column must be 0 or 1, got {value!r} for {name}")
                elif flags[value.lower()]:
                    names.append(name)
            home = folder_of(path)
            by_stem = ending_of(image) not in IMAGE_ENDINGS
            folders = (home, join(home, "images"), join(home, "train"), "")
            yield AnnotatedImage(image, place, tuple(names), split_of_path(path), by_stem=by_stem, folders=folders)
