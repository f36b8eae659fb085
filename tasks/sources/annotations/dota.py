"""DOTA: texts in `labelTxt` beside `images`, an object per line: corners of a rotated box, its class, and a difficult flag."""

from collections.abc import Iterable, Iterator

from imagerecords.tasks.sources.annotations.geometry import around, no_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import join, split_of_folders, stem_of
from imagerecords.tasks.sources.file_names import ending_of

FOLDER = "labeltxt"  # in lower case; later versions of DOTA have their number behind it
NUMBERS = 8
HEADERS = ("imagesource:", "gsd:")


def dota_files(paths: Iterable[str]) -> list[str]:
    """The texts among some paths that lie below labelTxt."""
    return [path for path in paths if ending_of(path) == ".txt" and _depth(path) is not None]


def _depth(path: str) -> int | None:
    folders = path.split("/")[:-1]
    return next((number for number, folder in enumerate(folders) if folder.lower().startswith(FOLDER)), None)


def read_dota(source: Source) -> Iterator[AnnotatedImage]:
    """The image of each chosen text."""
    for path, text in source.texts(source.chosen):
        place, parts, depth = source.place(path), path.split("/"), _depth(path)
        boxes = []
        for number, line in enumerate(text.splitlines(), start=1):
            words, where = line.split(), f"{place}, line {number}"
            if not words or words[0].startswith(HEADERS):
                continue
            try:
                corners = [no_of(word) for word in words[:NUMBERS]]
                name, difficult = (words[NUMBERS:-1], words[-1]) if words[-1] in ("0", "1", "2") else (words[NUMBERS:], "0")
                outline = around(zip(corners[::2], corners[1::2], strict=True))
                boxes.append(Box(outline, " ".join(name) or None, where, difficult=difficult != "0"))
            except ValueError:
                source.drop_box(where, f"a line must be {NUMBERS} numbers, a class and a flag, got {line[:80]!r}")
        source.remarks["rotated box, read as the upright box around it"] += len(boxes)
        home = parts[:depth]
        yield AnnotatedImage(
            path=stem_of(parts[-1]),
            place=place,
            split=split_of_folders(parts[:-1]),
            boxes=tuple(boxes),
            by_stem=True,
            folders=tuple(join(*home, folder) for folder in ("images", "")),
        )
