"""Lists of images as text, as Caffe, PaddleClas, MMPretrain and published data sets have them: what a line and a file say."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from imagerecords.tasks.sources.annotations.model import Source
from imagerecords.tasks.sources.annotations.paths import SPLIT_OF, folder_of, join, split_of_path
from imagerecords.tasks.sources.file_names import IMAGE_ENDINGS, ending_of

LOOKED_INTO = 20  # lines that decide what a file is
MOST_TEXTS = 200  # of a data set that are looked into
MOST_CLASSES = 0.5  # of the lines of a list of more than LOOKED_INTO: what differs in more of them is a caption
NAMES = re.compile(
    r"(class(es)?|class_?names?|label|labels|label_?list|label_?map|categor\w*|names|words|wnids|synsets?\w*|variants)(_[a-z0-9]+)?",
    re.IGNORECASE,
)
NUMBER = re.compile(r"[-+]?\d+(\.\d*)?")
NUMBERED = re.compile(r"\d+[\s,;]+\S")
NO_LABELS = re.compile(r"(^|_)(split|partition|fold|bbox|box|boxes)s?(_|$)", re.IGNORECASE)  # in the names of lists
PAIRED = (".xml", ".txt", ".json", ".mat")
_ENDINGS = "|".join(re.escape(ending) for ending in sorted(IMAGE_ENDINGS, key=len, reverse=True))
_LINE = re.compile(rf"(.+?(?:{_ENDINGS}))(?=[\s,;\"']|$)(.*)", re.IGNORECASE)


class Line(NamedTuple):
    """A line of a list: its number, the image as written, and what stands behind it."""

    number: int
    image: str
    rest: str


def lines_of(text: str) -> list[Line]:
    """The lines of a list; a path may have spaces where it has the ending of an image."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not (line := line.strip()) or line.startswith("#"):
            continue
        match = _LINE.match(line)
        image, rest = match.groups() if match else [*re.split(r"[\s,;]", line, maxsplit=1), ""][:2]
        found.append(Line(number, image.strip("\"' "), rest.strip("\"' ,;\t")))
    return found


def is_list(source: Source, path: str, *, by_ending: bool = False) -> bool:
    """Whether most of a text's first lines begin with an image that is there, or `by_ending` with a name of one."""
    if ending_of(path) != ".txt":
        return False
    lines = lines_in(source, path, source.head(path))[:LOOKED_INTO]
    name = path.rpartition("/")[2].rpartition(".")[0]
    endings = {ending_of(line.image) for line in lines[:3]}
    if not lines or (NAMES.fullmatch(name) and endings.isdisjoint(IMAGE_ENDINGS)):
        return False
    if all(NUMBERED.match(line.image) for line in lines[1:] or lines):  # a table whose last column is the path
        return False
    known = sum(_is_known(source, line) for line in lines)
    named = sum(ending_of(line.image) in IMAGE_ENDINGS for line in lines) if by_ending else 0
    return max(known, named) * 2 > len(lines)


def lines_in(source: Source, path: str, text: str) -> list[Line]:
    """The lines of a list, whose label may stand in front where only what is behind it is a file."""
    lines = lines_of(text)
    spaced = [line for line in lines[:LOOKED_INTO] if " " in line.image or "\t" in line.image]
    if not spaced or any(_exists(source, path, line.image) for line in spaced):
        return lines
    if not all(_exists(source, path, line.image.split(maxsplit=1)[1]) for line in spaced):
        return lines
    parts = [(line, line.image.split(maxsplit=1)) for line in lines]
    return [Line(line.number, both[1], f"{both[0]} {line.rest}".strip()) if both[1:] else line for line, both in parts]


def _exists(source: Source, path: str, image: str) -> bool:
    home = folder_of(path)
    places = (join(start, folder, image.replace("\\", "/")) for start in (home, folder_of(home)) for folder in ("", "images"))
    return any(place in source.files_set for place in places)


def without_header(source: Source, lines: list[Line]) -> list[Line]:
    """The lines without a count and the names of columns in front: two lines at most, with no image's name or ending."""
    are_images = [_is_known(source, line) or ending_of(line.image) in IMAGE_ENDINGS for line in lines[:3]]
    first = are_images.index(True) if True in are_images else 0
    if first and not any(line.rest for line in lines[first:]):  # nothing to head: a first line without an ending is an image's
        first = 0
    return lines[first:]


def _is_known(source: Source, line: Line) -> bool:
    return source.has_picture(line.image)


def lists_below(source: Source, folder: str, *, in_label_folders: bool = False) -> tuple[list[str], list[str]]:
    """The lists below a folder that say something, a split by their name or labels of half of the images; and the others.

    Another list, say of images to look at again, would make a small part of a data set of the whole. Of images in label
    folders a list's texts are labels if they differ by folder; else they are sizes, checksums or names of cameras.
    """
    start = f"{folder}/" if folder else ""
    texts = [path for path in source.own if ending_of(path) == ".txt" and path.startswith(start)]
    if len(texts) > MOST_TEXTS:  # they go with the images one by one
        return [], []
    counting: list[str] = []
    others: list[str] = []
    named = 0
    for path in texts:
        if is_list(source, path):
            lines = without_header(source, lines_in(source, path, source.text(path)))
            kind = kind_of(path, lines)
            labels = kind in ("number", "numbers", "text") and len(lines) * 2 >= len(source.pictures)
            if in_label_folders and not split_of_list(path):
                labels = labels and differ_by_folder((line.image, line.rest) for line in lines)
            says = labels or kind == "split" or (kind not in ("table", "caption") and split_of_list(path))
            (counting if says else others).append(path)
            named += len(lines) if says else 0
    if len({split_of_list(path) for path in counting}) == 1 and named * 2 < len(source.pictures):
        return [], counting + others
    return counting, others


def differ_by_folder(pairs: Iterable[tuple[str, str]]) -> bool:
    """Whether the images of each folder have one text, and those of some folders another one."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for image, text in pairs:
        found[folder_of(image.replace("\\", "/"))].add(text)
    return all(len(texts) == 1 for texts in found.values()) and len(set[str]().union(*found.values())) > 1


def split_of_list(path: str) -> str | None:
    """The split that a list's name means: `TrainImages.txt` and `train1.txt` are train's, `trainval.txt` is of none."""
    folder, _, name = path.rpartition("/")
    stem = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.rpartition(".")[0])
    words = [word for word in re.split(r"[-_. ]+", stem.lower()) if word]
    words = [word if word in SPLIT_OF else word.rstrip("0123456789") for word in words]
    if "trainval" in words:
        return None
    return split_of_path(f"{folder}/{'_'.join(words)}.txt" if folder else f"{'_'.join(words)}.txt")


def kind_of(path: str, lines: Sequence[Line]) -> str:
    """What stands behind the images: nothing, a split, one number, several, a text, or what is no label."""
    rests = [line.rest for line in lines]
    words = [re.split(r"[\s,;]+", rest) for rest in rests]
    kind = "text"
    if all(not rest or ending_of(rest) in PAIRED or ending_of(rest) in IMAGE_ENDINGS for rest in rests):
        kind = "nothing"
    elif all(rest.lower() in SPLIT_OF for rest in rests):
        kind = "split"
    elif NO_LABELS.search(path.rpartition("/")[2].rpartition(".")[0]):
        kind = "table"
    elif all(NUMBER.fullmatch(word) for each in words for word in each if word):
        whole = all(word.isdigit() for each in words for word in each)
        several = "numbers" if whole and len(set(map(len, words))) > 1 else "table"
        kind = "number" if all(len(each) == 1 for each in words) else several
    elif all(len(each) > 2 and all(NUMBER.fullmatch(word) for word in each[1:]) for each in words):
        kind = "table"
    elif len(lines) > LOOKED_INTO and len(set(rests)) > MOST_CLASSES * len(lines):
        kind = "caption"
    return kind


def text_labels(lines: Sequence[Line]) -> list[str]:
    """The labels of a list of texts; a number behind each name that says the same is no part of it."""
    pairs = [re.fullmatch(r"(.*\D.*?)[\s,;]+(\d+)", line.rest) for line in lines]
    found = [match.groups() for match in pairs if match]
    if len(found) == len(lines) and len(set(found)) == len({name for name, _ in found}) == len({no for _, no in found}):
        return [name for name, _ in found]
    return [line.rest for line in lines]


def names_in(source: Source, path: str) -> dict[int, str] | list[str]:
    """The names of classes in a text: by their numbers where each line has one, else in order."""
    lines = [line.strip() for line in source.text(path).splitlines() if line.strip()]
    for pattern, name, number in ((r"(\d+)[\s:,]+(\S.*)", 2, 1), (r"(\S.*?)[\s:,]+(\d+)", 1, 2)):
        matches = [re.fullmatch(pattern, line) for line in lines]
        numbers = [int(match[number]) for match in matches if match]
        if lines and len(numbers) == len(lines) == len(set(numbers)):
            return {int(match[number]): match[name].strip().lstrip("/") for match in matches if match}
    return [line.lstrip("/") for line in lines]
