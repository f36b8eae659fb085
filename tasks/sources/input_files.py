"""Files that a setting names: opened wherever they lie, and the error where they can't be read."""

import codecs
import re
from collections.abc import Mapping
from typing import Any, BinaryIO

from imagerecords.schemas.plain_words import plain_words
from imagerecords.tasks.storage.folders import Folder, open_folder

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def beside(location: str, storage_options: Mapping[str, Any]) -> tuple[Folder, str]:
    """The folder in which a file lies, and the file's name there."""
    name = location.rpartition("/")[2]
    return open_folder(location.removesuffix(name) or ".", storage_options), name


def open_file(location: str, storage_options: Mapping[str, Any]) -> BinaryIO:
    """A file open for reading; raises OSError where it can't be."""
    folder, name = beside(location, storage_options)
    return folder.open(name)


def read_text(setting: str, location: str, storage_options: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The text of the file that a setting names, without a byte order mark, or what is wrong with it."""
    try:
        folder, name = beside(location, storage_options)
        return decoded(folder.read(name)), []
    except ValueError as error:
        return "", [f"{setting} must be {error}: {location}"]
    except OSError as error:
        return "", [unreadable(setting, location, error)]


def decoded(data: bytes) -> str:
    """The text of a file, without a byte order mark; raises ValueError with the rest of a sentence where it is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        hint = "It looks like UTF-16: save" if data.startswith(UTF_16) else "Save"
        raise ValueError(f"UTF-8, got byte {data[error.start]:#x}. {hint} it as UTF-8") from error


def names_in(text: str) -> list[str]:
    """The names in a list of images, one per line, without blank lines; other characters that end lines may be in names."""
    return [line for line in re.split(r"\r\n|\n|\r", text) if line.strip()]


def unreadable(setting: str, location: str, error: OSError | ValueError) -> str:
    """The error of a file that can't be opened, or whose content is not what it should be."""
    if isinstance(error, FileNotFoundError):
        return f"{setting} must be an existing file: {location}. Check the path"
    if isinstance(error, OSError):
        got = "a folder" if isinstance(error, IsADirectoryError) else error.strerror or plain_words(error)
        return f"{setting} must be a file that can be read, got {got}: {location}. Check the path"
    return f"{setting} must be readable, got: {plain_words(error)}: {location}"
