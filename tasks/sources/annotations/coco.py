"""COCO: `images`, `annotations`, `categories`; an annotation without a box is a label of its image (datumaro's coco_labels)."""

import contextlib
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from imagerecords.schemas.messages import plural, some
from imagerecords.tasks.sources.annotations.geometry import IS_CROWD, Corners, around, from_size, numbers_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of_path, stem_of
from imagerecords.tasks.sources.annotations.run_lengths import is_mask, mask_of

TASKS = ("instances_", "person_keypoints_", "labels_", "stuff_", "panoptic_", "captions_", "image_info_", "image_labels_")
FROM_SEGMENTATION = "object without a bbox, read as the upright box around its segmentation"


class _File(NamedTuple):
    """A file, the names of its categories by id, and whether its annotations are of objects."""

    path: str
    names: Mapping[str, str]
    of_objects: bool


def is_coco(content: Any) -> bool:
    """Whether JSON is a COCO file."""
    return (
        isinstance(content, dict)
        and isinstance(content.get("images"), list)
        and (isinstance(content.get("annotations"), list) or isinstance(content.get("categories"), list))
    )


def read_coco(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files."""
    for path in source.chosen:
        content = source.json(path)
        if not is_coco(content):
            source.refuse(source.place(path), "a COCO file must have lists of images and annotations")
            continue
        yield from _read_file(source, path, content)


def _read_file(source: Source, path: str, content: Mapping[str, Any]) -> Iterator[AnnotatedImage]:
    names = _names(source, path, content.get("categories") or [])
    of_image: defaultdict[str, list[tuple[int, Mapping[str, Any]]]] = defaultdict(list)
    for number, annotation in enumerate(content.get("annotations") or [], start=1):
        if isinstance(annotation, dict) and "image_id" in annotation:
            of_image[_key(annotation["image_id"])].append((number, annotation))
        else:
            problem = f"an annotation must have an image_id and a bbox of four numbers, got {str(annotation)[:60]}"
            source.refuse(source.place(path, f"annotation {number}"), problem)
    info = content.get("info")
    source.tool = str(info.get("contributor") or "") if isinstance(info, dict) else ""
    relative = _are_relative(content.get("annotations") or [])
    file = _File(path, names, any(_is_object(annotation) for annotation in content.get("annotations") or []))
    split = split_of_path(path)
    folders = _folders(path)
    ids: set[str] = set()
    for number, image in enumerate(content["images"], start=1):
        place = source.place(path, f"image {number}")
        written = _written(image)
        if not written:
            source.refuse(place, "an image must have a file_name")
            continue
        key = _key(image.get("id"))
        if key in ids:
            source.refuse(place, f"an image's id must be there once, got {image.get('id')!r} again")
            continue
        ids.add(key)
        size = numbers_of((image.get("width"), image.get("height")), 2) or (0, 0)
        labels, boxes = _objects(source, file, of_image.pop(key, []), size)
        yield AnnotatedImage(
            path=written,
            place=place,
            labels=labels,
            split=split,
            boxes=tuple(box._replace(relative=relative) for box in boxes),
            size=(size[0], size[1]),
            folders=folders,
        )
    for key, lost in of_image.items():
        amount = f"of {plural(len(lost), 'annotation')}"
        for number, _ in lost if source.only_boxes else lost[:1]:
            problem = f"an annotation's image must be listed with its file_name, got None for image_id {key!r} {amount}"
            source.refuse(source.place(path, f"annotation {number}"), problem)


def without_outlines(item: dict[str, Any]) -> dict[str, Any]:
    """An annotation without its outline, nine tenths of a COCO file; one without a box has what its box is made of instead."""
    outline = item.get("segmentation")
    if outline and "image_id" in item:
        bbox = item.get("bbox")
        with contextlib.suppress(ValueError):  # of a damaged one its reader says what is wrong, and where
            item["segmentation"] = True if isinstance(bbox, list) and any(bbox) else _shortened(outline)
    return item


def _shortened(outline: Any) -> Any:
    if is_mask(outline):
        return mask_of(outline)
    rings = _rings(outline)
    return [_rectangle(*around(_points(rings)))] if rings else True


def _rectangle(xmin: float, ymin: float, xmax: float, ymax: float) -> list[float]:
    return [xmin, ymin, xmax, ymin, xmax, ymax, xmin, ymax]


def _names(source: Source, path: str, categories: list[Any]) -> dict[str, str]:
    """The name of each category by its id, which only one name may have."""
    names: dict[str, str] = {}
    for category in categories:
        if not isinstance(category, dict) or "name" not in category:
            continue
        key, name = _key(category.get("id")), str(category["name"])
        if names.setdefault(key, name) != name:
            source.refuse(
                source.place(path, f"category {key}"), f"a category's id must have one name, got {names[key]} and {name}"
            )
    source.remarks["category with the name of another one, read as the same class"] += len(names) - len(set(names.values()))
    return names


def _written(image: Any) -> str:
    """An image's path; LVIS has nothing but the URL of COCO's file, whose last folder and name are it."""
    path = (
        (image.get("file_name") or "/".join(str(image.get("coco_url") or "").split("/")[-2:]))
        if isinstance(image, dict)
        else ""
    )
    return path if isinstance(path, str) else ""


def _is_object(annotation: Any) -> bool:
    return isinstance(annotation, dict) and bool(annotation.get("bbox") or annotation.get("segmentation"))


def _are_relative(annotations: list[Any]) -> bool:
    """Whether boxes are relative to the images' sizes, against the format: none beyond 1, and fractions among them."""
    boxes = [numbers_of(annotation.get("bbox"), 4) for annotation in annotations if isinstance(annotation, dict)]
    numbers = [number for box in boxes if box for number in box]
    return bool(numbers) and max(numbers) <= 1 and any(not number.is_integer() for number in numbers)


def _key(value: Any) -> str:
    """An id as text: some tools write numbers in one list and texts in the other."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _folders(path: str) -> tuple[str, ...]:
    """Where a COCO file's images lie: beside it (Roboflow), or in images/, data/ or a folder of its own name at the top."""
    home, name = folder_of(path), stem_of(path.rpartition("/")[2])
    for task in TASKS:
        name = name.removeprefix(task)
    top = folder_of(home)
    tops = [top, home] if home.rpartition("/")[2].lower() in ("annotations", "labels", "annotation") else [home]
    below = [*(f"images/{name}", name, f"data/{name}"), *("images", "data", "")]
    return tuple(dict.fromkeys([join(start, folder) for start in tops for folder in below]))


def _objects(
    source: Source, file: _File, annotations: list[tuple[int, Mapping[str, Any]]], size: Sequence[float]
) -> tuple[tuple[str, ...], tuple[Box, ...]]:
    """The labels and boxes of an image; in a file of objects an annotation without a box is no label of the image."""
    labels, boxes = [], []
    for number, annotation in annotations:
        place = source.place(file.path, f"annotation {number}")
        name = file.names.get(_key(annotation.get("category_id"))) if "category_id" in annotation else None
        if name is None and not source.only_boxes:
            if "caption" in annotation or "segments_info" in annotation:
                source.leave_object("caption" if "caption" in annotation else "panoptic segment")
            else:
                ids = some([f"{key} ({name})" for key, name in file.names.items()]) or "the categories, of which there are none"
                source.refuse(place, f"a category_id must be one of {ids}, got {annotation.get('category_id')!r}")
            continue
        if any(annotation.get(key) for key in ("keypoints", "num_keypoints")):
            source.unread["keypoints"] += 1
        is_object = _is_object(annotation)
        try:
            corners = _corners(source, annotation, size)
        except ValueError as error:
            source.drop_box(place, str(error))
            continue
        if corners:
            is_crowd = str(annotation.get("iscrowd")) in IS_CROWD
            (area,) = numbers_of([annotation.get("area")], 1) or (math.nan,)
            boxes.append(Box(corners, name, place, is_crowd=is_crowd, area=area))
        elif is_object or file.of_objects:
            source.drop_box(place, f"an annotation must have a bbox of four numbers, got {annotation.get('bbox')!r}")
        elif name is not None:
            labels.append(name)
    return tuple(dict.fromkeys(labels)), tuple(boxes)


def _corners(source: Source, annotation: Mapping[str, Any], size: Sequence[float]) -> Corners | None:
    """The box of an annotation, else the one around its outline or mask; raises ValueError where these are damaged."""
    numbers, outline = numbers_of(annotation.get("bbox"), 4), annotation.get("segmentation")
    if numbers and any(numbers):
        source.unread["mask (segmentation)"] += bool(outline)
        return from_size(*numbers)
    if outline is not None and is_mask(outline):
        mask = mask_of(outline)
        if all(size) and mask.size != tuple(size):
            sides = " × ".join(map(str, mask.size))
            raise ValueError(f"a mask must be of its image's size, {size[0]:g} × {size[1]:g}, got {sides}")
        source.remarks[FROM_SEGMENTATION] += 1
        return mask.corners
    if rings := _rings(outline):
        source.remarks[FROM_SEGMENTATION] += 1
        return around(_points(rings))
    return from_size(*numbers) if numbers else None


def _rings(outline: Any) -> list[list[float]]:
    """The polygons of an outline: lists of x, y, x, y, …, whose numbers some tools write as texts.

    Raises ValueError where one is anything else; those of less than three points are skipped.
    """
    if not isinstance(outline, list):
        return []
    outline = outline if any(isinstance(ring, list) for ring in outline) else [outline]
    rings = [numbers_of(ring, len(ring)) for ring in outline if isinstance(ring, list) and len(ring) >= 6]
    if not all(ring and len(ring) % 2 == 0 for ring in rings):
        raise ValueError(f"a segmentation must be lists of x, y, x, y, …, got {str(outline)[:60]}")
    return [list(ring) for ring in rings if ring]


def _points(rings: Iterable[Sequence[float]]) -> list[tuple[float, float]]:
    return [point for ring in rings for point in zip(ring[::2], ring[1::2], strict=False)]
