"""Open Images: tables of image labels and of boxes by ImageID; class-descriptions has the names of classes."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from imagerecords.tasks.sources.annotations.geometry import no_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of_path
from imagerecords.tasks.sources.annotations.tables import Row, columns_of, rows_of

BOXES = {"imageid", "labelname", "xmin", "xmax", "ymin", "ymax"}
LABELS = {"imageid", "labelname"}
IMAGES = {"imageid", "subset"}


@dataclass
class _Image:
    """What all tables say of an image."""

    place: str
    split: str | None
    labels: list[str] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    subset: str = ""
    unclear: bool = False


def is_open_images(columns: Iterable[str]) -> bool:
    """Whether columns are those of one of Open Images' tables."""
    columns = set(columns)
    return columns >= LABELS or columns >= IMAGES


def is_description(path: str) -> bool:
    """Whether a file describes the classes: their names by MID, or their hierarchy."""
    name = path.rpartition("/")[2].lower().replace("_", "-")
    return "class-descriptions" in name or name == "classes.csv" or name.endswith("hierarchy.json")


def read_open_images(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen tables together."""
    names = _descriptions(source)
    images: dict[tuple[str, str | None], _Image] = {}
    for path in source.chosen:
        columns = set(columns_of(source.head(path)))
        split = split_of_path(path)
        for row in rows_of(source, path):
            key, place = row.values.get("imageid", ""), source.place(path, f"line {row.line}")
            if not key:
                source.refuse(place, "a row must have an ImageID, got none")
                continue
            image = images.setdefault((key, split), _Image(place, split))
            if columns >= BOXES:
                _add_box(source, image, row, place, names)
            elif columns >= LABELS:
                _add_label(source, image, row, names)
            elif columns >= IMAGES:
                image.subset = row.values["subset"]
    source.marked = source.lost
    home = folder_of(source.chosen[0]) if source.chosen else ""
    top = folder_of(home)
    for (key, split), image in images.items():
        subset = image.subset or {"train": "train", "validation": "validation", "test": "test"}.get(split or "", "")
        below = [name for name in (f"images/{subset}", subset, f"{subset}/data", "images", "data", "") if name.strip("/")]
        yield AnnotatedImage(
            path=key,
            place=image.place,
            labels=tuple(dict.fromkeys(image.labels)),
            split=split,
            boxes=tuple(image.boxes),
            by_stem=True,
            other=key,  # globox writes whole names
            folders=tuple(dict.fromkeys([join(start, name) for start in (top, home) for name in (*below, "")])),
            unclear=image.unclear,
        )


def _add_box(source: Source, image: _Image, row: Row, place: str, names: dict[str, str]) -> None:
    try:
        xmin, ymin, xmax, ymax = (no_of(row.values[name]) for name in ("xmin", "ymin", "xmax", "ymax"))
    except (KeyError, ValueError):
        source.drop_box(place, "a box must have XMin, XMax, YMin and YMax")
        image.unclear = True
        return
    label, crowd = row.values["labelname"], row.values.get("isgroupof") == "1"
    image.boxes.append(Box((xmin, ymin, xmax, ymax), names.get(label, label), place, relative=True, is_crowd=crowd))


def _add_label(source: Source, image: _Image, row: Row, names: dict[str, str]) -> None:
    label = row.values["labelname"]
    confidence = row.values.get("confidence") or "1"
    if confidence.strip("0.") == "":
        source.unread["label verified as absent (Confidence 0)"] += 1
    elif confidence.rstrip("0").rstrip(".") != "1":
        source.unread["label of a machine (Confidence below 1)"] += 1
        image.unclear = True
    else:
        image.labels.append(names.get(label, label))


def _descriptions(source: Source) -> dict[str, str]:
    """The name of each class by its MID."""
    names: dict[str, str] = {}
    for path in filter(is_description, source.files):
        if path.lower().endswith(".csv"):
            rows = [row for row in csv.reader(io.StringIO(source.text(path))) if len(row) == 2]
            names |= {mid.strip(): label.strip() for mid, label in rows if mid.strip().lower() != "labelname"}
    return names
