"""CUB-200-2011 and NABirds: tables of an image's number and its path, class, split and box, side by side."""

from collections.abc import Iterator

from imagerecords.tasks.sources.annotations.geometry import from_size, no_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join

CLASSES_OF_IMAGES = "image_class_labels.txt"
IMAGES, CLASSES, SPLITS, BOXES = "images.txt", "classes.txt", "train_test_split.txt", "bounding_boxes.txt"


def is_cub(source: Source, path: str) -> bool:
    """Whether a text is the table of classes, with those of names and paths beside it."""
    home = folder_of(path)
    return path.rpartition("/")[2] == CLASSES_OF_IMAGES and all(
        join(home, name) in source.files_set for name in (IMAGES, CLASSES)
    )


def read_cub(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen tables; 1 in the table of splits is train, 0 test."""
    for path in source.chosen:
        home = folder_of(path)
        tables = {
            name: _table(source, join(home, name)) if join(home, name) in source.files_set else {}
            for name in (IMAGES, CLASSES, CLASSES_OF_IMAGES, SPLITS, BOXES)
        }
        for number, image in tables[IMAGES].items():
            place = source.place(join(home, IMAGES), f"image {number}")
            of_class = tables[CLASSES_OF_IMAGES].get(number, "")
            label = tables[CLASSES].get(of_class, "")
            if of_class and not label:
                source.refuse(place, f"a class must be one of {CLASSES}, got {of_class}")
                continue
            yield AnnotatedImage(
                image,
                place,
                (label,) if label else (),
                {"1": "train", "0": "test"}.get(tables[SPLITS].get(number, "")),
                tuple(_boxes(source, join(home, BOXES), number, tables[BOXES].get(number, ""), label)),
                folders=(join(home, "images"), home),
            )


def _boxes(source: Source, path: str, number: str, text: str, label: str) -> Iterator[Box]:
    place = source.place(path, f"image {number}")
    try:
        if text:
            x, y, width, height = map(no_of, text.split())
            yield Box(from_size(x, y, width, height), label, place)
    except ValueError:
        source.drop_box(place, f"a box must be x, y, width and height, got {text!r}")


def _table(source: Source, path: str) -> dict[str, str]:
    """The lines of a table: a number, a space, and the rest."""
    lines = (line.strip().partition(" ") for line in source.text(path).splitlines() if line.strip())
    return {number: rest.strip() for number, _, rest in lines}
