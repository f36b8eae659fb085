"""CSV files of objects: TensorFlow's detection tutorials, keras-retinanet, GTSRB, ILSVRC's solutions; and how rows are read."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from imagerecords.schemas.messages import plural, some
from imagerecords.tasks.sources.annotations.geometry import no_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import SPLIT_OF, folder_of, join, split_of, split_of_path
from imagerecords.tasks.sources.csv_lines import delimiter_of, quoted_rows
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
    *("category_name", "labels", "target", "class_id", "classid", "category_id", "label_id"),
)
CORNER_COLUMNS = (
    ("xmin", "x1", "x_min", "left", "roi.x1"),
    ("ymin", "y1", "y_min", "top", "roi.y1"),
    ("xmax", "x2", "x_max", "right", "roi.x2"),
    ("ymax", "y2", "y_max", "bottom", "roi.y2"),
)


class Row(NamedTuple):
    """A row of a CSV file: its line, and its values by the lower-case names of their columns."""

    line: int
    values: dict[str, str]


def rows_of(source: Source, path: str, names: tuple[str, ...] = ()) -> Iterator[Row]:
    """The rows of a CSV file; without `names` its first line has them. A row with values behind the last column is refused."""
    rows = values_in(source, path)
    header = [name.lower() for name in names or next(rows, (0, []))[1]]
    if twice := sorted(name for name, count in Counter(header).items() if name and count > 1):
        raise ValueError(f"columns named twice: {some(twice)}. Rename or remove one: {source.place(path)}")
    for line, values in rows:
        if len(values) > len(header) and any(values[len(header) :]):
            problem = f"a row must have {plural(len(header), 'column')}, got {len(values)}"
            source.refuse(source.place(path, f"line {line}"), problem)
        else:
            yield Row(line, dict(zip(header, values, strict=False)))


def values_in(source: Source, path: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file that have values, each with the line where it begins; raises ValueError at a wrong quote."""
    text = source.text(path)
    if '"' not in text:
        yield from values_of(text)
        return
    try:
        for line, values in quoted_rows(io.StringIO(text, newline=""), delimiter_of(text.partition("\n")[0])):
            if any(value.strip() for value in values):
                yield line, [value.strip() for value in values]
    except ValueError as error:
        raise ValueError(f"{error}: {source.place(path)}") from error


def read_rows(text: str, names: tuple[str, ...] = ()) -> Iterator[Row]:
    """The rows of the beginning of a CSV text, which may end within a value; without `names` the first line has them."""
    rows = values_of(text)
    header = [name.lower() for name in names or next(rows, (0, []))[1]]
    for line, values in rows:
        yield Row(line, dict(zip(header, values, strict=False)))


def values_of(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV text that have values, without spaces round them, each with the line where it begins."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter_of(text.partition("\n")[0]), skipinitialspace=True)
    begins = 1
    for values in reader:
        if any(value.strip() for value in values):
            yield begins, [value.strip() for value in values]
        begins = reader.line_num + 1


def columns_of(text: str) -> list[str]:
    """The lower-case names in a CSV text's first line."""
    first = next(iter(text.lstrip("\ufeff").splitlines()), "")
    return [
        name.strip().lower() for name in next(csv.reader([first], delimiter=delimiter_of(first), skipinitialspace=True), [])
    ]


def column(columns: Iterable[str], wanted: Iterable[str]) -> str | None:
    """The first of the wanted columns that is there."""
    known = set(columns)
    return next((name for name in wanted if name in known), None)


def column_of_names(named: str, columns: Iterable[str], rows: Sequence[Row]) -> str:
    """The column of the classes' names where `named` has their numbers, one for each."""
    if not all(row.values.get(named, "").isdigit() for row in rows):
        return named
    for name in columns:
        if name != named and name.replace(" ", "_") in CLASS_COLUMNS:
            pairs = {(row.values.get(named), row.values.get(name)) for row in rows}
            texts = all(value and not value.isdigit() for _, value in pairs)
            if texts and len(pairs) == len({number for number, _ in pairs}) == len({text for _, text in pairs}):
                return name
    return named


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
        columns = columns_of(source.head(path))
        headless = not is_detection_table(columns)
        names = ("path", "xmin", "ymin", "xmax", "ymax", "class") if headless else ()
        columns = list(names) or columns
        image_column = column(columns, FILE_COLUMNS) or ""
        images: defaultdict[str, list[Row]] = defaultdict(list)
        for row in rows_of(source, path, names):
            if row.values.get(image_column):
                images[row.values[image_column]].append(row)
            else:
                source.refuse(source.place(path, f"line {row.line}"), "a row must name its image, got none")
        home = folder_of(path)
        stem = split_of(path)
        folders = [home, *(join(home, name) for name in folders_of(stem)), folder_of(home)]
        folders += [join(folder_of(home), name) for name in folders_of(stem)]
        every = [row for rows in images.values() for row in rows]
        relative = _is_relative(every)
        class_column = column_of_names(column(columns, CLASS_COLUMNS) or "", columns, every)
        of_split = column(columns, ("split", "subset", "set"))
        for image, rows in images.items():
            yield AnnotatedImage(
                path=image,
                place=source.place(path, f"line {rows[0].line}"),
                split=(SPLIT_OF.get(rows[0].values.get(of_split, "").lower()) if of_split else None) or split_of_path(path),
                boxes=tuple(_boxes(source, path, rows, class_column, relative=relative)),
                size=_size(rows[0]),
                by_stem=ending_of(image) not in IMAGE_ENDINGS,
                folders=tuple(dict.fromkeys(folders)),
            )


def folders_of(split: str | None) -> list[str]:
    """Where images lie beside a table, perhaps in folders of its split."""
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


def _boxes(source: Source, path: str, rows: Iterable[Row], named: str, *, relative: bool) -> Iterator[Box]:
    for row in rows:
        place, values = source.place(path, f"line {row.line}"), _values(row)
        name = row.values.get(named) or None
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
        for row in rows_of(source, path):
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
