"""Boxes of images that EXIF turns: whether they are of the image as it is stored or as it is displayed, by evidence.

A decision that binds users' data. Boxes are planned for the image as stored; convert turns them with the pixels. Where EXIF
exchanges width and height (orientations 5 to 8) the size that the box file states says which of both it means, in spite of any
setting. For the rest `boxes_orientation` decides; with `auto` the file's other images do where they agree, and where nothing
does it is an error. Boxes of the image as displayed are turned back here, in float64.
"""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from imagerecords.schemas.boxes import INVERSE_ROTATION, FoundBoxes, Orientation, rotate
from imagerecords.schemas.messages import plural, some
from imagerecords.tasks.images.shape import Shape, read_shape
from imagerecords.tasks.sources.box_units import chosen
from imagerecords.tasks.sources.boxes import NO_IMAGE
from imagerecords.tasks.storage.folders import Folder, open_folder
from imagerecords.tasks.storage.http_options import http_errors

REMOTE_READS = 32  # images asked for at once
GONE = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
SAME_ASPECT = 0.02  # how much the logarithms of two ratios of sides differ at most; stated sizes are rounded
UNKNOWN, STORED, DISPLAY = range(3)
SWAPPING = 5  # the first orientation that exchanges width and height
LABEL_STUDIO = "label studio"
BEYOND = 1e-3  # of a side; what rounding adds


@dataclass(frozen=True)
class OrientedBoxes:
    """Boxes of images as stored, the rows of their images, and what is to be said of how they were turned."""

    found: FoundBoxes
    rows: np.ndarray
    notes: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


def read_shapes(
    images: pa.Table, rows: np.ndarray, roots: Mapping[str, str], storage_options: Mapping[str, Any]
) -> dict[int, Shape]:
    """The shapes of those rows of a listing's images that can be read.

    Raises OSError for what says nothing of an image alone, such as a server's 503: a wrong guess would rotate boxes.
    """
    shapes: dict[int, Shape] = {}
    listed = images.select(["source", "path", "size"]).take(pa.array(rows)).to_pylist()
    folders = {source: open_folder(root, storage_options) for source, root in roots.items()}
    is_local = all(folder.is_local for folder in folders.values())
    with ThreadPoolExecutor(1 if is_local else REMOTE_READS) as threads:
        found = threads.map(lambda image: _shape(folders[image["source"]], image), listed)
        for row, shape in zip(rows.tolist(), found, strict=True):
            if shape is not None:
                shapes[row] = shape
    return shapes


def _shape(folder: Folder, image: Mapping[str, Any]) -> Shape | None:
    path = image["path"]

    def read(size: int | None) -> bytes:
        if not folder.is_local:
            with http_errors(folder.fs):
                return folder.read(path) if size is None else folder.read_range(path, 0, size)
        with open(folder.join(path), "rb", buffering=0) as file:
            return file.read(-1 if size is None else size)

    if not image["size"]:  # an empty file, or a link that leads nowhere
        return None
    try:
        return read_shape(read)
    except GONE:  # such an image is rejected when it is converted
        return None


def orient_boxes(
    found: FoundBoxes, rows: np.ndarray, shapes: Mapping[int, Shape], setting: Orientation, location: str
) -> OrientedBoxes:
    """The boxes of one file as boxes of the images as stored, relative; `rows` has the image of each, or NO_IMAGE."""
    shape = np.array([shapes.get(row, (0, 0, 1)) for row in rows.tolist()], np.float64).reshape(-1, 3)
    sides, orientation = shape[:, :2], shape[:, 2].astype(int)
    swaps = orientation >= SWAPPING
    stated = _frame_of(found.sizes, sides)
    frame = np.where(swaps, stated, UNKNOWN)
    exchanged = ~swaps & (stated == DISPLAY)
    if errors := tuple(_contradictions(found, frame, exchanged & (setting == "auto"), location)):
        return OrientedBoxes(found, rows, errors=errors)
    found = replace(found, corners=np.where(exchanged[:, None], _by_other_sides(found), found.corners))
    turned = orientation > 1
    by_size = turned & (frame != UNKNOWN)
    rest = turned & ~by_size
    draws_displayed = found.tool.lower() == LABEL_STUDIO
    others = {DISPLAY} if draws_displayed else set(frame[by_size].tolist())
    chosen_frame = {"stored": STORED, "display": DISPLAY}.get(setting, others.pop() if len(others) == 1 else UNKNOWN)
    if rest.any() and chosen_frame == UNKNOWN:
        return OrientedBoxes(found, rows, errors=(_undecided(found, rest, len(np.unique(rows[rest])), location),))
    frame[rest] = chosen_frame
    displayed = np.where(((frame == DISPLAY) & swaps)[:, None], sides[:, ::-1], sides)
    corners = found.corners.copy()
    sized = found.in_pixels & (displayed > 0).all(axis=1)
    corners[sized] = corners[sized] / np.tile(displayed[sized], 2)
    areas = np.divide(found.areas, displayed.prod(axis=1), out=found.areas.copy(), where=sized)
    for number in np.unique(orientation[frame == DISPLAY]).tolist():
        of_it = (frame == DISPLAY) & (orientation == number)
        corners[of_it] = rotate(corners[of_it], INVERSE_ROTATION.get(number, number))
    oriented = replace(found, corners=corners, areas=areas, in_pixels=found.in_pixels & ~sized)
    evidence = "since Label Studio draws on them" if draws_displayed else "by the file's other images"
    why = evidence if setting == "auto" else f"by --boxes_orientation {setting}"
    if found.drawn_displayed:
        why = "since its tool draws on them"
    parts = [*_turned(rows, frame, by_size, "by the size that the file states"), *_turned(rows, frame, rest, why)]
    notes = [f"{location}: boxes of images that EXIF turns: {', '.join(parts)}"] if parts else []
    other = (stated == UNKNOWN) & (sides > 0).all(axis=1) & (found.sizes > 0).all(axis=1) & ~_is_square(sides, found.sizes)
    if other.any():
        images = plural(len(np.unique(rows[other])), "image")
        notes.append(f"{location}: {images} of other proportions than the size that the file states: {_first(found, other)}")
    return OrientedBoxes(*_without_size(oriented, rows), tuple(notes))


def _is_square(sides: np.ndarray, stated: np.ndarray) -> np.ndarray:
    """Which images are as wide as they are high, as the file says too; of them no size says anything."""
    square: np.ndarray = np.isclose(sides[:, 0], sides[:, 1], rtol=SAME_ASPECT) & np.isclose(
        stated[:, 0], stated[:, 1], rtol=SAME_ASPECT
    )
    return square


def _frame_of(stated: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Whether stated sizes are those of images as stored or as displayed with their sides exchanged; UNKNOWN where neither."""
    with np.errstate(divide="ignore", invalid="ignore"):
        aspect, stored = np.log(stated[:, 0] / stated[:, 1]), np.log(sides[:, 0] / sides[:, 1])
        is_stored, is_displayed = np.abs(aspect - stored) < SAME_ASPECT, np.abs(aspect + stored) < SAME_ASPECT
    exactly, exchanged = (stated == sides).all(axis=1), (stated == sides[:, ::-1]).all(axis=1)
    either = is_stored & is_displayed  # nearly square
    of_stored = (is_stored & ~is_displayed) | (either & exactly & ~exchanged)
    of_displayed = (is_displayed & ~is_stored) | (either & exchanged & ~exactly)
    frame: np.ndarray = np.select([of_stored, of_displayed], [STORED, DISPLAY], UNKNOWN)
    return frame


def _by_other_sides(found: FoundBoxes) -> np.ndarray:
    """The corners as they are when width and height of the stated size are exchanged."""
    sizes = np.where(found.sizes > 0, found.sizes, 1)
    with np.errstate(invalid="ignore", over="ignore"):
        other: np.ndarray = found.corners * np.tile(sizes / sizes[:, ::-1], 2)
    return other


def _contradictions(found: FoundBoxes, frame: np.ndarray, exchanged: np.ndarray, location: str) -> Iterable[str]:
    """Why a file's sizes can't be of the images that its boxes were drawn on; `frame` is known where EXIF exchanges sides."""
    if exchanged.any():
        yield (
            "a box file must state the size of the image that its boxes were drawn on, got its width and height exchanged: "
            f"{location}: {_first(found, exchanged)}. Correct the sizes, or pass --boxes_orientation stored where the pixels "
            "are those of the images as they are"
        )
    remedy = "Export the project as JSON and pass --label_studio"
    if found.tool.lower() == LABEL_STUDIO and (frame == STORED).any():
        first = _first(found, frame == STORED)
        yield (
            "a box file must state the size of the image that its boxes were drawn on, got Label Studio's COCO, with boxes of "
            f"turned photos as displayed and their sizes as stored: {location}: {first}. {remedy}"
        )
        return
    outside = (found.corners > 1 + BEYOND).any(axis=1) & (_by_other_sides(found) <= 1 + BEYOND).all(axis=1)
    wrong = (frame != UNKNOWN) & outside
    if wrong.any():
        boxes = plural(int(wrong.sum()), "box", "boxes")
        yield (
            f"a box file must state the size of the image that its boxes were drawn on, got {boxes} "
            f"outside the stated size and inside it with width and height exchanged: {location}: {_first(found, wrong)}. "
            "Correct the sizes, or export in another format"
        )


def _undecided(found: FoundBoxes, rest: np.ndarray, images: int, location: str) -> str:
    return (
        f"boxes of images that EXIF turns must be of the image as stored or as displayed, and nothing in the file decides for "
        f"{plural(images, 'image')}: {location}: {_first(found, rest)}. Pass --boxes_orientation stored or display"
    )


def _first(found: FoundBoxes, mask: np.ndarray) -> str:
    """The names of the first few images that have such a box."""
    return some(list(dict.fromkeys(found.images.filter(pa.array(mask)).to_pylist())))


def _turned(rows: np.ndarray, frame: np.ndarray, mask: np.ndarray, why: str) -> Iterable[str]:
    """How many images were taken for stored or displayed, and why."""
    for kind, name in ((STORED, "as stored"), (DISPLAY, "as displayed")):
        if images := len(np.unique(rows[mask & (frame == kind)])):
            yield f"{images:,} {name} {why}"


def _without_size(found: FoundBoxes, rows: np.ndarray) -> tuple[FoundBoxes, np.ndarray]:
    """The boxes and rows without those in pixels of an image whose size is known from nowhere; of no image, they stay."""
    unknown = found.in_pixels & (rows != NO_IMAGE)
    if not unknown.any():
        return replace(found, corners=np.where(found.in_pixels[:, None], [0.0, 0.0, 1.0, 1.0], found.corners)), rows
    places = found.places.filter(pa.array(unknown)).to_pylist()
    lines = [f"a box in pixels must have an image that can be read or a stated size: {place}" for place in places]
    rest, rows = _without_size(chosen(found, ~unknown), rows[~unknown])
    return replace(rest, malformed=(*found.malformed, *lines)), rows
