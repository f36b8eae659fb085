"""JSON Lines of the clouds' labelling services: Amazon SageMaker Ground Truth, Google's Vertex AI, Azure Machine Learning.

A line is an image, by its URL. Where an image of that name lies beside the file, that one is meant.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.sources.annotations.geometry import from_size, no_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import SPLIT_OF, folder_of, join, split_of_path

GROUND_TRUTH, VERTEX, AZURE = "source-ref", "imageGcsUri", "image_url"
ML_USE = "aiplatform.googleapis.com/ml_use"
Read = Callable[[Source, Mapping[str, Any], str], tuple[list[str], list[Box]]]


def is_cloud_manifest(content: Any) -> bool:
    """Whether a line of JSON is one of theirs."""
    return isinstance(content, dict) and any(
        isinstance(content.get(key), str) and (key != AZURE or "label" in content) for key in (GROUND_TRUTH, VERTEX, AZURE)
    )


def read_cloud_manifest(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files."""
    beside = Counter(path.rpartition("/")[2] for path in source.pictures)
    for path in source.chosen:
        home = folder_of(path)
        for place, content in source.json_lines(path):
            if not is_cloud_manifest(content):
                source.refuse(place, f"a line must name an image by {GROUND_TRUTH}, {VERTEX} or {AZURE}")
                continue
            key = next(key for key in (GROUND_TRUTH, VERTEX, AZURE) if key in content)
            try:
                labels, boxes = READERS[key](source, content, place)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
                source.refuse(place, f"a label must be as its service writes it, got {plain_words(error)}")
                continue
            use = str((content.get("dataItemResourceLabels") or {}).get(ML_USE) or "")
            details = content.get("image_details") or {}
            url = str(content[key])
            local = key == AZURE or beside[url.rpartition("/")[2]]  # nothing here reads Azure's data stores
            yield AnnotatedImage(
                path=url.partition("://")[2] if local and "://" in url else url,
                place=place,
                labels=tuple(dict.fromkeys(labels)),
                split=SPLIT_OF.get(use.lower()) or split_of_path(path),
                boxes=tuple(boxes),
                size=_size(content, details),
                folders=(home, join(home, "images"), folder_of(home)),
            )


def _size(content: Mapping[str, Any], details: Mapping[str, Any]) -> tuple[float, float]:
    sizes = [value.get("image_size") for value in content.values() if isinstance(value, dict)]
    size = next((size[0] for size in sizes if isinstance(size, list) and size and isinstance(size[0], dict)), details)
    try:
        return no_of(size.get("width") or 0), no_of(size.get("height") or 0)
    except (TypeError, ValueError):  # Azure writes texts such as 640px
        return 0, 0


def _ground_truth(source: Source, content: Mapping[str, Any], place: str) -> tuple[list[str], list[Box]]:
    """Every attribute that has `<its name>-metadata` beside it, by the kind of job that it says."""
    labels: list[str] = []
    boxes: list[Box] = []
    for name, value in content.items():
        about = content.get(f"{name}-metadata")
        if not isinstance(about, dict):
            continue
        kind = str(about.get("type") or "").rpartition("/")[2]
        names = {str(number): str(label) for number, label in (about.get("class-map") or {}).items()}
        if kind == "image-classification":
            labels.append(str(about["class-name"]))
        elif kind == "image-classification-multilabel":
            labels += [names[str(number)] for number in value]
        elif kind == "object-detection":
            for count, item in enumerate(value["annotations"], start=1):
                corners = from_size(*(no_of(item[side]) for side in ("left", "top", "width", "height")))
                boxes.append(Box(corners, names[str(item["class_id"])], f"{place}, annotation {count}"))
        else:
            source.leave_object(f"attribute {name} ({kind or 'of no type'})")
    return labels, boxes


def _vertex(source: Source, content: Mapping[str, Any], place: str) -> tuple[list[str], list[Box]]:
    one = content.get("classificationAnnotation")
    labels = [str(item["displayName"]) for item in [one, *(content.get("classificationAnnotations") or ())] if item]
    boxes = []
    for count, item in enumerate(content.get("boundingBoxAnnotations") or (), start=1):
        xmin, ymin, xmax, ymax = (no_of(item.get(name) or 0) for name in ("xMin", "yMin", "xMax", "yMax"))
        boxes.append(Box((xmin, ymin, xmax, ymax), str(item["displayName"]), f"{place}, box {count}", relative=True))
    unread = sum(key.startswith(("segmentation", "polyline")) for key in content)
    source.leave_object("segmentation or polyline", unread)
    return labels, boxes


def _azure(source: Source, content: Mapping[str, Any], place: str) -> tuple[list[str], list[Box]]:
    value = content["label"]
    items = value if isinstance(value, list) else [value]
    labels: list[str] = []
    boxes = []
    for count, item in enumerate(items, start=1):
        if not isinstance(item, dict):
            labels += [str(item)] if item not in (None, "") else []
        elif "topX" in item:
            xmin, ymin, xmax, ymax = (no_of(item[name]) for name in ("topX", "topY", "bottomX", "bottomY"))
            crowd = str(item.get("isCrowd")) in ("1", "True", "true")
            boxes.append(Box((xmin, ymin, xmax, ymax), str(item["label"]), f"{place}, label {count}", True, is_crowd=crowd))
        else:
            source.leave_object("polygon")
    return labels, boxes


READERS: dict[str, Read] = {GROUND_TRUTH: _ground_truth, VERTEX: _vertex, AZURE: _azure}
