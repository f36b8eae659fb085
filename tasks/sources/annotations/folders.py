"""Folders as Keras, torchvision, Ultralytics, Roboflow and FiftyOne lay them out: one per label, perhaps below one per split.

And datumaro's imagenet_txt: lists of `path class…` with the classes' names in synsets.txt.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from imagerecords.schemas.messages import some
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Source
from imagerecords.tasks.sources.annotations.paths import SPLIT_OF, folder_of, join, split_of, stem_of
from imagerecords.tasks.sources.annotations.text_lists import NAMES, names_in, split_of_list
from imagerecords.tasks.sources.annotations.unread import of_all_images
from imagerecords.tasks.sources.file_names import IMAGE_ENDINGS, ending_of
from imagerecords.tasks.sources.unlabelled import means_unlabelled

ABOUT = re.compile(  # say nothing of images
    r"read.?me|licen[cs]e|copying|changelog|citation|.*\.(md|pdf|html|log|md5|sha\d+|py|ipynb|sh)$", re.IGNORECASE
)
WORD = re.compile(r"([A-Za-z][A-Za-z_ -]*)[._ -]?\d")
SYNSETS = "synsets.txt"
INNER = "images"  # in each label's folder, as Tiny ImageNet has it


def read_folders(source: Source) -> Iterator[AnnotatedImage]:
    """The images of label folders; those of the unlabelled have no label. A folder around all of them counts for nothing."""
    for path in source.files:
        if path not in source.pictures_set:
            of_split = ending_of(path) == ".txt" and split_of_list(path.rpartition("/")[2])
            kind = f"{path}, named for a split" if of_split else f"file in label folders ({ending_of(path) or 'no ending'})"
            source.unread[kind] += 1
    around = _around([folder_of(path).split("/") for path in source.pictures])
    parts = {path: path.split("/")[len(around) : -1] for path in source.pictures}
    if len(parts) > 1 and all(len(folders) > 1 and folders[-1].lower() == INNER for folders in parts.values()):
        parts = {path: folders[:-1] for path, folders in parts.items()}
    tops = sorted({folders[0] for folders in parts.values() if folders})
    splits = _splits(tops, deep=all(len(folders) > 1 for folders in parts.values()))
    deep = bool(splits) and all(len(folders) > 1 for folders in parts.values() if folders and folders[0] in splits)
    if deep and all(len(folders) > 2 and folders[0] == folders[1] for folders in parts.values()):
        parts = {path: folders[1:] for path, folders in parts.items()}  # archives unpacked into a folder of their name
    if splits and len(splits) == len(tops) and not deep:
        problem = (
            f"images must lie in folders of their labels below those of splits, got {some(list(splits))} with images right in "
            "them. Pass the file that has their labels, or write a CSV of path and label for --image_list"
        )
        source.refuse(source.place(""), problem)
        return
    if deep and len(splits) < len(tops):
        others = [name for name in tops if name not in splits]
        problem = f"folders must be one per split or one per label, got {some(list(splits))} and {some(others)}"
        source.refuse(source.place(""), problem)
        return
    nested = [path for path, folders in parts.items() if len(folders) > 1 + deep]
    if nested:
        problem = f"images must lie right in their label's folder, got {len(nested):,} in sub-folders: {some(nested)}"
        source.refuse(source.place(""), f"{problem}. Pass the folder that holds the label folders, or move them")
    for path, folders in parts.items():
        inner = folders[1:] if deep else folders
        if len(inner) > 1:
            continue
        labels = () if not inner or means_unlabelled(inner[0]) else (inner[0],)
        yield AnnotatedImage(path, source.place(path), labels, splits[folders[0]] if deep and folders else None)


def _splits(names: Sequence[str], *, deep: bool) -> dict[str, str]:
    """The folders that are named for splits; `training_set` and `test_set` are where all are so named, with folders in them."""
    whole = {name: SPLIT_OF[name.lower()] for name in names if name.lower() in SPLIT_OF}
    by_word = {name: split for name in names if (split := split_of(name))}
    return by_word if deep and not whole and len(by_word) == len(names) > 1 and len(set(by_word.values())) > 1 else whole


def _around(folders: list[list[str]]) -> list[str]:
    """The folders that all images lie in, of which each has more folders below; a lone label folder is none of them."""
    around: list[str] = []
    while folders and all(len(parts) > 1 for parts in folders) and len({parts[0] for parts in folders}) == 1:
        if folders[0][0].lower() in SPLIT_OF:
            break
        around.append(folders[0][0])
        folders = [parts[1:] for parts in folders]
    return around


def are_label_folders(source: Source) -> bool:
    """Whether images lie in folders."""
    return any("/" in path for path in source.pictures)


def has_label_folders(source: Source) -> bool:
    """Whether the folders of images can be labels: several that no tool makes for all images, and that are no splits."""
    named = are_label_folders(source) and not of_all_images(source)
    return named and not lone_folders(source) and not are_splits(source) and len({*map(folder_of, source.pictures)}) > 1


def lone_folders(source: Source) -> str | None:
    """The only folder of images, with the files beside that may say what they show; or folders that are one per split.

    None where there are several label folders, or one with nothing beside it.
    """
    names = sorted({folder_of(path).rpartition("/")[2] for path in source.pictures})
    bases = {tuple(word for word in re.split(r"[-_ ]", name.lower()) if word not in SPLIT_OF) for name in names}
    if len(names) > 1:
        return f"{some(names)}, which differ by their split alone" if len(bases) == 1 and () not in bases else None
    beside = [path for path in files_beside(source) if not (names and _has_name(source, path, names[0]))]
    return f"{names[0]} alone, beside {some(beside)}" if names and beside else None


def _has_name(source: Source, path: str, name: str) -> bool:
    """Whether a file is a list of classes' names with one among them."""
    if ending_of(path) != ".txt" or not NAMES.fullmatch(stem_of(path.rpartition("/")[2])):
        return False
    names = names_in(source, path)
    return name in (names.values() if isinstance(names, dict) else names)


def files_beside(source: Source) -> list[str]:
    """The files that are no images, and may say what these show."""
    return sorted(path for path in source.own if path not in source.pictures_set and not ABOUT.match(path.rpartition("/")[2]))


def are_splits(source: Source) -> bool:
    """Whether the folders right around images are all named for splits, alone or by a word."""
    return all(split_of(folder_of(path)) for path in source.pictures)


def labels_in_names(source: Source) -> list[str]:
    """The words that names of images begin with, where they are few, as in `cat.0.jpg` and `dog.0.jpg`."""
    matches = (WORD.match(path.rpartition("/")[2]) for path in source.pictures)
    counts = Counter(match[1].rstrip("_- ").lower() for match in matches if match)
    few = len(counts) > 1 and len(counts) * 2 <= counts.total()
    return sorted(counts) if few and counts.total() * 2 > len(source.pictures) else []


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
            written = " ".join(words).strip().replace('"', "")  # datumaro quotes a path with spaces, but not its ending
            if not written:
                continue
            place = source.place(path, f"line {number}")
            unknown = [label for label in ids if label >= len(names)]
            if unknown:
                source.refuse(place, f"a class must be one of the {len(names)} of {SYNSETS}, from 0, got {unknown[0]}")
                continue
            labels = tuple(dict.fromkeys(names[label] for label in reversed(ids)))
            folders = tuple(join(home, name) for name in (f"images/{stem}", "images", stem, ""))
            yield AnnotatedImage(
                written, place, labels, split_of(stem), by_stem=ending_of(written) not in IMAGE_ENDINGS, folders=folders
            )
