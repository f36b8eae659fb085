"""MOTChallenge: `gt/gt.txt` beside `img1` and `seqinfo.ini`, a line per object of a frame; CVAT writes the classes too."""

import configparser
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from imagerecords.schemas.messages import some
from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.sources.annotations.geometry import from_size, no_of, numbers_of
from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of_folders, stem_of

GT = "gt/gt.txt"
CLASSES = (  # of MOT16, MOT17 and MOT20, from 1
    *("pedestrian", "person on vehicle", "car", "bicycle", "motorbike", "non motorized vehicle", "static person"),
    *("distractor", "occluder", "occluder on the ground", "occluder full", "reflection"),
)
NUMBERS = 8  # frame, track, left, top, width, height, whether it counts, class; visibility and others behind


class _Sequence(NamedTuple):
    """A video: the pictures of its frames by number, their size, and the names of its classes from 1."""

    frames: dict[int, str]
    size: tuple[float, float]
    classes: tuple[str, ...]


def is_mot(source: Source, path: str) -> bool:
    """Whether a file is the ground truth of a sequence, which lies beside its pictures."""
    home = path.removesuffix(GT)
    beside = (join(home, "seqinfo.ini"), join(folder_of(path), "labels.txt"))
    return f"/{path}".endswith(f"/{GT}") and (
        any(each in source.files_set for each in beside) or next(source.below(join(home, "img1")), None) is not None
    )


def read_mot(source: Source) -> Iterator[AnnotatedImage]:
    """The frames of all sequences."""
    for path in source.chosen:
        try:
            sequence = _sequence(source, path)
        except (ValueError, configparser.Error) as error:
            source.refuse(source.place(path), plain_words(error))
            continue
        source.remarks["video, whose frames look alike: --group_pattern keeps each video in one split"] += 1
        boxes: defaultdict[int, list[Box]] = defaultdict(list)
        lost: set[int] = set()
        for number, line in enumerate(source.text(path).splitlines(), start=1):
            before = source.lost
            frame = _add_object(source, source.place(path, f"line {number}"), line, sequence, boxes)
            lost |= {frame} if source.lost > before else set()
        source.marked = source.lost
        split = split_of_folders(path.split("/")[:-2])
        for frame in sorted({*sequence.frames, *boxes}):
            picture = sequence.frames.get(frame) or join(path.removesuffix(GT), f"img1/{frame:06}.jpg")
            yield AnnotatedImage(
                path=picture,
                place=source.place(path, f"frame {frame}"),
                split=split,
                boxes=tuple(boxes[frame]),
                size=sequence.size,
                unclear=frame in lost,
            )


def _sequence(source: Source, path: str) -> _Sequence:
    """What lies beside a ground truth; raises ValueError where its frames can't be known."""
    home, info, labels = path.removesuffix(GT), join(path.removesuffix(GT), "seqinfo.ini"), join(folder_of(path), "labels.txt")
    stated = configparser.ConfigParser(interpolation=None)
    if info in source.files_set:
        stated.read_string(source.text(info))
    about = dict(stated["Sequence"]) if stated.has_section("Sequence") else {}
    folder = join(home, about.get("imdir") or "img1")
    pictures = list(source.below(folder))
    frames = {int(stem): picture for picture in pictures if (stem := stem_of(picture.rpartition("/")[2])).isdecimal()}
    if len(frames) < len(pictures):
        others = [picture for picture in pictures if picture not in frames.values()]
        raise ValueError(f"frames must be files named by their numbers, each once, got {some(others)}")
    lines = source.text(labels).splitlines() if labels in source.files_set else CLASSES
    size = numbers_of([about.get("imwidth") or 0, about.get("imheight") or 0], 2)
    if size is None:
        raise ValueError(
            f"imWidth and imHeight of seqinfo.ini must be numbers, got {about.get('imwidth')} and {about.get('imheight')}"
        )
    return _Sequence(frames, (size[0], size[1]), tuple(line.strip() for line in lines if line.strip()))


def _add_object(source: Source, place: str, line: str, sequence: _Sequence, boxes: defaultdict[int, list[Box]]) -> int:
    """Add the object of a line, and return its frame, 0 where that is unknown."""
    words = [word.strip() for word in line.split(",")]
    if not line.strip():
        return 0
    try:
        frame, _, left, top, width, height, counts, kind = map(no_of, words[:NUMBERS])
        number = int(frame)
        if number != frame or number < 1:
            raise ValueError(f"frame {words[0]}")
    except ValueError:
        source.drop_box(place, f"a line must be frame, track, left, top, width, height, a flag and a class, got {line[:60]!r}")
        return 0
    if not counts:
        source.leave_object("object that does not count (flag 0)")
    elif not (kind.is_integer() and 1 <= kind <= len(sequence.classes)):
        source.drop_box(
            place, f"a class (8th number) must be one of the {len(sequence.classes)} of its labels, from 1, got {words[7]}"
        )
    else:
        boxes[number].append(Box(from_size(left, top, width, height), sequence.classes[int(kind) - 1], place))
    return number
