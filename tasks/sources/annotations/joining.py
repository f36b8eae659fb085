"""The images of all annotation files together: those that several files speak of are joined, those that contradict refused."""

from dataclasses import dataclass, field

from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Box, Source


@dataclass
class _Entry:
    image: AnnotatedImage
    files: set[str]


@dataclass
class JoinedImages:
    """Images by their path; with `several` a file may name one several times, each with another label."""

    entries: dict[str, _Entry] = field(default_factory=dict)
    several: bool = False

    def add(self, source: Source, path: str, image: AnnotatedImage) -> None:
        """Take an image, or what another file says of one that is there; what can't be is refused."""
        file = image.place.partition(", ")[0]
        before = self.entries.get(path)
        if before is None:
            self.entries[path] = _Entry(image, {file})
            return
        first = before.image
        if file in before.files and not (self.several and not (first.boxes and image.boxes)):
            source.refuse(image.place, f"an image must be there once, got {image.path!r} as at {first.place}")
        elif first.split and image.split and first.split != image.split:
            source.refuse(image.place, f"an image must be in one split, got {image.split}, and {first.split} at {first.place}")
        else:
            known = set(map(_rounded, first.boxes))
            new = [box for box in image.boxes if _rounded(box) not in known]
            source.remarks["box that two files have, read once"] += len(image.boxes) - len(new)
            before.files.add(file)
            before.image = first._replace(
                labels=tuple(dict.fromkeys([*first.labels, *image.labels])),
                split=first.split or image.split,
                boxes=(*first.boxes, *new),
                size=first.size if all(first.size) else image.size,
                unclear=first.unclear or image.unclear,
            )

    def images(self) -> dict[str, AnnotatedImage]:
        """The images by their paths, in the order of the files."""
        return {path: entry.image for path, entry in self.entries.items()}


def _rounded(box: Box) -> tuple[str | None, bool, tuple[float, ...]]:
    return box.name, box.relative, tuple(round(corner, 4 if box.relative else 1) for corner in box.corners)
