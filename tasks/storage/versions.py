"""Versions of remote files: one text for each state of a file."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

# By which file systems call them: s3fs, gcsfs and others, adlfs, zip files.
KEYS = ("ETag", "mtime", "LastModified", "created", "etag", "last_modified", "CRC")


def remote_version(info: Mapping[str, Any]) -> str:
    """The version of a remote file: its ETag, or the time of its last change; of a file in a zip file its check sum.

    Where the file system has version ids (s3fs with `version_aware`), the id follows, after a space.
    """
    version = next((info[key] for key in KEYS if info.get(key)), "")
    text = str(version.timestamp()) if isinstance(version, datetime) else str(version).strip('"')
    version_id = info.get("VersionId")
    return f"{text} {version_id}" if version_id and version_id != "null" else text


def version_parts(version: str) -> tuple[str, str | None]:
    """The ETag of a remote version, and its version id or None."""
    etag, _, version_id = version.partition(" ")
    return etag, version_id or None
