"""The folders that annotations are read from: what lies in them, and which of their files hold annotations."""

import math
import posixpath
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.sources.annotations.coco import without_outlines
from imagerecords.tasks.sources.annotations.model import Source
from imagerecords.tasks.sources.annotations.recognise import FORMATS, LABEL_FOLDERS, Recognised, recognise
from imagerecords.tasks.sources.file_names import IMAGE_ENDINGS, ending_of, is_utf8
from imagerecords.tasks.sources.input_files import beside
from imagerecords.tasks.sources.label_folders import setting_of
from imagerecords.tasks.sources.walk import walk_files
from imagerecords.tasks.storage.archives import unpacking
from imagerecords.tasks.storage.folders import Folder, open_folder

# Folders that tools make for annotations; the images lie beside them.
INNER = {
    *("annotations", "annotation", "labels", "label", "imagesets", "main", "xml", "xmls", "json", "jsons", "ann", "anns"),
    *("gt", "ground_truth", "labels_json", "metadata", "meta", "splits", "imagesplits", "partitions", "lists"),
}
LOOKED_AT = 20_000  # files on S3, where a hint is looked for: some seconds, and the listing has failed before


@dataclass
class OpenedSource:
    """A data set's folder with what was recognised in it."""

    location: str
    source: Source
    recognised: Recognised


def open_source(
    location: str, wanted: str | None, images: str | None, storage_options: Mapping[str, Any], most: float = math.inf
) -> OpenedSource:
    """The source at a path or URL; raises OSError where there is none, ValueError where it is of no known format.

    `most` files of a prefix of S3 are looked at.
    """
    folder, target, files = _home(location, storage_options, most)
    roots: tuple[str, ...] = ()
    if images:
        beyond = open_folder(images, storage_options)
        if type(beyond.fs) is not type(folder.fs):
            raise ValueError(f"images_directory and annotations must lie on one file system, got {images}")
        if not beyond.exists():
            raise FileNotFoundError(images)
        inside = beyond.path == folder.path or beyond.path.startswith(f"{folder.path}/")
        root = (
            beyond.path[len(folder.path) :].strip("/")
            if inside
            else str(beyond.path if beyond.is_local else beyond.canonical_url)
        )
        roots = (root,)
        if not inside:
            files += [f"{root.rstrip('/')}/{file.path}" for file in walk_files(beyond, "").files]
    source = Source(folder, tuple(filter(is_utf8, files)), roots=roots, hook=without_outlines)
    source.unread["file whose name is not UTF-8"] += len(files) - len(source.files)
    recognised = recognise(source, target, wanted)
    source.chosen = recognised.chosen
    return OpenedSource(location, source, recognised)


def _home(location: str, storage_options: Mapping[str, Any], most: float) -> tuple[Folder, str, list[str]]:
    """The data set's folder, the location relative to it, and its files.

    A folder of annotations that has no images in it belongs to the one above it.
    """
    folder = open_folder(location, storage_options)
    target = ""
    if folder.fs.isfile(folder.path):
        folder, target = beside(location.rstrip("/"), storage_options)
    elif not folder.exists():
        raise FileNotFoundError(location)
    if "::" in folder.url:
        raise ValueError(f"annotations must lie in a folder or file, got an archive: {location}. {unpacking(location)}")
    files = [file.path for file in walk_files(folder, "", most=most).files]
    while (name := folder.path.rpartition("/")[2]).lower() in INNER and folder.path.count("/") > 1:
        if any(ending_of(path) in IMAGE_ENDINGS for path in files):
            break
        above = posixpath.dirname(folder.path)
        url = above if folder.is_local else str(folder.fs.unstrip_protocol(above))
        folder, target = open_folder(url, storage_options), f"{name}/{target}".rstrip("/")
        files = [file.path for file in walk_files(folder, "", most=most).files]
    return folder, target, files


def exports_in(settings: BuildSettings) -> Iterator[str]:
    """A hint for each input directory that is the export of a labelling tool, where it was taken for label folders."""
    for name, url in settings.directories().items():
        try:
            recognised = open_source(url, None, None, settings.storage_options, most=LOOKED_AT).recognised
        except (OSError, ValueError):
            continue
        if recognised.name != LABEL_FOLDERS:
            title, place = FORMATS[recognised.name].title, shlex.quote(url)
            yield f"{setting_of(name)} must have a folder per label, got {title}: {url}. Pass --annotations {place} instead"
