"""KITTI: a `.txt` per image, an object per line: class, three numbers, four corners in pixels, seven numbers of 3D, a score."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from imagerecords.tasks.sources.annotations.geometry import no_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of_folders, stem_of
from imagerecords.tasks.sources.file_names import ending_of

NUMBERS = 14  # behind the class; a fifteenth is a score
LABEL_FOLDERS = ("label_2", "label_02", "labels", "label")
IMAGE_FOLDERS = ("image_2", "image_02", "images", "data", "")
DONT_CARE = "DontCare"  # a region that nobody looked at
MOST_FOLDERS = 5  # of which one must have KITTI's labels
MOST_TEXTS = 20  # of a folder that are looked into; texts of images without objects are empty


def kitti_files(source: Source, paths: Iterable[str]) -> list[str]:
    """The texts among some paths that lie in folders of KITTI's label files."""
    folders: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        if ending_of(path) == ".txt":
            folders[folder_of(path)].append(path)
    if not any(_are_labels(source, texts[:MOST_TEXTS]) for texts in list(folders.values())[:MOST_FOLDERS]):
        return []
    return [path for texts in folders.values() if _are_labels(source, texts[:MOST_TEXTS]) for path in texts]


def _are_labels(source: Source, paths: Iterable[str]) -> bool:
    """Whether texts have objects of KITTI's; the first that is none decides, since reading is slow on object stores."""
    lines = (line for path in paths for line in source.head(path).splitlines()[:MOST_TEXTS] if line.strip())
    found = False
    for line in lines:
        if not _is_object(line):
            return False
        found = True
    return found


def _is_object(line: str) -> bool:
    """Whether a line is an object of KITTI's; YOLO's outlines are numbers alone, up to 1."""
    try:
        name, corners = _parse(line)
    except ValueError:
        return False
    return max(corners) > 1 and (name == DONT_CARE or (corners[0] <= corners[2] and corners[1] <= corners[3]))


def _parse(line: str) -> tuple[str, tuple[float, float, float, float]]:
    """The class of an object, which may have spaces, and its corners; raises ValueError for any other line."""
    words = line.split()
    for count in (NUMBERS + 1, NUMBERS):
        if len(words) <= count:
            continue
        name, numbers = words[:-count], words[-count:]
        try:
            values = [no_of(number) for number in numbers]
        except ValueError:
            continue
        if values[1].is_integer() and -1 <= values[1] <= 3 and -1 <= values[0] <= 3:
            return " ".join(name), (values[3], values[4], values[5], values[6])
    raise ValueError("not an object of KITTI's")


def read_kitti(source: Source) -> Iterator[AnnotatedImage]:
    """The image of each chosen text."""
    for path, text in source.texts(source.chosen):
        place, parts = source.place(path), path.split("/")
        inner = [number for number, part in enumerate(parts[:-1]) if part.lower() in LABEL_FOLDERS]
        below = inner[-1] if inner else len(parts) - 2  # where the folder of labels stands, which may have folders below it
        boxes = []
        for number, line in enumerate(text.splitlines(), start=1):
            where = f"{place}, line {number}"
            if not line.strip():
                continue
            try:
                name, corners = _parse(line)
            except ValueError:
                source.drop_box(where, f"a line must be a class and {NUMBERS} or {NUMBERS + 1} numbers, got {line[:80]!r}")
                continue
            if name == DONT_CARE:
                source.leave_object("region marked DontCare")
            else:
                boxes.append(Box(corners, name, where))
        yield AnnotatedImage(
            path=stem_of("/".join(parts[below + 1 :])),
            place=place,
            split=split_of_folders(path.split("/")[:-1]),
            boxes=tuple(boxes),
            by_stem=True,
            folders=tuple(join(*parts[: max(below, 0)], folder) for folder in IMAGE_FOLDERS),
        )
