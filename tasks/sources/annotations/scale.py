"""Scale: tasks of image annotation with their responses; Nucleus' items with annotations, and annotations by reference_id."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.sources.annotations.geometry import Corners, around, from_size, no_of
from imagerecords.tasks.sources.annotations.model import DAMAGED, AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.service_images import ServiceImages
from imagerecords.tasks.sources.file_names import ending_of

LISTS = ("docs", "exportedRows", "annotations")  # what the APIs wrap their lists in
KINDS = ("box", "polygon", "category", "line", "keypoints", "cuboid", "segmentation", "multicategory")
URLS = ("image_url", "original_image_url", "processed_url", "image_location")
RULE = "an item must be a task with a response, a Nucleus item, or an annotation with a reference_id"


def is_scale(content: Any) -> bool:
    """Whether JSON is Scale's or Nucleus'."""
    items = _items_of(content)
    return bool(items) and any(test(items[0]) for test in (_is_task, _is_item, _is_annotation))


def _items_of(content: Any) -> list[Any]:
    if isinstance(content, dict):
        inner = next((content[key] for key in LISTS if isinstance(content.get(key), list)), None)
        return [content] if inner is None or _is_task(content) else inner
    return content if isinstance(content, list) else []


def _is_task(item: Any) -> bool:
    return isinstance(item, dict) and "task_id" in item and isinstance(item.get("params"), dict)


def _is_item(item: Any) -> bool:
    """Whether something is a row of Nucleus' exportForTraining."""
    inner = item.get("item") if isinstance(item, dict) else None
    return isinstance(inner, dict) and "reference_id" in inner


def _is_annotation(item: Any) -> bool:
    return isinstance(item, dict) and "reference_id" in item and item.get("type") in KINDS and "geometry" in item


def read_scale(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files."""
    images = ServiceImages(source)
    for path in source.chosen:
        by_reference: defaultdict[str, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
        for place, item in _items(source, path):
            try:
                if _is_task(item):
                    yield _of_task(source, images, path, item, place)
                elif _is_item(item):
                    yield _of_item(source, images, path, item, place)
                elif _is_annotation(item):
                    by_reference[str(item["reference_id"])].append((place, item))
                else:
                    source.refuse(place, RULE)
            except DAMAGED as error:
                source.refuse(place, f"{RULE}, got {plain_words(error)}")
        source.marked = source.lost
        for reference, items in by_reference.items():
            yield images.image(path, items[0][0], [reference])._replace(**_read(source, items))


def _items(source: Source, path: str) -> Iterator[tuple[str, Any]]:
    if ending_of(path) == ".json":
        for number, item in enumerate(_items_of(source.json(path)), start=1):
            yield source.place(path, f"item {number}"), item
        return
    yield from source.json_lines(path)


def _of_task(source: Source, images: ServiceImages, path: str, task: Mapping[str, Any], place: str) -> AnnotatedImage:
    image = images.image(path, place, [], str(task["params"].get("attachment") or ""))
    response, status = task.get("response"), str(task.get("status") or "completed")
    annotations = response.get("annotations") if isinstance(response, dict) else None
    if status != "completed" or not isinstance(annotations, list):
        what = f"that is {status}" if status != "completed" else f"of the type {task.get('type')} without a list of annotations"
        source.leave_object(f"task {what}")
        return image._replace(unclear=True)
    return image._replace(**_read(source, [(f"{place}, annotation {n}", each) for n, each in enumerate(annotations, start=1)]))


def _of_item(source: Source, images: ServiceImages, path: str, row: Mapping[str, Any], place: str) -> AnnotatedImage:
    item = row["item"]
    url = next((str(item[key]) for key in URLS if item.get(key)), "")
    image = images.image(path, place, [str(item["reference_id"])], url)
    lists = {kind: row[kind] if isinstance(row[kind], list) else [row[kind]] for kind in KINDS if row.get(kind)}
    found = [
        (f"{place}, {kind} {number}", {"type": kind, **each})
        for kind, several in lists.items()
        for number, each in enumerate(several, start=1)
    ]
    return image._replace(**_read(source, found))


def _read(source: Source, annotations: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """The labels and boxes among some annotations."""
    labels: list[str] = []
    boxes: list[Box] = []
    for place, item in annotations:
        kind = str(item.get("type") or "object of no type")
        source.unread["attribute"] += bool(item.get("attributes"))
        if kind == "category":
            labels.append(str(item["label"]))
        elif kind in ("box", "polygon"):
            try:
                corners = _corners(source, kind, item)
            except DAMAGED as error:
                source.drop_box(place, f"a {kind} must have numbers as Scale writes them, got {plain_words(error)}")
                continue
            boxes.append(Box(corners, str(item.get("label") or "") or None, place))
        else:
            source.leave_object(kind)
    return {"labels": tuple(dict.fromkeys(labels)), "boxes": tuple(boxes)}


def _corners(source: Source, kind: str, item: Mapping[str, Any]) -> Corners:
    """The box: of a task right in the annotation, of Nucleus in its geometry; a rotated one has vertices."""
    shape = item.get("geometry") or item
    if kind == "box" and not no_of(shape.get("rotation") or 0):
        left, top = (shape["x"], shape["y"]) if "geometry" in item else (shape["left"], shape["top"])
        return from_size(no_of(left), no_of(top), no_of(shape["width"]), no_of(shape["height"]))
    source.remarks[f"{'rotated box' if kind == 'box' else kind}, read as the upright box around it"] += 1
    return around((no_of(point["x"]), no_of(point["y"])) for point in shape["vertices"])
