"""Tables without a header: Google AutoML's and Vertex AI's CSV, the boxes of Make Sense, and YOLO's text file for Keras."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from imagerecords.tasks.sources.annotations.geometry import from_size, no_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import SPLIT_OF, folder_of, join, split_of_path
from imagerecords.tasks.sources.annotations.tables import values_in
from imagerecords.tasks.sources.file_names import IMAGE_ENDINGS, ending_of

KERAS = "_annotations.txt"  # as Roboflow names it, with the names of classes in _classes.txt
OBJECTS = re.compile(r"(.*?)((?: +-?\d+,-?\d+,-?\d+,-?\d+,\d+)*)")
USES = {**SPLIT_OF, "unassigned": None}


def is_automl_row(values: list[str]) -> bool:
    """Whether a first line is AutoML's: perhaps a split, an image's URL, labels or a label and corners."""
    use = bool(values) and values[0].strip().lower() in USES
    return (
        (use or (bool(values) and "://" in values[0]))
        and len(values) > 1 + use
        and ending_of(values[use].strip()) in IMAGE_ENDINGS
    )


def is_make_sense_row(values: list[str]) -> bool:
    """Whether a first line is Make Sense's: label, x, y, width, height, image, its width and height."""
    if len(values) != 8 or ending_of(values[5].strip()) not in IMAGE_ENDINGS:
        return False
    return all(value.strip().lstrip("-").replace(".", "", 1).isdigit() for value in (*values[1:5], *values[6:]))


def _rows(source: Source, path: str) -> Iterator[tuple[str, list[str]]]:
    for line, values in values_in(source, path):
        yield source.place(path, f"line {line}"), values


def read_automl(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files, of which each row is a box, or has all labels of an image."""
    beside = Counter(path.rpartition("/")[2] for path in source.pictures)
    for path in source.chosen:
        images: defaultdict[str, list[tuple[str, str | None, list[str]]]] = defaultdict(list)
        for place, values in _rows(source, path):
            if not is_automl_row(values):
                source.refuse(
                    place, f"a row must have an image's URL, labels or a label and corners, got {','.join(values)[:80]!r}"
                )
                continue
            use = USES.get(values[0].lower()) if values[0].lower() in USES else None
            rest = values[1:] if values[0].lower() in USES else values
            images[rest[0]].append((place, use, rest[1:]))
        for url, rows in images.items():
            labels: list[str] = []
            boxes: list[Box] = []
            for place, _, values in rows:
                if len(values) == 9:
                    boxes += _automl_box(source, place, values)
                else:
                    labels += [value for value in values if value]
            uses = {use for _, use, _ in rows}
            yield AnnotatedImage(
                path=url.partition("://")[2] if "://" in url and beside[url.rpartition("/")[2]] else url,
                place=rows[0][0],
                labels=tuple(dict.fromkeys(labels)),
                split=uses.pop() if len(uses) == 1 else None,
                boxes=tuple(boxes),
                folders=(folder_of(path), join(folder_of(path), "images")),
            )


def _automl_box(source: Source, place: str, values: list[str]) -> Iterator[Box]:
    name, *corners = values
    if not any(corners):
        return  # an image without objects
    try:
        xs, ys = ([no_of(value) for value in corners[start::2] if value] for start in (0, 1))
        yield Box((min(xs), min(ys), max(xs), max(ys)), name or None, place, relative=True)
    except ValueError:
        source.drop_box(place, f"a box must have two corners, got {','.join(corners)!r}")


def read_make_sense(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files, of which each row is a box."""
    for path in source.chosen:
        images: defaultdict[str, list[tuple[str, list[str]]]] = defaultdict(list)
        for place, values in _rows(source, path):
            if is_make_sense_row(values):
                images[values[5]].append((place, values))
            else:
                source.refuse(
                    place, f"a row must be label, x, y, width, height, image and its size, got {','.join(values)[:80]!r}"
                )
        for image, rows in images.items():
            corners = [from_size(*map(no_of, values[1:5])) for _, values in rows]
            yield AnnotatedImage(
                path=image,
                place=rows[0][0],
                split=split_of_path(path),
                boxes=tuple(Box(box, row[1][0], row[0]) for box, row in zip(corners, rows, strict=True)),
                size=(no_of(rows[0][1][6]), no_of(rows[0][1][7])),
                folders=(folder_of(path), join(folder_of(path), "images")),
            )


def read_yolo_keras(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files, a line each: its name, and `xmin,ymin,xmax,ymax,class` for each object."""
    for path in source.chosen:
        home = folder_of(path)
        names = join(home, "_classes.txt")
        if names not in source.files:
            source.refuse(source.place(path), "the names of classes must stand in _classes.txt beside it, got none")
            continue
        classes = [line.strip() for line in source.text(names).splitlines()]
        for number, line in enumerate(source.text(path).splitlines(), start=1):
            place = source.place(path, f"line {number}")
            image, objects = OBJECTS.fullmatch(line.strip()).groups()  # type: ignore[union-attr]  # all is optional
            boxes = []
            for words in (item.split(",") for item in objects.split()):
                xmin, ymin, xmax, ymax = map(no_of, words[:4])
                if int(words[4]) < len(classes):
                    boxes.append(Box((xmin, ymin, xmax, ymax), classes[int(words[4])], place))
                else:
                    source.refuse(place, f"a class must be one of the {len(classes)} of _classes.txt, from 0, got {words[4]}")
            if image:
                yield AnnotatedImage(
                    image, place, split=split_of_path(path), boxes=tuple(boxes), folders=(home, join(home, "images"))
                )
