"""Labelbox: its export of data rows, NDJSON or a list, with labels by project; and its former one, a row per label.

Of several labels of an image, as consensus makes them, all must have the same classes; then the latest is read. What was
skipped is never a label.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from imagerecords.schemas.messages import some
from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.sources.annotations.class_attribute import CLASS_NAMES, class_attribute
from imagerecords.tasks.sources.annotations.geometry import Corners, around, from_size, no_of, numbers_of
from imagerecords.tasks.sources.annotations.model import DAMAGED, AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import SPLIT_OF
from imagerecords.tasks.sources.annotations.service_images import ServiceImages
from imagerecords.tasks.sources.file_names import ending_of

RULE = "a data row must have a data_row and projects, as Labelbox writes them"
FORMER = ("Labeled Data", "Label")
UNREAD = ("mask", "line", "point", "instanceURI", "location")  # of objects that are no boxes
SHAPES = {"instanceURI": "mask", "location": "text"}


class _Label(NamedTuple):
    """What one person said of an image: when, its objects, and the answers by question."""

    at: str
    objects: tuple[Mapping[str, Any], ...]
    answers: Mapping[str, tuple[str, ...]]


@dataclass
class _Row:
    """An image: its names, its URL, and the labels of it by project."""

    place: str
    names: tuple[str, ...]
    url: str
    size: tuple[float, float] = (0, 0)
    split: str | None = None
    labels: defaultdict[str, list[_Label]] = field(default_factory=lambda: defaultdict(list))
    unclear: bool = False


def is_labelbox(content: Any) -> bool:
    """Whether JSON is Labelbox's: a data row, a list of them, or its former list of labels."""
    item = content[0] if isinstance(content, list) and content else content
    return isinstance(item, dict) and (_is_row(item) or all(key in item for key in FORMER))


def _is_row(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("data_row"), dict) and isinstance(item.get("projects"), dict)


def read_labelbox(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files."""
    images = ServiceImages(source)
    for path in source.chosen:
        rows = list(_rows(source, path))
        labels = [label for row in rows for of_project in row.labels.values() for label in of_project]
        counts = Counter(question for label in labels for question in label.answers)
        wanted = CLASS_NAMES if any(label.objects for label in labels) else ()
        question = class_attribute(source, path, counts, wanted)
        source.marked = source.lost
        for row in rows:
            label = _chosen(source, row, question)
            image = images.image(path, row.place, row.names, row.url)
            yield image._replace(
                labels=label.answers.get(question or "", ()) if label else (),
                split=row.split or image.split,
                boxes=tuple(_boxes(source, label, row.place)) if label else (),
                size=row.size,
                unclear=row.unclear or label is None,
            )


def _rows(source: Source, path: str) -> Iterator[_Row]:
    former: dict[str, _Row] = {}
    for place, item in _items(source, path):
        lost = source.lost
        try:
            if _is_row(item):
                row = _row(source, item, place)
                row.unclear |= source.lost > lost
                yield row
            elif isinstance(item, dict) and all(key in item for key in FORMER):
                _add_former(source, item, place, former)
            else:
                source.refuse(place, RULE)
        except DAMAGED as error:
            source.refuse(place, f"{RULE}, got {plain_words(error)}")
    yield from former.values()


def _items(source: Source, path: str) -> Iterator[tuple[str, Any]]:
    """The rows of a file, each with its place: lines, or the items of a list."""
    if ending_of(path) == ".json":
        content = source.json(path)
        for number, item in enumerate(content if isinstance(content, list) else [content], start=1):
            yield source.place(path, f"row {number}"), item
        return
    yield from source.json_lines(path)


def _row(source: Source, item: Mapping[str, Any], place: str) -> _Row:
    about, media = item["data_row"], item.get("media_attributes") or {}
    sides = numbers_of((media.get("width"), media.get("height")), 2) or (0, 0)
    names = tuple(str(about[key]) for key in ("external_id", "global_key") if about.get(key))
    row = _Row(place, names, str(about.get("row_data") or ""), (sides[0], sides[1]), _split(item.get("metadata_fields")))
    for key, project in item["projects"].items():
        for label in project.get("labels") or ():
            details = label.get("label_details") or {}
            is_skipped = (label.get("performance_details") or {}).get("skipped") is True
            source.leave_object("skipped label", is_skipped)
            made = [] if is_skipped else _labels(source, label["annotations"], str(details.get("created_at")))
            row.labels[str(project.get("name") or key)] += made
    if not item["projects"]:
        source.leave_object("data row of no project")
    return row


def _split(fields: Any) -> str | None:
    """The split that Labelbox's own metadata field names."""
    for each in fields if isinstance(fields, list) else ():
        if isinstance(each, dict) and str(each.get("schema_name")).lower() == "split":
            value = each.get("value")
            return SPLIT_OF.get(str(value[0] if isinstance(value, list) and value else value).lower())
    return None


def _add_former(source: Source, item: Mapping[str, Any], place: str, rows: dict[str, _Row]) -> None:
    """Add a row of the former export, a label, to its image."""
    url, name = str(item["Labeled Data"] or ""), str(item.get("External ID") or "")
    key = str(item.get("DataRow ID") or url or name)
    row = rows.setdefault(key, _Row(place, (name,) if name else (), url))
    lost = source.lost
    is_skipped = item.get("Skipped") is True or item["Label"] in ("Skip", None)
    content = {} if is_skipped else item["Label"]
    if not isinstance(content, dict) or not content.keys() <= {"objects", "classifications", "relationships"}:
        source.refuse(
            place, f"a Label must have objects and classifications, got {str(content)[:60]}. Export it again as NDJSON"
        )
        return
    source.leave_object("skipped label", is_skipped)
    row.labels[str(item.get("Project Name") or "")] += (
        [] if is_skipped else _labels(source, content, str(item.get("Created At")))
    )
    row.unclear |= source.lost > lost


def _labels(source: Source, content: Mapping[str, Any], at: str) -> list[_Label]:
    """A label, none of a video."""
    if "frames" in content:
        source.leave_object("label of a video")
        return []
    answers: dict[str, tuple[str, ...]] = {}
    for each in content.get("classifications") or ():
        names = _answers(source, each)
        if names is None:
            source.leave_object("answer that is a text")
        elif names:
            answers[_name(each)] = names
    objects = tuple(content.get("objects") or ())
    if not all(isinstance(item, dict) for item in objects):
        raise ValueError("objects that are none")
    return [_Label(at, objects, answers)]


def _name(item: Mapping[str, Any]) -> str:
    """The name that people see; a former export has it as title."""
    return str(item.get("name") or item.get("title") or item.get("value") or "")


def _answers(source: Source, each: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The chosen options of a question; None where it is answered by a text."""
    one = each.get("radio_answer") or each.get("answer")
    several = each.get("checklist_answers") or each.get("answers") or each.get("dropdown_answers")
    options = several if isinstance(several, list) else one if isinstance(one, list) else [one] if isinstance(one, dict) else []
    source.unread["answer to a question about an answer"] += sum(bool(option.get("classifications")) for option in options)
    if not options and (isinstance(one, str) or "text_answer" in each):
        return None
    return tuple(dict.fromkeys(name for option in options if (name := _name(option))))


def _chosen(source: Source, row: _Row, question: str | None) -> _Label | None:
    """The label that counts: the latest, where all say the same classes; those of two projects are refused."""
    projects = [project for project, labels in row.labels.items() if labels]
    if len(projects) > 1:
        source.refuse(
            row.place, f"an image must have labels of one project, got {some([*map(repr, projects)])}. Export each on its own"
        )
        return None
    labels = row.labels[projects[0]] if projects else []
    said = {(label.answers.get(question or "", ()), tuple(sorted(set(map(_name, label.objects))))) for label in labels}
    if len(said) > 1:
        words = " and ".join(sorted(" and ".join([*answer, *names]) or "nothing" for answer, names in said))
        source.refuse(
            row.place, f"labels of several people must have the same classes, got {words}. Export one label of each image"
        )
        return None
    source.remarks["image with several labels of the same classes, of which the latest is read"] += len(labels) > 1
    return max(labels, key=lambda label: label.at, default=None)


def _boxes(source: Source, label: _Label, place: str) -> Iterator[Box]:
    for number, item in enumerate(label.objects, start=1):
        where = f"{place}, object {number}"
        try:
            source.unread["attribute of an object"] += len(item.get("classifications") or ())
            corners = _corners(source, item)
        except DAMAGED as error:
            source.drop_box(where, f"an object must have numbers as Labelbox writes them, got {plain_words(error)}")
            continue
        if corners:
            yield Box(corners, _name(item) or None, where)


def _corners(source: Source, item: Mapping[str, Any]) -> Corners | None:
    if box := item.get("bounding_box") or item.get("bbox"):
        return from_size(*(no_of(box[name]) for name in ("left", "top", "width", "height")))
    if points := item.get("polygon"):
        source.remarks["polygon, read as the upright box around it"] += 1
        return around((no_of(point["x"]), no_of(point["y"])) for point in points)
    kind = next((name for name in UNREAD if name in item), None)
    source.leave_object(SHAPES.get(kind, kind) if kind else str(item.get("annotation_kind") or "object of an unknown kind"))
    return None
