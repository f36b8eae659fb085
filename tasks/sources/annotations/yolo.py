"""YOLO: the images, splits and names of classes of a data.yaml, obj.data, obj.names or classes.txt; a label file per image."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from imagerecords.schemas.messages import some
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of, split_of_folders, stem_of
from imagerecords.tasks.sources.annotations.yolo_labels import Layout, is_label_file, label_files, lines_of
from imagerecords.tasks.sources.file_names import ending_of

SPLIT_KEYS = {"train": "train", "val": "validation", "valid": "validation", "validation": "validation", "test": "test"}
CLASSES = ("classes.txt", "obj.names", "data.yaml", "dataset.yaml", "data.yml")  # beside label files that nothing else names
NAMES_FILES = ("obj.names", "classes.txt", "classes.names", "labels.txt", "_darknet.labels")


def is_data_yaml(text: str) -> bool:
    """Whether a YAML file is one of YOLO's."""
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and ("names" in content or ("nc" in content and bool(SPLIT_KEYS.keys() & content.keys())))


def read_yolo(source: Source) -> Iterator[AnnotatedImage]:
    """The images of the chosen data.yaml, obj.data or classes.txt, or of the folders around them."""
    texts = {path for path in source.files if ending_of(path) == ".txt"}
    if len({source.text(path) for path in source.chosen}) > 1:
        raise ValueError(f"files of class names must say the same, got {some(source.chosen)}. Remove the wrong ones")
    layout = _layout(source, source.chosen[0]) if source.chosen else Layout({}, [], keypoints=False)
    if not layout.images and not source.bad:
        problem = "images must lie in the folder, got none. Pass --images_directory with the folder in which they are"
        source.refuse(source.place(source.chosen[0]) if source.chosen else source.place(""), problem)
    alone = _by_stem([image for image, _ in layout.images], texts)
    splits: dict[str, str | None] = {}
    labels: dict[str, str] = {}
    for image, split in layout.images:
        if image in splits:
            source.refuse(source.place(source.chosen[0], f"image {image}"), "an image must be in one split, got it in two")
            continue
        splits[image] = split
        if file := next((text for text in label_files(image) if text in texts), None) or alone.get(image):
            labels[image] = file
    lines = iter(source.texts(list(labels.values())))
    for image, split in splits.items():
        path, text = next(lines) if image in labels else (image, "")
        yield AnnotatedImage(image, source.place(path), split=split, boxes=tuple(lines_of(source, path, text, layout)))
    folders = {folder_of(file) for file in labels.values()}
    lost = [file for file in texts - set(labels.values()) if folder_of(file) in folders and is_label_file(source, file)]
    source.unread["label file (.txt) of no image"] += len(lost)


def _by_stem(images: Iterable[str], texts: Iterable[str]) -> dict[str, str]:
    """For images whose stem no other image and one text alone has, that text: their folders may have nothing in common."""
    of_stem: defaultdict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for kind, paths in enumerate((images, texts)):
        for path in paths:
            of_stem[stem_of(path.rpartition("/")[2])][kind].append(path)
    return {named[0]: found[0] for named, found in of_stem.values() if len(named) == len(found) == 1}


def classes_beside(source: Source, folder: str) -> Layout:
    """The names of classes in a folder, or nearest above it, and whether lines have keypoints; no names without a file."""
    while True:
        for name in CLASSES:
            if (path := join(folder, name)) not in source.files:
                continue
            if ending_of(path) == ".txt" or name == "obj.names":
                return Layout(_names_file(source, path), [], keypoints=False)
            content = yaml.safe_load(source.text(path))
            content = content if isinstance(content, dict) else {}
            return Layout(_names(content.get("names"), None) or {}, [], keypoints="kpt_shape" in content)
        if not folder:
            return Layout({}, [], keypoints=False)
        folder = folder_of(folder)


def _layout(source: Source, path: str) -> Layout:
    if ending_of(path) in (".yaml", ".yml"):
        return _from_yaml(source, path)
    if ending_of(path) == ".data":
        return _from_darknet(source, path)
    names = _names_file(source, path)
    images = _listed_at_the_top(source, path)
    if images is None:
        images = [(image, _split_in(image, "")) for image in source.pictures]
    return Layout(names, images, keypoints=False)


def _listed_at_the_top(source: Source, path: str) -> list[tuple[str, str | None]] | None:
    """The images of train.txt, valid.txt or images.txt beside a file of names (Darknet, YOLOv4); None where there is none."""
    home = folder_of(path)
    lists = {name: join(home, f"{name}.txt") for name in ("images", *SPLIT_KEYS)}
    known = {name: file for name, file in lists.items() if file in source.files and not is_label_file(source, file)}
    return [(image, SPLIT_KEYS.get(name)) for name, file in known.items() for image in _listed(source, file)] if known else None


def _split_in(image: str, home: str) -> str | None:
    return split_of_folders(image.removeprefix(f"{home}/").split("/")[:-1])


def _from_yaml(source: Source, path: str) -> Layout:
    content = yaml.safe_load(source.text(path))
    names = _names(content.get("names"), content.get("nc")) if isinstance(content, dict) else None
    unnamed = names is not None and content.get("names") is None
    source.remarks["class without a name in data.yaml, called class_0, class_1, …"] += len(names or ()) if unnamed else 0
    if names is None:
        raise ValueError(f"data.yaml must have names, a list or a mapping of ids: {source.place(path)}")
    home = folder_of(path)
    images: list[tuple[str, str | None]] = []
    taken: set[str] = set()
    for key, split in SPLIT_KEYS.items():
        entries = content.get(key) or []
        for entry in [entries] if isinstance(entries, str) else entries:
            found = _entry(source, home, str(content.get("path") or ""), str(entry))
            if found is None and split == "test":  # Roboflow names it in any case
                source.unread["folder of test images that does not exist"] += 1
            elif found is None:
                source.refuse(source.place(path, key), f"a folder or list of images must exist, got none: {entry}")
            if found and all(image in taken for image in found):
                problem = f"splits must have images of their own, got those of another split: {entry}. Remove {key}"
                source.refuse(source.place(path, key), problem)
                continue
            taken |= set(found or ())
            images += [(image, split) for image in found or ()]
    if not any(content.get(key) for key in SPLIT_KEYS):
        images = [(image, _split_in(image, home)) for image in source.below(home)]
    return Layout(names, images, keypoints="kpt_shape" in content)


def _names(names: Any, count: Any) -> dict[int, str] | None:
    if isinstance(names, list):
        return {number: str(name) for number, name in enumerate(names)}
    if isinstance(names, dict):
        return {int(number): str(name) for number, name in names.items() if str(number).strip().isdigit()}
    return {number: f"class_{number}" for number in range(count)} if isinstance(count, int) else None


def _entry(source: Source, home: str, root: str, entry: str) -> list[str] | None:
    """The images of an entry of data.yaml: a folder or a list of images; None where there is neither.

    `path` is often a folder of another machine, and Roboflow's `../train/images` leads out of its own export.
    """
    entry = entry.replace("\\", "/")
    ways = [join(home, root, entry), join(home, entry), join(home, entry.removeprefix("../"))]
    parts = join(entry).split("/")
    ways += [join(home, *parts[number:]) for number in range(1, len(parts))]
    ways += [f"{root.rstrip('/')}/{'/'.join(parts[number:])}" for root in source.roots for number in range(len(parts))]
    for number, way in enumerate(ways):
        if way.startswith(".."):
            continue
        if ending_of(way) == ".txt" and way in source.files:
            return _listed(source, way)
        if found := list(source.below(way)):
            source.remarks[f"folder of data.yaml found in another place: {way} for {entry}"] += number > 2
            return found
    return None


def _listed(source: Source, path: str) -> list[str]:
    """The images of a list: as they are written, below the list's folder, or by the end of their paths."""
    known = set(source.pictures)
    found = []
    for number, line in enumerate(source.text(path).splitlines(), start=1):
        written = line.strip().replace("\\", "/")
        if not written:
            continue
        parts = join(written).split("/")
        ways = [join(folder_of(path), *parts[start:]) for start in range(len(parts))]
        ways += [f"{root.rstrip('/')}/{'/'.join(parts[start:])}" for root in source.roots for start in range(len(parts))]
        image = next((way for way in ways if way in known), None)
        if image is None:
            source.refuse(source.place(path, f"line {number}"), f"an image must exist, got none: {written}")
        else:
            found.append(image)
    return found


def _from_darknet(source: Source, path: str) -> Layout:
    """What obj.data says: `train = data/train.txt`, `names = data/obj.names`."""
    pairs = (line.partition("=") for line in source.text(path).splitlines())
    values = {key.strip(): value.strip() for key, _, value in pairs}
    home = folder_of(path)

    def beside(value: str) -> str | None:
        parts = join(value).split("/")
        return next((way for way in (join(home, *parts[n:]) for n in range(len(parts))) if way in source.files), None)

    names = beside(values.get("names", "obj.names"))
    if names is None:
        raise ValueError(f"obj.data must name a file of names that exists, got {values.get('names')!r}: {source.place(path)}")
    images: list[tuple[str, str | None]] = []
    for key, value in values.items():
        if key in ("classes", "names", "backup"):
            continue
        if (file := beside(value)) is None:
            source.refuse(source.place(path, key), f"a list of images must exist, got none: {value}")
            continue
        images += [(image, SPLIT_KEYS.get(key) or split_of(key)) for image in _listed(source, file)]
    return Layout(_names_file(source, names), images, keypoints=False)


def _names_file(source: Source, path: str) -> dict[int, str]:
    lines = [line.strip() for line in source.text(path).splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return dict(enumerate(lines))


def names_beside(files: Iterable[str]) -> list[str]:
    """The files of class names among some."""
    return sorted(path for path in files if path.rpartition("/")[2].lower() in NAMES_FILES)


def best_names(paths: list[str]) -> list[str]:
    """The one file that says most: data.yaml before obj.data before names alone; of several the uppermost."""
    ranks = {".yaml": 0, ".yml": 0, ".data": 1}
    return sorted(paths, key=lambda path: (ranks.get(ending_of(path), 2), path.count("/"), path))[:1]
