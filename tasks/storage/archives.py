"""Zip and tar files as folders of images, read in place; and the packages that other file systems need."""

import os
import shlex
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from imagerecords.schemas.errors import BadSettings
from imagerecords.tasks.storage.tar_files import TAR

ZIP = "zip"
OTHER_ARCHIVES = ("libarchive", "rar", "7z")
COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst", ".tar.lz4")
OTHER_ENDINGS = (".7z", ".rar")
COMMANDS = {
    ".zip": "unzip -q {file} -d {folder}",
    ".7z": "7z x {file} -o{folder}",
    ".rar": "unrar x {file} {folder}/",
    **dict.fromkeys((".tar", *COMPRESSED), "mkdir {folder} && tar -xf {file} -C {folder}"),
}
# Packages of file systems that imagerecords does not install by itself, and the extra that brings each.
EXTRAS = {
    **dict.fromkeys(("gs", "gcs"), ("gcsfs", "gcs")),
    **dict.fromkeys(("az", "abfs", "abfss", "adl"), ("adlfs", "azure")),
}


def archive_url(url: str) -> str:
    """The path of a zip or tar file on this machine as the URL of the folder in it; any other as it is.

    Raises BadSettings for archives whose files can't be read one by one, by several workers at a time.
    """
    inner, chained, target = url.partition("::")
    protocol = inner.partition("://")[0] if chained or "://" in inner else ""  # a folder may be named tar
    file = (target if chained else url).lower()
    if protocol in (ZIP, TAR) and not chained:
        raise BadSettings(
            f"the URL of an archive must be {protocol}://FOLDER::FILE, got {url}. Pass the file's path alone to read all of it"
        )
    for kind in (ZIP, TAR):
        if file == url.lower() and file.endswith(f".{kind}") and os.path.isfile(url):
            return f"{kind}://::{_absolute(url)}"
    is_file = protocol == TAR or (not chained and os.path.isfile(url))
    if is_file and file.endswith(COMPRESSED):
        raise BadSettings(
            f"a tar file must not be compressed, got one that can only be read from its beginning: {url}. {unpacking(url)}"
        )
    if (is_file and file.endswith(OTHER_ENDINGS)) or protocol in OTHER_ARCHIVES:
        raise BadSettings(f"an input must be a folder, a zip file or a tar file, got another archive: {url}. {unpacking(url)}")
    if protocol == TAR and fsspec.utils.get_protocol(target) not in ("file", "local"):
        raise BadSettings(
            f"a tar file must be on this machine, since finding the files in it takes reading it whole, got {url}. Copy it, or "
            "make it a zip file"
        )
    return f"{inner}::{_absolute(target)}" if chained else url


def unpacking(url: str) -> str:
    """What to do with an archive that can't be read in place: the command that unpacks it, by its name; empty for others."""
    target = url.rpartition("::")[2]
    ending = next((ending for ending in COMMANDS if target.lower().endswith(ending)), "")
    if not ending:
        return ""
    if fsspec.utils.get_protocol(target) not in ("file", "local"):
        in_place = f"Pass zip://::{target} to read it in place" if ending == ".zip" else ""
        return in_place or "Copy it to this machine and unpack it there, or make it a zip file"
    file = target.removeprefix("file://")
    folder = file[: -len(ending)] or "unpacked"
    return f"Unpack it: {COMMANDS[ending].format(file=shlex.quote(file), folder=shlex.quote(folder))}"


def _absolute(target: str) -> str:
    """A path without links and dots, which another working directory does not change; a remote URL as it is."""
    fs, path = fsspec.core.url_to_fs(target) if fsspec.utils.get_protocol(target) in ("file", "local") else (None, target)
    return os.path.realpath(path) if isinstance(fs, LocalFileSystem) else target


def chained_options(url: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a chained URL, `zip://::s3://bucket/x.zip`: they are for the file system that holds the archive."""
    _, _, target = url.partition("::")
    protocol = fsspec.utils.get_protocol(target)
    return {protocol: dict(options)} if options and protocol not in ("file", "local") else {}


def canonical_chain(path: str, url: str) -> str:
    """The URL of a folder in an archive that is the same however it was written; of what `archive_url` gave."""
    protocol, _, _ = url.partition("://")
    _, _, target = url.partition("::")
    return f"{protocol}://{path.strip('/')}::{target}"


@contextmanager
def opening(url: str) -> Iterator[None]:
    """Errors of a package that is not installed, or an archive that is not there or broken, as BadSettings."""
    try:
        yield
    except zipfile.BadZipFile as error:
        raise BadSettings(f"an input that is named .zip must be a whole zip file, got {error}: {url}. Make it again") from error
    except FileNotFoundError as error:
        if "::" not in url:
            raise
        raise BadSettings(f"an archive must be there, got none: {url}. Check the path") from error
    except ImportError as error:
        protocol = fsspec.utils.get_protocol(url)
        package, extra = EXTRAS.get(protocol, ("", ""))
        if not package:
            raise BadSettings(f"{protocol}:// must have its package installed, got {error}: {url}. Install it") from error
        raise BadSettings(
            f"{protocol}:// must have the package {package}, got none: {url}. Install it: pip install 'imagerecords[{extra}]'"
        ) from error
