"""The file that a labelling service means, which knows an image by ids, keys and a URL."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

from imagerecords.tasks.sources.annotations.model import Source
from imagerecords.tasks.sources.annotations.paths import stem_of
from imagerecords.tasks.sources.file_names import IMAGE_ENDINGS, ending_of


class Named(NamedTuple):
    """An image's path as AnnotatedImage has it."""

    path: str
    by_stem: bool = False


class ServiceImages:
    """Finds images by the names that a service has for them, among those that lie in the data set's folder."""

    def __init__(self, source: Source) -> None:
        names = [path.rpartition("/")[2] for path in source.pictures]
        self._names = Counter(names)
        self._stems = Counter(map(stem_of, names))

    def named(self, names: Iterable[str], url: str = "") -> Named:
        """The first name that a file has, with or without its ending; else the URL if it is not signed; else the first name."""
        found = [name for name in (*map(_slashed, names), name_of_url(url)) if name]
        for name in found:
            if self._names[name.rpartition("/")[2]]:
                return Named(name)
        for name in found:
            if self._stems[name.rpartition("/")[2]] and ending_of(name) not in IMAGE_ENDINGS:
                return Named(name, by_stem=True)
        can_be_read = "://" in url and "?" not in url
        return Named(url if can_be_read else next(iter(found), ""))


def _slashed(name: str) -> str:
    return name.partition("?")[0].partition("://")[2] if "://" in name else name.replace("\\", "/")


def name_of_url(url: str) -> str:
    """The file's name at the end of a URL."""
    return unquote(url.partition("?")[0].rstrip("/").rpartition("/")[2]) if not url.startswith("data:") else ""
