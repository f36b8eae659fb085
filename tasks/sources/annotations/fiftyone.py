"""FiftyOne: labels.json of an image classification or detection export, and samples.json of a whole data set."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from imagerecords.tasks.sources.annotations.geometry import IS_CROWD, are_numbers, from_size, no_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import SPLIT_OF, folder_of, join, split_of_path

PREFERRED = ("ground_truth", "label", "labels", "truth")
LABEL_TYPES = ("Classification", "Classifications")
BOX_TYPES = ("Detection", "Detections")


def is_fiftyone(content: Any) -> bool:
    """Whether JSON is one of FiftyOne's exports."""
    if not isinstance(content, dict):
        return False
    labels = content.get("labels")
    return (isinstance(labels, dict) and "classes" in content) or (
        isinstance(content.get("samples"), list) and all("filepath" in sample for sample in content["samples"][:3])
    )


def read_fiftyone(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files."""
    for path in source.chosen:
        content = source.json(path)
        if not is_fiftyone(content):
            source.refuse(source.place(path), "a FiftyOne export must have classes and labels, or samples")
        elif "samples" in content:
            yield from _read_samples(source, path, content["samples"])
        else:
            yield from _read_labels(source, path, content)


def _read_labels(source: Source, path: str, content: Mapping[str, Any]) -> Iterator[AnnotatedImage]:
    classes = content.get("classes") or []
    home = folder_of(path)
    manifest = join(home, "data.json")  # where an export left the images in their place
    places = source.json(manifest) if manifest in source.files_set else {}
    split = split_of_path(path) if home else None
    for key, value in content["labels"].items():
        place = source.place(path, f"label of {key}")
        written = str(places.get(key, key)) if isinstance(places, dict) else key
        labels: list[str] = []
        boxes: list[Box] = []
        for item in value if isinstance(value, list) else [] if value is None else [value]:
            _add(source, item, classes, place, (labels, boxes))
        exact = written in source.files_set or written != key
        yield AnnotatedImage(
            path=written,
            place=place,
            labels=tuple(dict.fromkeys(labels)),
            split=split,
            boxes=tuple(boxes),
            by_stem=not exact and not _has_ending(written),
            folders=tuple(join(home, name) for name in ("data", "images", "")),
        )


def _has_ending(key: str) -> bool:
    """Whether a key is a path (an export with abs_paths), not an image's name without its ending."""
    return key.startswith("/") or "://" in key or key[1:3] in (":\\", ":/")


def _add(source: Source, item: Any, classes: Sequence[Any], place: str, found: tuple[list[str], list[Box]]) -> None:
    """Add what a label is: a text, a class's number, or an object with a label and perhaps a box."""
    labels, boxes = found
    value = item.get("label") if isinstance(item, dict) else item
    if isinstance(value, int) and not isinstance(value, bool) and classes:
        if not 0 <= value < len(classes):
            source.refuse(place, f"a label must be one of the {len(classes)} classes, got {value}")
            return
        value = classes[value]
    if value is None:
        return
    box = item.get("bounding_box") if isinstance(item, dict) else None
    if box is None:
        labels.append(str(value))
        return
    source.unread["mask"] += bool(item.get("mask") or item.get("mask_path"))
    source.unread["attribute"] += len(item.get("attributes") or {})
    if are_numbers(box) and len(box) == 4:
        flags = {**item, **(item.get("attributes") or {})}
        is_crowd = any(str(flags.get(name)) in IS_CROWD for name in ("iscrowd", "IsGroupOf"))
        boxes.append(Box(from_size(*box), str(value), place, relative=True, is_crowd=is_crowd))
    else:
        source.drop_box(place, f"a bounding_box must be four numbers, got {box!r}")


def _read_samples(source: Source, path: str, samples: Sequence[Mapping[str, Any]]) -> Iterator[AnnotatedImage]:
    """Whole samples; where several fields have labels, that of the ground truth counts."""
    kinds: dict[str, str] = {}
    for sample in samples:
        kinds |= {name: str(value.get("_cls")) for name, value in sample.items() if isinstance(value, dict) and "_cls" in value}
    kinds = _without_predictions(source, samples, kinds)
    label_field, box_field = _field(source, path, kinds, LABEL_TYPES), _field(source, path, kinds, BOX_TYPES)
    others = set(kinds) - {label_field, box_field, "metadata"}
    counts = Counter(f"field {name} ({kinds[name]})" for name in others for sample in samples if sample.get(name))
    source.unread += counts
    home = folder_of(path)
    for number, sample in enumerate(samples, start=1):
        place = source.place(path, f"sample {number}")
        labels: list[str] = []
        boxes: list[Box] = []
        for name in (label_field, box_field):
            for item in _items(sample.get(name or "")):
                _add(source, item, (), place, (labels, boxes))
        splits = {SPLIT_OF[tag.lower()] for tag in sample.get("tags") or () if tag.lower() in SPLIT_OF}
        metadata = sample.get("metadata") or {}
        yield AnnotatedImage(
            path=str(sample["filepath"]),
            place=place,
            labels=tuple(dict.fromkeys(labels)),
            split=splits.pop() if len(splits) == 1 else None,
            boxes=tuple(boxes),
            size=(no_of(metadata.get("width") or 0), no_of(metadata.get("height") or 0)),
            folders=(home, join(home, "data")),
        )


def _without_predictions(source: Source, samples: Sequence[Mapping[str, Any]], kinds: dict[str, str]) -> dict[str, str]:
    """The fields that people labelled: those whose labels have a confidence are a model's, where there are others."""
    labelled = [name for name, kind in kinds.items() if kind in (*LABEL_TYPES, *BOX_TYPES)]
    models = {
        name
        for name in labelled
        if all(item.get("confidence") is not None for sample in samples for item in _items(sample.get(name)))
    }
    if models and len(models) == len(labelled):
        source.remarks[f"field whose labels have a confidence, as those of a model: {', '.join(sorted(models))}"] += len(models)
        return kinds
    for name in models:
        source.unread[f"field {name} (a model's, with confidences)"] += sum(1 for sample in samples if sample.get(name))
    return {name: kind for name, kind in kinds.items() if name not in models}


def _items(value: Any) -> Iterable[Any]:
    if not isinstance(value, dict):
        return ()
    return value.get("classifications") or value.get("detections") or ([value] if "label" in value else ())


def _field(source: Source, path: str, kinds: Mapping[str, str], wanted: Sequence[str]) -> str | None:
    """The field with values of one of these types; several are an error, but for one of a usual name."""
    names = sorted(name for name, kind in kinds.items() if kind in wanted)
    usual = [name for name in PREFERRED if name in names]
    if len(names) > 1 and not usual:
        found = ", ".join(names)
        source.refuse(source.place(path), f"one field must have {wanted[0].lower()}s, got {found}. Export one of them")
    return next(iter(usual or names), None)
