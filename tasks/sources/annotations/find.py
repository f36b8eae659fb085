"""Where the images lie that annotations name: as written, else by the end of the path, never by a guess between two."""

import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote

from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Source
from imagerecords.tasks.sources.annotations.paths import SPLIT_OF, join, stem_of
from imagerecords.tasks.sources.annotations.unread import MASKS
from imagerecords.tasks.sources.file_names import IMAGE_ENDINGS, ending_of


class Found(NamedTuple):
    """The path of an image, relative to the data set's folder, absolute, or a URL; or what is wrong. `how` is worth a note."""

    path: str | None
    problem: str = ""
    how: str = ""


class Finder:
    """Looks images up in the listing of a data set's folder, `images_directory` included."""

    def __init__(self, source: Source, images: Sequence[AnnotatedImage]) -> None:
        self._source = source
        self._files = set(source.files)
        self._names: defaultdict[str, list[str]] = defaultdict(list)
        self._stems: defaultdict[str, list[str]] = defaultdict(list)
        self._by_stem: defaultdict[str, list[str]] = defaultdict(list)
        self._forms: dict[str, str] = {}
        for path in source.files:
            name = _folded(path.rpartition("/")[2])
            self._names[name].append(path)
            self._forms.setdefault(_folded(path), path)
            if ending_of(path) in IMAGE_ENDINGS:
                self._stems[stem_of(name)].append(path)
                self._by_stem[stem_of(path)].append(path)
        self._written = Counter(_folded(clean(image.path).rpartition("/")[2]) for image in images)

    def find(self, image: AnnotatedImage) -> Found:
        """Where an image lies."""
        if "://" in image.path and not image.path.startswith("file:"):
            return Found(image.path)
        written = clean(image.path)
        if image.path.startswith("/") and self._source.folder.is_local and os.path.isfile(image.path):
            inside = f"{self._source.folder.path}/"
            path = os.path.realpath(image.path)
            return Found(path.removeprefix(inside) if path.startswith(inside) else image.path)
        found = self._exact(image, written, by_stem=image.by_stem)
        if found is None and image.other:
            other = clean(image.other)
            found = self._exact(image, other, by_stem=False) or self._exact(image, other, by_stem=True)
        if found is None and "%" in written:  # as in a URL
            found = self._exact(image, unquote(written), by_stem=image.by_stem)
        return found or self._by_end(image, written)

    def _exact(self, image: AnnotatedImage, written: str, *, by_stem: bool) -> Found | None:
        for folder in (*image.folders, *self._source.roots):
            path = _below(folder, written)
            if not by_stem and path in self._files:
                return Found(path)
            matches = without_masks(self._by_stem.get(path, [])) if by_stem else []
            if len(matches) > 1:
                return Found(None, f"an image must be one file, got {' and '.join(sorted(matches)[:2])}")
            if matches:
                return Found(matches[0])
        for folder in image.folders:
            if not by_stem and (other := self._forms.get(_folded(join(folder, written)))):
                return Found(other, how="image found under a name in another case or Unicode form")
        return None

    def _by_end(self, image: AnnotatedImage, written: str) -> Found:
        """The one image whose path ends like the written one, by as many folders as any does."""
        name = _folded(written.rpartition("/")[2])
        known = self._stems.get(name, []) if image.by_stem else self._names.get(name, [])
        wanted = _folded(written).split("/")
        depths = {path: _same_end(wanted, _folded(stem_of(path) if image.by_stem else path).split("/")) for path in known}
        if not depths:
            return Found(None, f"an image must exist, got none: {image.path}")
        deepest = max(depths.values())
        best = [path for path, depth in depths.items() if depth == deepest]
        best = without_masks(best) if image.by_stem else best
        if len(best) > 1 and image.split:
            of_split = [path for path in best if image.split in {SPLIT_OF.get(part.lower()) for part in path.split("/")[:-1]}]
            best = of_split or best
        if len(best) > 1:
            return Found(None, f"an image must be one file, got {' and '.join(sorted(best)[:2])} for {image.path}")
        whole = deepest in (len(wanted), best[0].count("/") + 1)
        if not whole and self._written[name] > 1:
            return Found(None, f"an image must exist, got none: {image.path}")
        return Found(best[0], how="" if deepest == len(wanted) else "image found by the end of its path, in another folder")


def without_masks(paths: list[str]) -> list[str]:
    """Images of one stem without those in folders of masks, unless there are no others."""
    if len(paths) < 2:
        return paths
    return [path for path in paths if MASKS.isdisjoint(path.lower().split("/")[:-1])] or paths


def _below(folder: str, path: str) -> str:
    """A path in a folder, which is relative to the data set's, absolute, or a URL."""
    return f"{folder.rstrip('/')}/{path}" if folder.startswith("/") or "://" in folder else join(folder, path)


def clean(path: str) -> str:
    """A path as written by any tool on any system, with slashes, without a drive, leading slashes and dots."""
    path = path.strip().removeprefix("file://").replace("\\", "/")
    if path[1:3] == ":/":
        path = path[3:]
    return join(path)


def _folded(path: str) -> str:
    return (path if path.isascii() else unicodedata.normalize("NFC", path)).casefold()


def _same_end(one: Sequence[str], other: Sequence[str]) -> int:
    """How many of the last parts are the same."""
    depth = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        depth += 1
    return depth
