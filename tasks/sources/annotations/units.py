"""Boxes of relative formats that are in pixels all the same: decided for all boxes of a source together, by their values."""

from collections.abc import Iterable

from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Source

MOST_RELATIVE = 2.0  # what is farther out than a whole image is no relative box


def in_own_units(source: Source, images: Iterable[AnnotatedImage]) -> list[AnnotatedImage]:
    """The images, whose boxes of a relative format are in pixels where most of them go beyond 2."""
    images = list(images)
    relative = [box for image in images for box in image.boxes if box.relative]
    beyond = sum(max(map(abs, box.corners)) > MOST_RELATIVE for box in relative)
    if beyond * 2 <= len(relative):
        return images
    source.remarks["box of a relative format in pixels, by the values of most of them"] += len(relative)
    return [image._replace(boxes=tuple(box._replace(relative=False) for box in image.boxes)) for image in images]
