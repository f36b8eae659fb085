"""The file that a labelling service means, which knows an image by ids, keys and a URL."""

from collections import Counter
from collections.abc import Iterable
from urllib.parse import unquote

from imagerecords.tasks.sources.annotations.model import AnnotatedImage, Source
from imagerecords.tasks.sources.annotations.paths import folder_of, join, split_of_path, stem_of
from imagerecords.tasks.sources.file_names import IMAGE_ENDINGS, ending_of


class ServiceImages:
    """Finds images by the names that a service has for them, among those that lie in the data set's folder."""

    def __init__(self, source: Source) -> None:
        names = [path.rpartition("/")[2] for path in source.pictures]
        self._names = Counter(names)
        self._stems = Counter(map(stem_of, names))

    def image(self, path: str, place: str, names: Iterable[str], url: str = "") -> AnnotatedImage:
        """An image of the export at `path`, by its names and its URL, without labels; it lies beside the export."""
        name, by_stem = self._named(names, url)
        home = folder_of(path)
        folders = tuple(dict.fromkeys([home, join(home, "images"), folder_of(home)]))
        return AnnotatedImage(path=name, place=place, split=split_of_path(path), by_stem=by_stem, folders=folders)

    def _named(self, names: Iterable[str], url: str) -> tuple[str, bool]:
        """The first name that a file has, and whether without its ending; or a URL that is not signed; or the first name."""
        found = [name for name in (*map(_slashed, names), name_of_url(url)) if name]
        for name in found:
            if self._names[name.rpartition("/")[2]]:
                return name, False
        for name in found:
            if self._stems[name.rpartition("/")[2]] and ending_of(name) not in IMAGE_ENDINGS:
                return name, True
        can_be_read = "://" in url and "?" not in url
        return url if can_be_read else next(iter(found), ""), False


def _slashed(name: str) -> str:
    return name.partition("?")[0].partition("://")[2] if "://" in name else name.replace("\\", "/")


def name_of_url(url: str) -> str:
    """The file's name at the end of a URL."""
    return unquote(url.partition("?")[0].rstrip("/").rpartition("/")[2]) if not url.startswith("data:") else ""
