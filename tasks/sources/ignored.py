"""Which files beside pictures are no images: companions by the patterns of `ignore`, and the files that hold the boxes."""

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass

from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.storage.folders import Folder, open_folder

OF_BOX_FILES = (".csv", ".tsv", ".json", ".xml")
OF_BOX_FOLDERS = (".xml", ".txt", ".json", ".csv", ".tsv")


@dataclass(frozen=True)
class Ignored:
    """What is skipped: names that match, without regard to case, and the paths of box files."""

    names: re.Pattern[str]
    box_files: frozenset[str] = frozenset()
    box_folders: tuple[str, ...] = ()

    def kind(self, folder: Folder, path: str) -> str | None:
        """What a file is counted as when it is skipped, by its ending; None where it is an input."""
        name = path.rpartition("/")[2]
        if self.names.match(name.lower()) or self.has_boxes(folder, path):
            return f"{ending(name)} files"
        return None

    def has_boxes(self, folder: Folder, path: str) -> bool:
        """Whether a file is one that `bounding_boxes` names."""
        if not self.box_files and not self.box_folders:
            return False
        whole, name = folder.join(path), path.lower()
        is_file = name.endswith(OF_BOX_FILES) and whole in self.box_files
        return is_file or (name.endswith(OF_BOX_FOLDERS) and whole.startswith(self.box_folders))


def ending(name: str) -> str:
    """The ending of a file's name: `.xml`, `Zone.Identifier` of a Windows stream; the name itself where it has none."""
    if ":" in name:
        return name.rpartition(":")[2]
    stem, dot, last = name.rpartition(".")
    return f".{last.lower()}" if dot and stem else name


def nothing_ignored() -> Ignored:
    """For folders of which every file counts."""
    return Ignored(_one_of(()))


def ignored_files(settings: BuildSettings) -> Ignored:
    """What these settings skip."""
    folders = [open_folder(url, settings.storage_options) for _, url in settings.box_files()]
    is_folder = [folder.fs.isdir(folder.path) for folder in folders]
    return Ignored(
        _one_of(settings.ignore),
        frozenset(folder.path for folder, is_one in zip(folders, is_folder, strict=True) if not is_one),
        tuple(folder.path + "/" for folder, is_one in zip(folders, is_folder, strict=True) if is_one),
    )


def _one_of(patterns: Sequence[str]) -> re.Pattern[str]:
    """An expression that matches a name in small letters that fits one of the patterns; none without patterns."""
    return re.compile("|".join(fnmatch.translate(pattern.lower()) for pattern in patterns) or r"(?!)")
