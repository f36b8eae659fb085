"""Boxes of a folder of Pascal VOC XML: a file an image, in pixels of the size that the file states.

As in process_bounding_boxes.py the XML's own name says which image it is of (`filename` inside is often wrong), and pixels are
divided by the stated size. XML comes from anywhere: defusedxml refuses entities, which could fill the memory.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from imagerecords.schemas.boxes import CORNERS, FoundBox, FoundBoxes
from imagerecords.tasks.sources.walk import walk_files
from imagerecords.tasks.storage.folders import Folder

REMOTE_READS = 32  # files read at once from object stores


def read_voc_boxes(folder: Folder) -> FoundBoxes:
    """The boxes of all XML files below a folder, and what is wrong with the others. Raises ValueError where there is none."""
    paths = [file.path for file in walk_files(folder, "").files if file.path.lower().endswith(".xml")]
    if not paths:
        raise ValueError("no .xml file in it")
    boxes: list[FoundBox] = []
    malformed: list[str] = []
    with ThreadPoolExecutor(1 if folder.is_local else REMOTE_READS) as threads:
        for found in threads.map(lambda path: list(_read_objects(folder, path)), paths):
            boxes += [box for box in found if isinstance(box, FoundBox)]
            malformed += [problem for problem in found if isinstance(problem, str)]
    return FoundBoxes.of(boxes, malformed, by_stem=True)


def _read_objects(folder: Folder, path: str) -> Iterable[FoundBox | str]:
    """Each object of a file as a box, or what is wrong with it."""
    place = folder.join(path)
    try:
        root = defusedxml.ElementTree.fromstring(folder.read(path))
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:  # LookupError: an encoding nobody knows
        yield f"a VOC file must be plain XML, got {type(error).__name__}: {' '.join(str(error).split())}: {place}"
        return
    width, height = _number(root, "size/width"), _number(root, "size/height")
    image = path.rpartition(".")[0]
    for number, element in enumerate(root.iter("object"), start=1):
        where = f"{place}, object {number}"
        pixels = [_number(element, f"bndbox/{corner}") for corner in CORNERS]
        if not width or not height:
            yield f"a VOC file must state the image's size, got {width} × {height}: {where}"
        elif None in pixels:
            yield f"an object must have xmin, ymin, xmax and ymax, got {pixels}: {where}"
        else:
            xmin, ymin, xmax, ymax = (
                pixel / side for pixel, side in zip(pixels, (width, height) * 2, strict=True) if pixel is not None
            )
            yield FoundBox(image, where, (xmin, ymin, xmax, ymax), (element.findtext("name") or "").strip() or None)


def _number(element: Any, path: str) -> float | None:
    """The number at a path below an XML element; None where there is none."""
    try:
        return float(element.findtext(path) or "")
    except ValueError:
        return None
