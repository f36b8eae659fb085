"""Folders as Keras, torchvision, Ultralytics, Roboflow and FiftyOne lay them out: one per label, perhaps below one per split.

And datumaro's imagenet_txt: lists of `path class…` with the classes' names in synsets.txt.
"""

from collections import defaultdict
from collections.abc import Iterator

from imagerecords.schemas.messages import some
from imagerecords.tasks.sources.annotations.model import SPLIT_OF, AnnotatedImage, Source, folder_of, join, split_of, stem_of

UNLABELLED = ("_unlabeled", "no_label", "unlabeled", "unlabelled", "_unlabelled")
SYNSETS = "synsets.txt"


def read_folders(source: Source) -> Iterator[AnnotatedImage]:
    """The images of label folders; those of the unlabelled have no label."""
    below: defaultdict[str, list[str]] = defaultdict(list)
    for path in source.pictures:
        below[path.partition("/")[0] if "/" in path else ""].append(path)
    beside = below.pop("", [])
    splits = [name for name in below if name.lower() in SPLIT_OF]
    deep = bool(splits) and all(path.count("/") > 1 for name in splits for path in below[name])
    if splits and len(splits) == len(below) and not deep:
        problem = (
            f"images must lie in folders of their labels below those of splits, got {some(splits)} with images right in them"
        )
        source.refuse(source.place(""), problem)
        return
    if deep and len(splits) < len(below):
        others = sorted(set(below) - set(splits))
        source.refuse(
            source.place(""), f"folders must be one per split or one per label, got {some(splits)} and {some(others)}"
        )
        return
    beside += [path for name in splits for path in below[name] if deep and path.count("/") < 2]
    for path in beside:
        yield AnnotatedImage(path, source.place(path))
    for name in sorted(below):
        for path in below[name]:
            parts = path.split("/")[:-1]
            inner = parts[1:] if deep else parts
            if len(inner) > 1:
                source.remarks["image in a sub-folder of a label's folder"] += 1
            labels = () if inner[0].lower() in UNLABELLED else (inner[0],)
            yield AnnotatedImage(path, source.place(path), labels, SPLIT_OF[name.lower()] if deep else None)


def are_label_folders(source: Source) -> bool:
    """Whether images lie in folders."""
    return any("/" in path for path in source.pictures)


def read_imagenet_txt(source: Source) -> Iterator[AnnotatedImage]:
    """The images of the lists beside synsets.txt."""
    for path in source.chosen:
        home = folder_of(path)
        names = [line.strip() for line in source.text(join(home, SYNSETS)).splitlines() if line.strip()]
        stem = stem_of(path.rpartition("/")[2])
        for number, line in enumerate(source.text(path).splitlines(), start=1):
            words = line.split(" ")
            ids: list[int] = []
            while len(words) > 1 and (words[-1].isdigit() or not words[-1]):
                word = words.pop()
                ids += [int(word)] if word else []
            written = " ".join(words).strip().strip('"')
            if not written:
                continue
            place = source.place(path, f"line {number}")
            unknown = [label for label in ids if label >= len(names)]
            if unknown:
                source.refuse(place, f"a class must be one of the {len(names)} of {SYNSETS}, from 0, got {unknown[0]}")
                continue
            labels = tuple(dict.fromkeys(names[label] for label in reversed(ids)))
            folders = tuple(join(home, name) for name in (f"images/{stem}", "images", stem, ""))
            has_ending = any(join(folder, written) in source.files for folder in folders)
            yield AnnotatedImage(written, place, labels, split_of(stem), by_stem=not has_ending, folders=folders)
