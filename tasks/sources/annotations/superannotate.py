"""SuperAnnotate: a JSON per image with metadata, instances and tags; older lists of instances, per image or in one file."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.sources.annotations.geometry import Corners, around, no_of, numbers_of
from imagerecords.tasks.sources.annotations.model import DAMAGED, AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import SPLIT_OF, folder_of, join, split_of_folders
from imagerecords.tasks.sources.file_names import IMAGE_ENDINGS, ending_of

SUFFIXES = ("___objects.json", "___pixel.json", ".json")  # behind the image's name, in the names of files
CLASSES = "classes.json"
DONE = "completed"
NOT_DONE = ("skipped", "notstarted")  # such an image nobody finished, and what is there may be of a model
RULE = "a SuperAnnotate file must have metadata and instances, or be its older list of them"


class _Read(NamedTuple):
    """An image, with the tags that are no classes."""

    image: AnnotatedImage
    tags: tuple[str, ...]


def is_superannotate(content: Any) -> bool:
    """Whether JSON is SuperAnnotate's: of one image, or its older lists."""
    if isinstance(content, list):
        return _is_list(content)
    if not isinstance(content, dict) or not content:
        return False
    if isinstance(content.get("metadata"), dict) and isinstance(content.get("instances"), list):
        return True
    lists = list(content.values())
    return all(isinstance(value, list) for value in lists) and any(map(_is_list, lists))


def is_older_name(name: str) -> bool:
    """Whether a file's name is one of an image's older list, which may be empty."""
    return name.endswith(SUFFIXES[:2])


def _is_list(items: list[Any]) -> bool:
    known = ("className", "classId", "probability", "pointLabels")
    return all(isinstance(item, dict) and "type" in item for item in items[:5]) and any(
        item["type"] == "meta" or any(key in item for key in known) for item in items[:5]
    )


def read_superannotate(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files; where nothing else has a class, free tags are the labels of images."""
    names = _classes(source)
    found: list[_Read] = []
    for path, content in source.json_files(lambda content: content == [] or is_superannotate(content), RULE):
        several = isinstance(content, dict) and "instances" not in content
        for image, whole in content.items() if several else [("", content)]:
            try:
                now = whole if isinstance(whole, dict) else _as_now(image or _image_name(path), whole)
                found.append(_read(source, path, now, names, image))
            except DAMAGED as error:
                place = source.place(path, f"image {image}" if image else "")
                source.refuse(place, f"{RULE}, got {plain_words(error)}")
    source.marked = source.lost
    by_tags = not any(read.image.labels or read.image.boxes for read in found)
    for image, tags in found:
        splits = {SPLIT_OF[tag.lower()] for tag in tags if tag.lower() in SPLIT_OF}
        labels = tuple(tag for tag in dict.fromkeys(tags) if tag.lower() not in SPLIT_OF)
        source.unread["free tag beside classes"] += 0 if by_tags else len(labels)
        split = splits.pop() if len(splits) == 1 else image.split
        yield image._replace(labels=labels if by_tags else image.labels, split=split)


def _classes(source: Source) -> dict[str, str]:
    """The names of classes by id, from classes/classes.json."""
    names: dict[str, str] = {}
    for path in source.own:
        content = source.json(path) if path.rpartition("/")[2] == CLASSES else []
        items = [item for item in content if isinstance(item, dict)] if isinstance(content, list) else []
        names |= {str(item["id"]): str(item["name"]) for item in items if item.keys() >= {"id", "name"}}
    return names


def _image_name(path: str) -> str:
    name = path.rpartition("/")[2]
    return next((name[: -len(suffix)] for suffix in SUFFIXES if name.endswith(suffix)), name)


def _as_now(name: str, items: Any) -> dict[str, Any]:
    """An image's older list in the form that SuperAnnotate writes today."""
    known = [item for item in items if isinstance(item, dict)]
    meta = {key: value for item in known if item.get("type") == "meta" for key, value in item.items()}
    return {
        "metadata": meta | {"name": name},
        "instances": [item for item in items if not (isinstance(item, dict) and item.get("type") in ("meta", "comment"))],
        "comments": [item for item in known if item.get("type") == "comment"],
    }


def _read(source: Source, path: str, content: Mapping[str, Any], names: Mapping[str, str], detail: str = "") -> _Read:
    about, home, lost = content["metadata"], folder_of(path), source.lost
    place = source.place(path, f"image {detail}" if detail else "")
    name = str(about.get("name") or _image_name(path))
    image = AnnotatedImage(
        path=name,
        place=place,
        split=split_of_folders(path.split("/")[:-1]),
        size=numbers_of((about.get("width"), about.get("height")), 2) or (0, 0),  # type: ignore[arg-type]
        by_stem=ending_of(name) not in IMAGE_ENDINGS,
        folders=tuple(dict.fromkeys([home, join(home, "images"), folder_of(home), join(folder_of(home), "images")])),
    )
    status = str(about.get("status") or "")
    if status.lower().replace(" ", "") in NOT_DONE:
        source.leave_object(f"image with the status {status}")
        return _Read(image._replace(unclear=True), ())
    source.remarks[f"image with the status {status}, read like completed ones"] += bool(status) and status.lower() != DONE
    source.unread["comment"] += len(content.get("comments") or ())
    tags = [tag.get("name") if isinstance(tag, dict) else tag for tag in content.get("tags") or ()]
    labels: list[str] = []
    boxes: list[Box] = []
    for number, item in enumerate(content["instances"], start=1):
        where = f"{place}, instance {number}"
        if not isinstance(item, dict):
            source.drop_box(where, f"an instance must be an object, got {str(item)[:40]}")
            continue
        label = str(item.get("className") or names.get(str(item.get("classId"))) or "") or None
        source.unread["attribute"] += len(item.get("attributes") or ())
        if item.get("type") != "tag":
            boxes += _boxes(source, item, label, where)
        elif label:
            labels.append(label)
        else:
            tags.append(item.get("name"))
    texts = tuple(str(tag) for tag in tags if tag)
    image = image._replace(labels=tuple(dict.fromkeys(labels)), boxes=tuple(boxes), unclear=source.lost > lost)
    return _Read(image, texts)


def _boxes(source: Source, item: Mapping[str, Any], label: str | None, place: str) -> Iterator[Box]:
    kind = str(item.get("type") or "mask")
    if kind not in SHAPES:
        source.leave_object(kind)
        return
    try:
        corners = SHAPES[kind](item)
    except DAMAGED as error:
        source.drop_box(place, f"a {kind} must have numbers as SuperAnnotate writes them, got {plain_words(error)}")
        return
    source.remarks[f"{kind}, read as the upright box around it"] += kind != "bbox"
    yield Box(corners, label, place)


def _of_corners(item: Mapping[str, Any]) -> Corners:
    """The box around x1, y1, x2, y2, and the other corners of a rotated one."""
    points = item["points"]
    pairs = [(no_of(points[key]), no_of(points[f"y{key[1:]}"])) for key in points if key.startswith("x")]
    if len(pairs) < 2:
        raise ValueError(f"{len(pairs)} corners")
    return around(pairs)


def _of_polygon(item: Mapping[str, Any]) -> Corners:
    numbers = [no_of(number) for number in item["points"]]
    if len(numbers) < 6:
        raise ValueError(f"{len(numbers)} numbers")
    return around(zip(numbers[::2], numbers[1::2], strict=True))


def _of_cuboid(item: Mapping[str, Any]) -> Corners:
    return around((no_of(point["x"]), no_of(point["y"])) for point in item["points"].values())


def _of_ellipse(item: Mapping[str, Any]) -> Corners:
    x, y, across, down = (no_of(item[name]) for name in ("cx", "cy", "rx", "ry"))
    if no_of(item.get("angle") or 0):
        raise ValueError(f"angle {item['angle']}, of which its documentation has no unit")
    return x - across, y - down, x + across, y + down


SHAPES: dict[str, Callable[[Mapping[str, Any]], Corners]] = {
    "bbox": _of_corners,
    "rbbox": _of_corners,
    "polygon": _of_polygon,
    "cuboid": _of_cuboid,
    "ellipse": _of_ellipse,
}
