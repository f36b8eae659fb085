"""What the numbers of boxes are, against their format: decided for all boxes of a source together, by their values."""

from collections.abc import Callable, Iterable, Mapping

from imagerecords.tasks.sources.annotations.geometry import Corners
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import join

MOST_RELATIVE = 2.0  # what is farther out than a whole image is no relative box
SLACK = 0.02  # of an image's side, by which tools round and people draw beyond it
LEAST_SEEN = 6  # boxes before numbers are taken for corners: a few may be wide, high and drawn beyond their image by chance
MOST_WITHIN = 0.5  # of them: of corners that are read as sizes most lead out of the image
MOST_SIZES = 64  # images whose size is read where the file states none


def in_own_units(source: Source, images: Iterable[AnnotatedImage]) -> list[AnnotatedImage]:
    """The images, whose boxes of a relative format are in pixels where most of them go beyond 2.

    Those of a format in pixels are relative where none goes beyond 1 and there are fractions among them.
    """
    images = list(images)
    boxes = [box for image in images for box in image.boxes]
    relative = [box for box in boxes if box.relative]
    if sum(max(map(abs, box.corners)) > MOST_RELATIVE for box in relative) * 2 > len(relative):
        source.remarks["box of a relative format in pixels, by the values of most of them"] += len(relative)
        return [_with(image, lambda box: box._replace(relative=False)) for image in images]
    inside = bool(boxes) and not relative and all(0 <= number <= 1 for box in boxes for number in box.corners)
    if inside and any(not number.is_integer() for box in boxes for number in map(float, box.corners)):
        source.remarks["box of a format in pixels relative to the image's size, by the values of all"] += len(boxes)
        return [_with(image, lambda box: box._replace(relative=True)) for image in images]
    return images


def in_own_corners(source: Source, images: Iterable[AnnotatedImage], form: str) -> list[AnnotatedImage]:
    """The images, whose numbers are two corners against their format where only so they fit into the images.

    As x, y, width and height half of the boxes leads out of its image; as corners none does, and each has an area.
    """
    images = list(images)
    numbers = NUMBERS.get(form.lower())
    if numbers is None:
        return images
    seen = beyond = 0
    for image in images:
        size = image.size if all(image.size) or seen > MOST_SIZES else _size(source, image)
        for box in image.boxes:
            width, height = (1.0, 1.0) if box.relative else size
            if not width or not height:
                continue
            xmin, ymin, xmax, ymax = numbers(box.corners)
            if xmax <= xmin or ymax <= ymin or not _fits((xmin, ymin, xmax, ymax), width, height):
                return images
            seen += 1
            beyond += not _fits(box.corners, width, height)
    if seen < LEAST_SEEN or seen - beyond > MOST_WITHIN * seen:
        return images
    source.remarks["box whose numbers are corners, not a width and a height, since only so all fit into their images"] += seen
    return [_with(image, lambda box: box._replace(corners=numbers(box.corners))) for image in images]


def _with(image: AnnotatedImage, change: Callable[[Box], Box]) -> AnnotatedImage:
    return image._replace(boxes=tuple(map(change, image.boxes)))


def _fits(corners: Corners, width: float, height: float) -> bool:
    xmin, ymin, xmax, ymax = corners
    within_x = -SLACK * width <= xmin and xmax <= width * (1 + SLACK)
    return within_x and -SLACK * height <= ymin and ymax <= height * (1 + SLACK)


def _size(source: Source, image: AnnotatedImage) -> tuple[float, float]:
    path = next((path for folder in image.folders if (path := join(folder, image.path)) in source.pictures_set), None)
    return (path and source.size_of(path)) or (0, 0)


def _from_corner(corners: Corners) -> Corners:
    """The numbers x, y, width and height that were made corners of."""
    xmin, ymin, xmax, ymax = corners
    return xmin, ymin, xmax - xmin, ymax - ymin


def _from_centre(corners: Corners) -> Corners:
    """The numbers of a centre, width and height that were made corners of."""
    xmin, ymin, xmax, ymax = corners
    return (xmin + xmax) / 2, (ymin + ymax) / 2, xmax - xmin, ymax - ymin


NUMBERS: Mapping[str, Callable[[Corners], Corners]] = {
    "coco": _from_corner,
    "make_sense": _from_corner,
    "yolo": _from_centre,
    "createml": _from_centre,
}
