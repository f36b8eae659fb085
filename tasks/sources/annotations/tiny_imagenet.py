"""Tiny ImageNet: `train/<synset>/images` with a table of boxes per synset, and one table for all of `val`."""

from collections.abc import Iterator

from imagerecords.tasks.sources.annotations.geometry import no_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of_folders

OF_VALIDATION = "val_annotations.txt"
OF_SYNSET = "_boxes.txt"
WORDS = {True: 6, False: 5}  # in a line, with the synset or without


def is_tiny_imagenet(source: Source, path: str) -> bool:
    """Whether a text is one of its tables: an image of the folder beside, perhaps its synset, four corners."""
    name = path.rpartition("/")[2]
    if name != OF_VALIDATION and not name.endswith(OF_SYNSET):
        return False
    words = source.head(path).partition("\n")[0].split()
    return len(words) == WORDS[name == OF_VALIDATION] and join(folder_of(path), "images", words[0]) in source.files_set


def read_tiny_imagenet(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen tables."""
    for path in source.chosen:
        home, of_all = folder_of(path), path.rpartition("/")[2] == OF_VALIDATION
        split = split_of_folders(home.split("/"))
        for number, line in enumerate(source.text(path).splitlines(), start=1):
            words, place = line.split(), source.place(path, f"line {number}")
            if not words:
                continue
            if len(words) != WORDS[of_all]:
                source.refuse(place, f"a line must have {WORDS[of_all]} words, got {len(words)}")
                continue
            label = words[1] if of_all else home.rpartition("/")[2]
            boxes = tuple(_boxes(source, place, words[-4:], label))
            yield AnnotatedImage(words[0], place, (label,), split, boxes, folders=(join(home, "images"),))


def _boxes(source: Source, place: str, words: list[str], label: str) -> Iterator[Box]:
    try:
        xmin, ymin, xmax, ymax = map(no_of, words)
        yield Box((xmin, ymin, xmax, ymax), label, place)
    except ValueError:
        source.drop_box(place, f"a box must have four numbers, got {' '.join(words)!r}")
