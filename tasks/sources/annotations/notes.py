"""What is reported of annotations: what they were read as, what of them is not used, and what nothing speaks of."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from imagerecords.schemas.messages import plural, some
from imagerecords.tasks.sources.annotations.model import AnnotatedImage
from imagerecords.tasks.sources.annotations.recognise import FORMATS
from imagerecords.tasks.sources.annotations.source import OpenedSource


@dataclass
class ReadSource:
    """What was read of one source: so many images and boxes, the images that are missing, and the paths of the others."""

    opened: OpenedSource
    images: int = 0
    boxes: int = 0
    missing: list[AnnotatedImage] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)


def title(read: ReadSource) -> str:
    """The format of a source and its files."""
    chosen = read.opened.recognised.chosen
    files = f" ({plural(len(chosen), 'file')}: {some(chosen, 2)})" if chosen else ""
    return f"{FORMATS[read.opened.recognised.name].title}{files}"


def source_notes(read: ReadSource) -> Iterator[str]:
    """What one source was read as, and what of it was not read, or in a special way."""
    source, amounts = read.opened.source, f"{plural(read.images, 'image')}, {plural(read.boxes, 'object')}"
    yield f"annotations: {read.opened.location} read as {title(read)}: {amounts}"
    others = [name for name, files in read.opened.recognised.found.items() if files and name != read.opened.recognised.name]
    if others:
        yield f"annotations: {read.opened.location}: other formats there are not read: {some(others)}"
    if unread := counted(source.unread):
        yield f"annotations: {read.opened.location}: not read: {unread}"
    for remark, count in source.remarks.items():
        if count:
            yield f"annotations: {read.opened.location}: {count:,} × {remark}"


def counted(counts: Counter[str]) -> str:
    """Kinds with their numbers, the most frequent first."""
    return ", ".join(f"{what} ({count:,})" for what, count in counts.most_common() if count)


def amount_notes(
    skipped: Mapping[str, int], reads: list[ReadSource], images: Mapping[str, AnnotatedImage], usable: list[str]
) -> Iterator[str]:
    """How much of the annotations is used, where that is less than half."""
    named = len(images) + sum(len(read.missing) for read in reads)
    if len(usable) * 2 < named:
        why = ", ".join(f"{count:,} {what}" for what, count in skipped.items() if count)
        yield f"annotations: only {len(usable):,} of {named:,} images are used" + (f": {why}" if why else "")


def strangers(reads: list[ReadSource], images: Mapping[str, AnnotatedImage]) -> Iterator[str]:
    """Files that could hold annotations and are of no known format, and images that no annotation names."""
    names = {path.rpartition("/")[2] for path in images}
    for read in reads:
        if unknown := read.opened.recognised.unknown:
            yield f"annotations: {plural(len(unknown), 'file')} of no known format not read: {some(unknown)}"
        others = [path for path in read.opened.source.pictures if path not in images]
        if len(reads) > 1:  # their paths are relative to the folder of all
            others = [path for path in others if path.rpartition("/")[2] not in names]
        if others:
            yield f"annotations: {plural(len(others), 'image')} that no annotation names: {some(others)}"
