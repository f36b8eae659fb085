"""The images of text lists: labels from the lists, or from the images' folders, and splits from the lists' names."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from imagerecords.schemas.messages import plural, some
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Source
from imagerecords.tasks.sources.annotations.paths import SPLIT_OF, folder_of, join, stem_of
from imagerecords.tasks.sources.annotations.text_lists import (
    NAMES,
    Line,
    is_list,
    kind_of,
    lines_in,
    names_in,
    split_of_list,
    text_labels,
    without_header,
)
from imagerecords.tasks.sources.annotations.unread import OF_ALL_IMAGES
from imagerecords.tasks.sources.file_names import IMAGE_ENDINGS, ending_of

THOSE_THAT_COUNT = "Pass the lists that count, each with --annotations"
NOT_READ = {
    "table": "list of numbers per image",
    "caption": "list of captions",
}


def read_image_lists(source: Source) -> Iterator[AnnotatedImage]:
    """The images of all chosen lists, each once."""
    lists = {path: without_header(source, lines_in(source, path, source.text(path))) for path in source.chosen}
    kinds = {path: kind_of(path, lines) for path, lines in lists.items()}
    for path, kind in kinds.items():
        if kind in NOT_READ:
            source.unread[f"{NOT_READ[kind]} ({path})"] += 1
    lists = {path: lines for path, lines in lists.items() if kinds[path] not in NOT_READ}
    labels = {path: _labels(source, path, lines, kinds[path]) for path, lines in lists.items()}
    by_folder = _by_folder([line.image for lines in lists.values() for line in lines])
    first: dict[str, tuple[str, Line]] = {}
    found: defaultdict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    splits: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for path, lines in lists.items():
        of_list = split_of_list(path)
        for line, names in zip(lines, labels[path], strict=True):
            split = SPLIT_OF[line.rest.lower()] if kinds[path] == "split" else of_list
            first.setdefault(line.image, (path, line))
            if split:
                splits[line.image].setdefault(split, path)
            if names:
                found[line.image][path] = tuple(dict.fromkeys([*found[line.image].get(path, ()), *names]))
    _refuse_contradictions(splits, found)
    for image, (path, line) in first.items():
        own = next(iter(found[image].values()), ()) or ((by_folder[image],) if image in by_folder else ())
        split = next(iter(splits[image]), None)
        yield AnnotatedImage(
            image,
            source.place(path, f"line {line.number}"),
            own,
            split,
            by_stem=ending_of(image) not in IMAGE_ENDINGS,
            folders=_folders(path, split),
        )


def _folders(path: str, split: str | None) -> tuple[str, ...]:
    """Where the images of a list lie: beside it, or beside its folder, perhaps in one of their split."""
    home = folder_of(path)
    names = ["", "images", *(name for name, of in SPLIT_OF.items() if of == split and split)]
    return tuple(dict.fromkeys(join(start, name) for start in (home, folder_of(home)) for name in names))


def _refuse_contradictions(splits: Mapping[str, Mapping[str, str]], found: Mapping[str, Mapping[str, tuple[str, ...]]]) -> None:
    """Raise ValueError where lists put an image into two splits, or give it other labels."""
    for image, paths in splits.items():
        if len(paths) > 1:
            both = some([f"{split} in {path}" for split, path in paths.items()])
            raise ValueError(f"lists must put each image into one split, got {both} for {image}. {THOSE_THAT_COUNT}")
    for image, names in found.items():
        if len({frozenset(each) for each in names.values()}) > 1:
            both = some([f"{some(each)} in {path}" for path, each in names.items()])
            raise ValueError(f"lists must give each image one label, got {both} for {image}. {THOSE_THAT_COUNT}")


def _by_folder(images: Sequence[str]) -> dict[str, str]:
    """The labels that images' folders are, where they lie in several, none of which is one of tools or of a split."""
    folders = {image: folder_of(image.replace("\\", "/")).rpartition("/")[2] for image in images}
    names = {name.lower() for name in folders.values()}
    if len(names) < 2 or "" in names or names & (OF_ALL_IMAGES | SPLIT_OF.keys()):
        return {}
    return folders


def _labels(source: Source, path: str, lines: Sequence[Line], kind: str) -> list[tuple[str, ...]]:
    """The labels of each line of a list."""
    if kind in ("nothing", "split"):
        return [()] * len(lines)
    if kind == "text":
        return [(name,) if name else () for name in text_labels(lines)]
    numbers = [tuple(int(float(word)) for word in line.rest.replace(",", " ").replace(";", " ").split()) for line in lines]
    names = _names(source, path, lines, numbers)
    return [tuple(names[number] for number in each) for each in numbers]


def _names(source: Source, path: str, lines: Sequence[Line], numbers: Sequence[tuple[int, ...]]) -> dict[int, str]:
    """The names of a list's numbers: from a file of names, from the images' folders, or the numbers themselves."""
    ids = sorted({number for each in numbers for number in each})
    candidates = {}
    for other in source.own:
        name = stem_of(other.rpartition("/")[2])
        if ending_of(other) != ".txt" or other in source.chosen or not NAMES.fullmatch(name) or is_list(source, other):
            continue
        if names := _numbered(names_in(source, other), ids):
            candidates[other] = names
    by_folder = _names_of_folders(lines, numbers)
    if len({tuple(names.items()) for names in candidates.values()}) > 1:
        agreeing = {other: names for other, names in candidates.items() if names == by_folder}
        if not agreeing:
            raise ValueError(f"the names of classes must stand in one file, got {some(sorted(candidates))} for {path}")
        candidates = agreeing
    if candidates:
        return next(iter(candidates.values()))
    if by_folder:
        return by_folder
    source.remarks["list whose classes have numbers without names, taken as labels"] += 1
    return {number: str(number) for number in ids}


def _numbered(names: dict[int, str] | list[str], ids: Sequence[int]) -> dict[int, str] | None:
    """The names of ids; a list without numbers counts from 0, or from 1 where its last is used and 0 is not."""
    if isinstance(names, dict):
        return {number: names[number] for number in ids} if names.keys() >= set(ids) else None
    first = 1 if ids[0] > 0 and ids[-1] == len(names) else 0
    if ids[-1] - first >= len(names) or ids[0] < first:
        return None
    if ids[0] > 0 and first == 0:
        raise ValueError(
            f"numbers of classes must begin at 0, or end at {len(names)} where they begin at 1, got {ids[0]} to {ids[-1]} for "
            f"{plural(len(names), 'name')}. Write a number before each name"
        )
    return {number: names[number - first] for number in ids}


def _names_of_folders(lines: Sequence[Line], numbers: Sequence[tuple[int, ...]]) -> dict[int, str] | None:
    """The names of images' folders by number, where each number has one folder and each folder one number."""
    pairs = {(each, folder_of(line.image).rpartition("/")[2]) for line, each in zip(lines, numbers, strict=True)}
    one = len(pairs) == len({number for number, _ in pairs}) == len({name for _, name in pairs}) > 1
    if not one or any(len(number) != 1 or not name for number, name in pairs):
        return None
    return {number[0]: name for number, name in pairs}
