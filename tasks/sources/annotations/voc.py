"""Pascal VOC: an XML per image, and lists in ImageSets/Main that say which image is of which split and class.

ILSVRC's and LabelMe's XML are of the same kind. As in process_bounding_boxes.py the XML's own name says which image it is of;
`filename` inside, which is often wrong, is looked for where there is none of that name.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from imagerecords.tasks.sources.annotations.geometry import around, no_of, rotated
from imagerecords.tasks.sources.annotations.model import REMOTE_READS, AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import SPLIT_OF, folder_of, join, split_of_folders, stem_of
from imagerecords.tasks.sources.annotations.xml import read_xml

IMAGE_FOLDERS = ("JPEGImages", "images", "Images", "img", "data")
ANNOTATIONS = ("annotations", "annotation", "xmls", "xml", "labels", "bbox")


class _Lists(NamedTuple):
    """What the lists in ImageSets/Main say: the split of each image, and its classes where there are lists per class."""

    splits: dict[str, str | None]
    labels: dict[str, list[str]]
    by_class: bool


def read_voc(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen XML files, and of the lists."""
    lists = _read_lists(source)
    seen: set[str] = set()
    xmls = [path for path in source.chosen if not path.lower().endswith(".txt")]
    with ThreadPoolExecutor(1 if source.folder.is_local else REMOTE_READS) as threads:
        for path, root in zip(xmls, threads.map(lambda path: read_xml(source, path), xmls), strict=True):
            name = _name_of(path)
            seen.add(name)
            if root is None:
                continue
            if root.tag != "annotation":
                source.refuse(source.place(path), f"a VOC file must begin with <annotation>, got <{root.tag}>")
            elif lists.splits and name not in lists.splits and name.rpartition("/")[2] not in lists.splits:
                source.unread["image in none of the lists of ImageSets/Main"] += 1
            else:
                yield _read_file(source, path, root, lists)
    main = next((folder_of(path) for path in source.chosen if path.lower().endswith(".txt")), "")
    for name, split in lists.splits.items():
        if name not in seen:
            place = source.place(main, f"image {name}")
            yield _image(name, place, split, folder_of(folder_of(main)), labels=tuple(lists.labels.get(name, ())))


def _image(name: str, place: str, split: str | None, top: str, **more: Any) -> AnnotatedImage:
    folders = tuple(join(top, folder) for folder in (*IMAGE_FOLDERS, ""))
    return AnnotatedImage(name, place, split=split, by_stem=True, folders=folders, **more)


def _name_of(path: str) -> str:
    """An image's name from its XML's path: what stands below the folder of annotations, without the ending."""
    parts = stem_of(path).split("/")
    inner = [number for number, part in enumerate(parts[:-1]) if part.lower() in ANNOTATIONS]
    return "/".join(parts[inner[-1] + 1 :]) if inner else parts[-1]


def _read_file(source: Source, path: str, root: Any, lists: _Lists) -> AnnotatedImage:
    name, place = _name_of(path), source.place(path)
    short = name.rpartition("/")[2]
    boxes = tuple(objects_of(source, root, place))
    top = folder_of(path)[: len(folder_of(path)) - (len(name) - len(short))].rstrip("/")
    above = folder_of(top)
    folders = [top, *(join(above, folder) for folder in IMAGE_FOLDERS), above]
    in_lists = name if name in lists.splits else short
    return AnnotatedImage(
        path=name,
        place=place,
        labels=tuple(lists.labels.get(in_lists, ())) if lists.by_class else (),
        split=lists.splits.get(in_lists) or split_of_folders(path.split("/")[:-1]),
        boxes=boxes,
        size=size_of(root),
        by_stem=True,
        folders=tuple(dict.fromkeys(folders)),
        other=(root.findtext("filename") or "").strip() or None,
    )


def size_of(root: Any) -> tuple[float, float]:
    """The width and height that a file states, 0 where it states none."""
    width = _number(root, "size/width") or _number(root, "imagesize/ncols")
    height = _number(root, "size/height") or _number(root, "imagesize/nrows")
    return (width, height) if width > 0 and height > 0 else (0, 0)


def objects_of(source: Source, root: Any, place: str) -> Iterable[Box]:
    """The objects of a file's root; what can't be read is noted."""
    for number, element in enumerate(root.iter("object"), start=1):
        where, name = f"{place}, object {number}", (element.findtext("name") or "").strip() or None
        if (element.findtext("deleted") or "").strip() == "1":
            source.unread["deleted object"] += 1
            continue
        source.unread["part of an object"] += len(element.findall("part"))
        source.unread["action of an object"] += element.find("action") is not None or element.find("actions") is not None
        try:
            difficult = (element.findtext("difficult") or "").strip() == "1"
            yield Box(_corners(source, element), name, where, difficult=difficult)
        except (TypeError, ValueError):
            source.drop_box(where, "an object must have xmin, ymin, xmax and ymax, or a polygon")


def _corners(source: Source, element: Any) -> tuple[float, float, float, float]:
    rotated_box, box, outline = element.find("robndbox"), element.find("bndbox"), element.find("polygon")
    if box is not None:
        xmin, ymin, xmax, ymax = (no_of(box.findtext(corner)) for corner in ("xmin", "ymin", "xmax", "ymax"))
        source.unread["mask or polygon beside a box"] += outline is not None or element.find("segm") is not None
        return xmin, ymin, xmax, ymax
    if rotated_box is not None:
        x, y, width, height, radians = (no_of(rotated_box.findtext(name)) for name in ("cx", "cy", "w", "h", "angle"))
        source.remarks["rotated box, read as the upright box around it"] += 1
        return rotated((x - width / 2, y - height / 2, x + width / 2, y + height / 2), math.degrees(radians))
    if outline is None:
        raise ValueError("no box")
    if (element.findtext("type") or "").strip() != "bounding_box":
        source.remarks["polygon, read as the upright box around it"] += 1
    return around(_points(outline))


def _points(outline: Any) -> Iterator[tuple[float, float]]:
    """The corners of a polygon, as LabelMe (pt/x) and Roboflow (x1, y1, x2, …) write them."""
    for point in outline.iterfind("pt"):
        yield no_of(point.findtext("x")), no_of(point.findtext("y"))
    for number in range(1, len(outline) // 2 + 1) if outline.find("x1") is not None else ():
        yield no_of(outline.findtext(f"x{number}")), no_of(outline.findtext(f"y{number}"))


def _number(root: Any, path: str) -> float:
    try:
        return no_of(root.findtext(path) or 0)
    except ValueError:
        return 0


def _read_lists(source: Source) -> _Lists:
    splits: dict[str, str | None] = {}
    labels: dict[str, list[str]] = {}
    by_class = False
    paths = [path for path in source.chosen if path.lower().endswith(".txt")]
    stems = {stem_of(path.rpartition("/")[2]): path for path in paths}
    whole = [stem for stem in stems if stem in SPLIT_OF or stem in ("trainval", "default")]
    for stem in sorted(whole, key=lambda stem: stem in ("trainval", "default")):
        for name in _lines(source, stems[stem]):
            if SPLIT_OF.get(stem) and splits.get(name, SPLIT_OF[stem]) != SPLIT_OF[stem]:
                place = source.place(stems[stem], f"image {name}")
                source.refuse(place, f"an image must be in one split, got {SPLIT_OF[stem]} and {splits[name]}")
            splits.setdefault(name, SPLIT_OF.get(stem))
    counts: Counter[str] = Counter()
    for stem, path in stems.items():
        name, _, split = stem.rpartition("_")
        if not name or split not in (*SPLIT_OF, "trainval", "default"):
            continue
        for line in _lines(source, path, whole=True):
            image, value = _flagged(line)
            if value in ("1", "0") and not splits.get(image):
                splits.setdefault(image, SPLIT_OF.get(split))
            if value == "1" and name not in labels.setdefault(image, []):
                labels[image].append(name)
            counts["class marked difficult (0)"] += value == "0"
            by_class = by_class or bool(value)
    source.unread += counts
    return _Lists(splits, labels, by_class)


def _lines(source: Source, path: str, *, whole: bool = False) -> list[str]:
    """The lines of a list, or the images in them: the lists of all classes together name images alone."""
    lines = [line.strip() for line in source.text(path).splitlines() if line.strip()]
    return lines if whole else [_flagged(line)[0] for line in lines]


def _flagged(line: str) -> tuple[str, str]:
    """The image in a line, whose name may have spaces, and the flag behind it, empty where there is none."""
    image, *flag = line.rsplit(maxsplit=1)
    return (image, flag[0]) if flag and flag[0] in ("1", "-1", "0") else (line, "")
