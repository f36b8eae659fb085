"""VGG Image Annotator 3: its project, with files, views of them, and metadata: a place in space or time, and attributes.

A region is a list that begins with the number of its shape, in pixels of the file.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.sources.annotations.class_attribute import CLASS_NAMES, class_attribute
from imagerecords.tasks.sources.annotations.geometry import Corners, around, from_size, no_of
from imagerecords.tasks.sources.annotations.model import DAMAGED, AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.service_images import ServiceImages

KEYS = {"file", "view", "metadata", "attribute"}
IMAGE = 2  # the type of a file
CHECKBOX = 2  # the type of an attribute, whose value is several options
LOCAL, INLINE = 1, 4  # where a file lies: chosen in the browser, written into the project
RECTANGLE, CIRCLE, ELLIPSE, POLYGON, EXTREME_RECTANGLE = 2, 3, 4, 7, 8
SHAPES = {
    **{1: "point", RECTANGLE: "rectangle", CIRCLE: "circle", ELLIPSE: "ellipse", 5: "line", 6: "polyline", POLYGON: "polygon"},
    **{EXTREME_RECTANGLE: "rectangle of extreme points", 9: "circle of extreme points"},
}
UNREAD = (1, 5, 6, 9)


def is_via3(content: Any) -> bool:
    """Whether JSON is a project of VIA 3."""
    return isinstance(content, dict) and all(isinstance(content.get(key), dict) for key in KEYS)


def read_via3(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen files."""
    images = ServiceImages(source)
    for path in source.chosen:
        content = source.json(path)
        if not is_via3(content):
            source.refuse(source.place(path), f"a project of VIA 3 must have {', '.join(sorted(KEYS))}")
            continue
        yield from _read_project(source, images, path, content)


def _read_project(source: Source, images: ServiceImages, path: str, content: Mapping[str, Any]) -> Iterator[AnnotatedImage]:
    unclear: set[str] = set()
    of_file = _metadata(source, path, content, unclear)
    items = [item for several in of_file.values() for _, item in several]
    of_regions = _attribute(source, path, content, [item for item in items if item.get("xy")])
    of_images = _attribute(source, path, content, [item for item in items if not item.get("xy")], of_images=True)
    source.marked = source.lost
    for key, file in content["file"].items():
        place = source.place(path, f"file {key}")
        if not isinstance(file, dict):
            source.refuse(place, f"a file must have fname and src, got {str(file)[:40]}")
        elif str(file.get("type", IMAGE)) != str(IMAGE):
            source.leave_object("video or sound")
        else:
            labels: list[str] = []
            boxes: list[Box] = []
            for mid, item in of_file[str(key)]:
                if item.get("xy"):
                    names = _values(content, item, of_regions)
                    boxes += _boxes(source, item["xy"], names, source.place(path, f"file {key}, metadata {mid}"))
                else:
                    labels += _values(content, item, of_images)
            image = _image(images, path, place, file, content)
            yield image._replace(labels=tuple(dict.fromkeys(labels)), boxes=tuple(boxes), unclear=str(key) in unclear)


def _image(images: ServiceImages, path: str, place: str, file: Mapping[str, Any], content: Mapping[str, Any]) -> AnnotatedImage:
    """An image without labels, by its name, or by its URL behind the project's prefix of such."""
    config: Any = content.get("config")
    for key in ("file", "loc_prefix", str(file.get("loc"))):
        config = config.get(key) if isinstance(config, dict) else None
    url = "" if file.get("loc") in (LOCAL, INLINE) else f"{config or ''}{file.get('src') or ''}"
    return images.image(path, place, [str(file.get("fname") or ""), *([url] if "://" not in url else [])], url)


def _metadata(
    source: Source, path: str, content: Mapping[str, Any], unclear: set[str]
) -> defaultdict[str, list[tuple[str, Mapping[str, Any]]]]:
    """The metadata of each file, by its id; files with others, of times or of views of several files, become unclear."""
    found: defaultdict[str, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
    for mid, item in content["metadata"].items():
        if not (isinstance(item, dict) and isinstance(item.get("av") or {}, dict)):
            source.refuse(source.place(path, f"metadata {mid}"), f"metadata must have vid, z, xy and av, got {str(item)[:40]}")
            continue
        view = content["view"].get(str(item.get("vid")))
        files = view.get("fid_list") if isinstance(view, dict) else []
        files = [str(file) for file in files] if isinstance(files, list) else []
        if len(files) == 1 and not item.get("z"):
            found[files[0]].append((str(mid), item))
            continue
        what = "region or segment in time" if item.get("z") else "metadata of a view of several files"
        source.leave_object(what if files else "metadata of no file")
        unclear.update(files)
    return found


def _attribute(
    source: Source, path: str, content: Mapping[str, Any], items: list[Mapping[str, Any]], *, of_images: bool = False
) -> str | None:
    """The id of the attribute that has the class."""
    names = {key: str(each.get("aname") or key) for key, each in content["attribute"].items() if isinstance(each, dict)}
    counts = Counter(
        names.get(str(key), str(key))
        for item in items
        for key, value in (item.get("av") or {}).items()
        if value not in ("", None)
    )
    chosen = class_attribute(source, path, counts, CLASS_NAMES[:3] if of_images else ())
    return next((key for key, name in names.items() if name == chosen), None)


def _values(content: Mapping[str, Any], item: Mapping[str, Any], key: str | None) -> tuple[str, ...]:
    """The values of an attribute: a text, an option's name, or those of several options."""
    value = (item.get("av") or {}).get(key) if key else None
    if key is None or value in ("", None):
        return ()
    attribute = content["attribute"][key]
    options = attribute.get("options")
    options = options if isinstance(options, dict) else {}
    several = str(attribute.get("type")) == str(CHECKBOX)
    ticked = [part for part in str(value).split(",") if part] if several else [str(value)]
    return tuple(dict.fromkeys(str(options.get(part, part)).strip() for part in ticked))


def _boxes(source: Source, xy: Any, names: tuple[str, ...], place: str) -> Iterator[Box]:
    try:
        shape, *numbers = map(no_of, xy)
        kind = SHAPES.get(int(shape), f"shape {shape:g}")
        if shape in UNREAD:
            source.leave_object(kind)
            return
        corners = _corners(int(shape), numbers)
    except DAMAGED as error:
        source.drop_box(
            place, f"xy must be a shape and its numbers as VIA writes them, got {str(xy)[:60]} ({plain_words(error)})"
        )
        return
    source.remarks[f"{kind}, read as the upright box around it"] += shape not in (RECTANGLE, EXTREME_RECTANGLE)
    yield from (Box(corners, name, place) for name in names or (None,))


def _corners(shape: int, numbers: list[float]) -> Corners:
    if shape == RECTANGLE:
        x, y, width, height = numbers
        return from_size(x, y, width, height)
    if shape in (POLYGON, EXTREME_RECTANGLE) and len(numbers) >= 6:
        return around(zip(numbers[::2], numbers[1::2], strict=True))
    if shape == CIRCLE:
        x, y, radius = numbers
        return x - radius, y - radius, x + radius, y + radius
    if shape == ELLIPSE:
        x, y, across, down = numbers
        return x - across, y - down, x + across, y + down
    raise ValueError(f"{len(numbers)} numbers" if shape in SHAPES else f"shape {shape}")
