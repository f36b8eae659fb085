"""The boxes of the files and folders that bounding_boxes names, by the readers of annotations; CSV has a reader of columns.

A decision that binds users' data: a file per image (Pascal VOC, YOLO) is of the image of its own name, as in
process_bounding_boxes.py, since what such files say inside is often wrong.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import yaml

from imagerecords.schemas.boxes import FoundBox, FoundBoxes
from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.sources.annotations.coco import read_coco, without_outlines
from imagerecords.tasks.sources.annotations.createml import is_createml, read_createml
from imagerecords.tasks.sources.annotations.cvat import images_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, stem_of
from imagerecords.tasks.sources.annotations.recognise import FORMATS
from imagerecords.tasks.sources.annotations.sniff import sniff
from imagerecords.tasks.sources.annotations.units import in_own_corners
from imagerecords.tasks.sources.annotations.voc import objects_of, size_of
from imagerecords.tasks.sources.annotations.xml import parse_xml
from imagerecords.tasks.sources.annotations.yolo import classes_beside
from imagerecords.tasks.sources.annotations.yolo_labels import Layout, lines_of
from imagerecords.tasks.sources.box_units import with_units
from imagerecords.tasks.sources.boxes_csv import read_csv_boxes
from imagerecords.tasks.sources.input_files import beside, open_file
from imagerecords.tasks.sources.walk import walk_files
from imagerecords.tasks.storage.folders import open_folder

OF_ALL_IMAGES = (".json", ".csv", ".tsv")
KINDS = ".csv or .tsv, nor a COCO or CreateML .json, nor a CVAT .xml, nor a folder of Pascal VOC .xml or YOLO .txt files"
NO_YOLO = {"classes.txt", "readme.txt", "readme.roboflow.txt", "readme.dataset.txt", "labels.txt", "train.txt", "val.txt"}


class NoBoxFiles(ValueError):
    """A folder has no files with the boxes of one image each; `others` are those that may have the boxes of several."""

    def __init__(self, others: Sequence[str]) -> None:
        super().__init__("no box file in the folder: Pascal VOC or CVAT .xml, YOLO .txt, COCO or CreateML .json, or .csv")
        self.others = others


def read_boxes(location: str, storage_options: Mapping[str, Any]) -> FoundBoxes:
    """The boxes of a file or folder of one of KINDS; raises ValueError or OSError where there are none."""
    ending = location.rpartition(".")[2].lower()
    folder = open_folder(location, storage_options)
    if folder.fs.isdir(folder.path):
        source = Source(folder, tuple(file.path for file in walk_files(folder, "").files), only_boxes=True)
        return _read_folder(source)
    if not folder.exists():
        raise FileNotFoundError(location)
    if ending in ("csv", "tsv"):
        with open_file(location, storage_options) as file:
            return read_csv_boxes(file, location)
    home, name = beside(location, storage_options)
    source = Source(home, (name,), (name,), only_boxes=True, hook=without_outlines)
    if ending == "xml":
        return _read_xml(source, [name])
    if ending != "json":
        raise ValueError(f"neither a {KINDS}{_goes_elsewhere(source, name)}")
    return _found(source, read_createml, "CreateML") if is_createml(source.json(name)) else _read_coco(source, name)


def _read_folder(source: Source) -> FoundBoxes:
    if xml := [path for path in source.files if path.lower().endswith(".xml")]:
        return _read_xml(source, xml)
    texts = [path for path in source.files if path.lower().endswith(".txt") and _name(path).lower() not in NO_YOLO]
    if texts and len(found := _read_yolo(source, texts)):
        return found
    raise NoBoxFiles([path for path in source.files if path.lower().endswith(OF_ALL_IMAGES)])


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _found(
    source: Source,
    read: Callable[[Source], Iterable[AnnotatedImage]],
    form: str,
    *,
    by_stem: bool = False,
    pixels: bool = True,
) -> FoundBoxes:
    """The boxes of a reader's images; raises ValueError for what no tool writes."""
    try:
        boxes = [
            FoundBox(image.path, box.place, box.corners, box.name, image.size, box.is_crowd, box.difficult, box.area)
            for image in in_own_corners(source, read(source), form)
            for box in image.boxes
        ]
    except (TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, yaml.YAMLError) as error:
        raise ValueError(f"no {form} as tools write it: {plain_words(error)}") from error
    found = FoundBoxes.of(boxes, source.malformed, by_stem=by_stem, form=form)
    found = with_units(found, pixels=pixels)
    left = ", ".join(f"{kind} ({count:,})" for kind, count in source.objects_left.most_common() if count)
    special = (f"{count:,} × {remark}" for remark, count in source.remarks.items() if count)
    notes = [found.note, f"not read: {left}" if left else "", *special]
    return replace(found, tool=source.tool, note="; ".join(filter(None, notes)))


def _read_coco(source: Source, name: str) -> FoundBoxes:
    content = source.json(name)
    if not isinstance(content, dict) or not all(isinstance(content.get(key), list) for key in ("images", "annotations")):
        keys = f"an object with {', '.join(map(str, list(content)[:6]))}" if isinstance(content, dict) else "a list"
        raise ValueError(f"no COCO file: no lists of images and annotations, but {keys}{_goes_elsewhere(source, name)}")
    files: Counter[str] = Counter()

    def read(source: Source) -> Iterator[AnnotatedImage]:
        for image in read_coco(source):
            files[image.path] += bool(image.boxes)
            yield image

    found = _found(source, read, "COCO")
    if source.tool == "Label Studio" and (twice := [file for file, images in files.items() if images > 1]):
        remedy = "Export the project as JSON and pass --label_studio"
        raise ValueError(f"Label Studio lists {twice[0]} once per annotation, each with boxes of the same objects. {remedy}")
    return found


def _goes_elsewhere(source: Source, name: str) -> str:
    """Where a file of a format that annotations can read is to be passed, as the end of an error."""
    kind = sniff(source, name) or ""
    return (
        f". This is {FORMATS[kind].title}: pass it as --annotations, which takes the place of the input"
        if kind in FORMATS
        else ""
    )


def _read_xml(source: Source, paths: Sequence[str]) -> FoundBoxes:
    """The boxes of Pascal VOC's or CVAT's files."""
    of_cvat: list[AnnotatedImage] = []
    of_voc: list[AnnotatedImage] = []
    is_cvat = False
    for path, data in source.contents(paths):
        place = source.place(path)
        try:
            root = parse_xml(data)
        except ValueError as error:
            source.refuse(place, f"a box file must be plain XML, got {error}")
            continue
        if root.tag == "annotations":
            is_cvat = True
            of_cvat += images_of(source, path, root)
        elif root.tag == "annotation":
            boxes = tuple(objects_of(source, root, place))
            of_voc.append(AnnotatedImage(stem_of(path), place, boxes=boxes, size=size_of(root)))
        else:
            source.refuse(place, f"a box file must be Pascal VOC or CVAT XML, got <{root.tag}>")
    if any(image.boxes for image in of_cvat) and any(image.boxes for image in of_voc):
        raise ValueError(
            "both Pascal VOC and CVAT files. Pass the CVAT file and the folder of the others as two bounding_boxes"
        )
    if any(image.boxes for image in of_voc) or not is_cvat:
        return _found(source, lambda _: of_voc, "Pascal VOC XML", by_stem=True)
    return _found(source, lambda _: of_cvat, "CVAT for images")


def _read_yolo(source: Source, paths: Sequence[str]) -> FoundBoxes:
    """The boxes of YOLO's text files, with names of classes from the file beside each, or nearest above it."""
    layouts: dict[str, Layout] = {}

    def read(source: Source) -> Iterator[AnnotatedImage]:
        for path, data in source.contents(paths):
            home = folder_of(path)
            if home not in layouts:
                layouts[home] = classes_beside(source, home)
            text = data.decode("utf-8-sig", "replace")
            yield AnnotatedImage(stem_of(path), path, boxes=tuple(lines_of(source, path, text, layouts[home])))

    return _found(source, read, "YOLO text files", by_stem=True, pixels=False)
