"""Files that a setting names: opened wherever they lie, and the error where they can.t be read."""

from collections.abc import Mapping
from typing import Any, BinaryIO

from imagerecords.tasks.storage.folders import Folder, open_folder


def beside(location: str, storage_options: Mapping[str, Any]) -> tuple[Folder, str]:
    """The folder in which a file lies, and the file's name there."""
    name = location.rpartition("/")[2]
    return open_folder(location.removesuffix(name) or ".", storage_options), name


def open_file(location: str, storage_options: Mapping[str, Any]) -> BinaryIO:
    """A file open for reading; raises OSError where it can't be."""
    folder, name = beside(location, storage_options)
    return folder.open(name)


def read_text(setting: str, location: str, storage_options: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The text of the file that a setting names, or what is wrong with it."""
    try:
        folder, name = beside(location, storage_options)
        return folder.read(name).decode("utf-8"), []
    except UnicodeDecodeError as error:
        return "", [f"{setting} must be UTF-8, got byte {error.object[error.start]:#x}: {location}"]
    except OSError as error:
        return "", [unreadable(setting, location, error)]


def unreadable(setting: str, location: str, error: OSError | ValueError) -> str:
    """The error of a file that can't be opened, or whose content is not what it should be."""
    if isinstance(error, FileNotFoundError):
        return f"{setting} must be an existing file: {location}. Check the path"
    if isinstance(error, OSError):
        return f"{setting} must be a file that can be read, got {type(error).__name__}: {location}"
    return f"{setting} must be readable, got: {' '.join(str(error).split())}: {location}"
