"""Zip files as folders of images, read in place; and the packages that other file systems need."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from imagerecords.schemas.errors import BadSettings

ZIP = "zip"
OTHER_ARCHIVES = ("tar", "libarchive", "rar", "7z")
OTHER_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".rar")
UNPACK = "Unpack it, or make it a zip file"
# Packages of file systems that imagerecords does not install by itself, and the extra that brings each.
EXTRAS = {
    **dict.fromkeys(("gs", "gcs"), ("gcsfs", "gcs")),
    **dict.fromkeys(("az", "abfs", "abfss", "adl"), ("adlfs", "azure")),
}


def archive_url(url: str) -> str:
    """The path of a zip file on this machine as the URL of the folder in it; any other as it is.

    Raises BadSettings for other archives, which can't be read by several threads at a time.
    """
    first = url.partition("::")[0]
    if url.lower().endswith(".zip") and os.path.isfile(url):
        return f"{ZIP}://::{_absolute(url)}"
    is_other = url.lower().endswith(OTHER_ENDINGS) and os.path.isfile(url)
    if is_other or first.partition("://")[0] in OTHER_ARCHIVES:
        raise BadSettings(f"an input must be a folder or a zip file, got another archive: {url}. {UNPACK}")
    inner, chained, target = url.partition("::")
    return f"{inner}::{_absolute(target)}" if chained else url


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
def missing_package(url: str) -> Iterator[None]:
    """Errors of a file system whose package is not installed as BadSettings with the command that installs it."""
    try:
        yield
    except ImportError as error:
        protocol = fsspec.utils.get_protocol(url)
        package, extra = EXTRAS.get(protocol, ("", ""))
        if not package:
            raise BadSettings(f"{protocol}:// must have its package installed, got {error}: {url}. Install it") from error
        raise BadSettings(
            f"{protocol}:// must have the package {package}, got none: {url}. Install it: pip install 'imagerecords[{extra}]'"
        ) from error
