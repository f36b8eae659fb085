"""CSV files: TensorFlow's detection tutorials, keras-retinanet, ILSVRC's solutions and Roboflow's one-hot classes."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from imagerecords.tasks.sources.annotations.geometry import no_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of, split_of_path
from imagerecords.tasks.sources.file_names import IMAGE_ENDINGS, ending_of

FILE_COLUMNS = (
    "filename",
    "file_name",
    "file",
    "image",
    "path",
    "image_path",
    "img",
    "image_name",
    "imagename",
    "image_id",
    "filepath",
    "file_path",
    "img_path",
    "fname",
    "id_code",
    "id",
)
CLASS_COLUMNS = (
    *("class", "label", "class_name", "classname", "name", "category", "label_name"),
    *("category_name", "labels", "target", "class_id", "category_id", "label_id"),
)
BOX_COLUMNS = {"bbox", "bboxes", "box", "boxes", "bbox_x", "x", "x1", "xmin", "x_min", "left", "x_center", "xcenter"}
NO_OTHERS = 2  # columns of a table that has a file and a class alone
FLAGS = {"1": True, "0": False, "1.0": True, "0.0": False}
SPLIT_COLUMNS = ("split", "subset", "set")
CORNER_COLUMNS = (
    ("xmin", "x1", "x_min", "left"),
    ("ymin", "y1", "y_min", "top"),
    ("xmax", "x2", "x_max", "right"),
    ("ymax", "y2", "y_max", "bottom"),
)


class Row(NamedTuple):
    """A row of a CSV file: its line, and its values by the lower-case names of their columns."""

    line: int
    values: dict[str, str]


def read_rows(text: str, names: tuple[str, ...] = ()) -> Iterator[Row]:
    """The rows of a CSV text, divided by what its first line is divided by; without `names` that line has them."""
    first = text.partition("\n")[0]
    divider = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=divider, skipinitialspace=True)
    header = [name.strip().lower() for name in (list(names) or next(reader, []))]
    for values in reader:
        if any(value.strip() for value in values):
            yield Row(reader.line_num, dict(zip(header, (value.strip() for value in values), strict=False)))


def columns_of(text: str) -> list[str]:
    """The lower-case names in a CSV text's first line."""
    first = next(iter(text.lstrip("\ufeff").splitlines()), "")
    divider = max(",;\t", key=first.count)
    return [name.strip().lower() for name in next(csv.reader([first], delimiter=divider, skipinitialspace=True), [])]


def column(columns: Iterable[str], wanted: Iterable[str]) -> str | None:
    """The first of the wanted columns that is there."""
    known = set(columns)
    return next((name for name in wanted if name in known), None)


def is_detection_table(columns: Iterable[str]) -> bool:
    """Whether columns are those of TensorFlow's detection tutorials."""
    columns = list(columns)
    corners = all(column(columns, names) for names in CORNER_COLUMNS)
    corners = corners and "x3" not in columns  # those are four corners of a rotated box
    return corners and column(columns, FILE_COLUMNS) is not None and column(columns, CLASS_COLUMNS) is not None


def is_retinanet_row(values: list[str]) -> bool:
    """Whether a first line is one of keras-retinanet's: path, four pixels or nothing, class."""
    if len(values) != 6 or not values[0]:
        return False
    corners = values[1:5]
    return all(value.strip().lstrip("-").replace(".", "", 1).isdigit() for value in corners) or not any(values[1:])


def read_detection_table(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files, of which each row is an object."""
    for path in source.chosen:
        text = source.text(path)
        columns = columns_of(text)
        headless = not is_detection_table(columns)
        names = ("path", "xmin", "ymin", "xmax", "ymax", "class") if headless else ()
        columns = list(names) or columns
        image_column = column(columns, FILE_COLUMNS) or ""
        images: defaultdict[str, list[Row]] = defaultdict(list)
        for row in read_rows(text, names):
            if row.values.get(image_column):
                images[row.values[image_column]].append(row)
            else:
                source.refuse(source.place(path, f"line {row.line}"), "a row must name its image, got none")
        home = folder_of(path)
        stem = split_of(path)
        folders = [home, *(join(home, name) for name in _folders(stem)), folder_of(home)]
        folders += [join(folder_of(home), name) for name in _folders(stem)]
        relative = _is_relative(row for rows in images.values() for row in rows)
        for image, rows in images.items():
            yield AnnotatedImage(
                path=image,
                place=source.place(path, f"line {rows[0].line}"),
                split=split_of_path(path),
                boxes=tuple(_boxes(source, path, rows, relative=relative)),
                size=_size(rows[0]),
                by_stem=ending_of(image) not in IMAGE_ENDINGS,
                folders=tuple(dict.fromkeys(folders)),
            )


def is_label_table(columns: Iterable[str]) -> bool:
    """Whether a table has a file and a class, and nothing of boxes."""
    columns = list(columns)
    return column(columns, FILE_COLUMNS) is not None and class_column(columns) is not None and BOX_COLUMNS.isdisjoint(columns)


def class_column(columns: list[str]) -> str | None:
    """The column of the class: by its name, or the only one beside the file's, whatever its name."""
    named = column(columns, CLASS_COLUMNS)
    return columns[1] if named is None and len(columns) == NO_OTHERS and columns[0] in FILE_COLUMNS else named


def read_label_table(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files, a row each, or several rows of one image with several labels."""
    for path in source.chosen:
        text = source.text(path)
        columns = columns_of(text)
        image_column, class_name = column(columns, FILE_COLUMNS) or "", class_column(columns) or ""
        for name in columns:
            if name not in (image_column, class_name, *SPLIT_COLUMNS):
                source.unread[f"column {name}"] += 1
        images: defaultdict[str, list[Row]] = defaultdict(list)
        for row in read_rows(text):
            images[row.values.get(image_column, "")].append(row)
        home, split = folder_of(path), split_of_path(path)
        folders = [join(start, name) for start in (home, folder_of(home)) for name in ("", *_folders(split))]
        for image, rows in images.items():
            place = source.place(path, f"line {rows[0].line}")
            if not image:
                source.refuse(place, "a row must name its image, got none")
                continue
            labels = tuple(dict.fromkeys(value for row in rows if (value := row.values.get(class_name))))
            by_stem = ending_of(image) not in IMAGE_ENDINGS
            written = rows[0].values.get(column(columns, SPLIT_COLUMNS) or "", "")
            yield AnnotatedImage(image, place, labels, split_of(written) or split, by_stem=by_stem, folders=tuple(folders))


def _folders(split: str | None) -> list[str]:
    names = {"train": ["train"], "validation": ["val", "valid", "validation"], "test": ["test"]}.get(split or "", [])
    return ["images", "data", *(f"images/{name}" for name in names), *names, *(f"{name}/images" for name in names)]


def _size(row: Row) -> tuple[float, float]:
    try:
        return no_of(row.values.get("width") or 0), no_of(row.values.get("height") or 0)
    except ValueError:
        return 0, 0


def _values(row: Row) -> list[str]:
    return [row.values.get(column(row.values, names) or "", "") for names in CORNER_COLUMNS]


def _is_relative(rows: Iterable[Row]) -> bool:
    """Whether corners are relative: none beyond 1, and not all whole numbers."""
    fractions = False
    for row in rows:
        try:
            values = [no_of(value) for value in _values(row)]
        except ValueError:
            continue
        if max(values) > 1:
            return False
        fractions = fractions or any(not value.is_integer() for value in values)
    return fractions


def _boxes(source: Source, path: str, rows: Iterable[Row], *, relative: bool) -> Iterator[Box]:
    for row in rows:
        place, values = source.place(path, f"line {row.line}"), _values(row)
        name = row.values.get(column(row.values, CLASS_COLUMNS) or "") or None
        if not any(values) and not name:
            continue  # keras-retinanet's image without objects
        if not any(values):
            source.leave_object(f"row without a box ({name})")
            continue
        try:
            xmin, ymin, xmax, ymax = map(no_of, values)
        except ValueError:
            source.drop_box(place, f"a box must have four numbers, got {', '.join(values)!r}")
            continue
        yield Box((xmin, ymin, xmax, ymax), name, place, relative)


def is_ilsvrc_solution(columns: Iterable[str]) -> bool:
    """Whether columns are those of `LOC_train_solution.csv`."""
    return {"imageid", "predictionstring"} <= set(columns)


def read_ilsvrc(source: Source) -> Iterator[AnnotatedImage]:
    """The images of LOC_*_solution.csv: an id, and `synset xmin ymin xmax ymax` for each object, in pixels."""
    for path in source.chosen:
        split = split_of_path(path)
        for row in read_rows(source.text(path)):
            place, words = source.place(path, f"line {row.line}"), row.values.get("predictionstring", "").split()
            image = row.values.get("imageid", "")
            boxes = []
            for start in range(0, len(words) - len(words) % 5, 5):
                try:
                    xmin, ymin, xmax, ymax = map(no_of, words[start + 1 : start + 5])
                    boxes.append(Box((xmin, ymin, xmax, ymax), words[start], place))
                except ValueError:
                    source.drop_box(place, f"an object must be a synset and four numbers, got {words[start : start + 5]}")
            if len(words) % 5 or not image:
                source.refuse(place, f"a row must have an ImageId and five words per object, got {len(words)}")
            names = {"train": "train", "validation": "val", "test": "test"}
            home = folder_of(path)
            below = [f"ILSVRC/Data/CLS-LOC/{names[split]}", f"Data/CLS-LOC/{names[split]}", names[split]] if split else []
            folders = [join(home, name) for name in (*below, "", "images")]
            if split == "train":
                folders += [join(folder, image.partition("_")[0]) for folder in folders]
            yield AnnotatedImage(image, place, split=split, boxes=tuple(boxes), by_stem=True, folders=tuple(folders))


def is_one_hot(columns: list[str], first: list[str], name: str) -> bool:
    """Whether a CSV is Roboflow's `_classes.csv`, or like it: a file name, and a column of 0 or 1 for each class."""
    named = bool(columns) and columns[0] in FILE_COLUMNS
    several = len(columns) > NO_OTHERS and not any(known in columns for known in CLASS_COLUMNS[:5])
    flags = len(first) == len(columns) and all(value.strip() in FLAGS for value in first[1:])
    return named and flags and (several or name == "_classes.csv")


def read_one_hot(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files, with the classes whose column is 1."""
    for path in source.chosen:
        text = source.text(path)
        header = next(csv.reader(io.StringIO(text), skipinitialspace=True), [])
        for row in read_rows(text):
            place = source.place(path, f"line {row.line}")
            names = _set(source, header[1:], row.values, place)
            image = row.values.get(header[0].strip().lower(), "")
            home = folder_of(path)
            by_stem = ending_of(image) not in IMAGE_ENDINGS
            folders = (home, join(home, "images"), join(home, "train"), "")
            yield AnnotatedImage(image, place, names, split_of_path(path), by_stem=by_stem, folders=folders)


def _set(source: Source, header: list[str], values: Mapping[str, str], place: str) -> tuple[str, ...]:
    found = []
    for name in header:
        value = values.get(name.strip().lower(), "")
        if FLAGS.get(value):
            found.append(name.strip())
        elif value not in FLAGS:
            source.refuse(place, f"a class's column must be 0 or 1, got {value!r} for {name.strip()}")
    return tuple(found)
