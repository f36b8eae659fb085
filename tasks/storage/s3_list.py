"""The objects below a prefix, page by page: s3fs's own listing holds all of them at once, as dictionaries of some 3 KB each.

It leaves out keys that a folder could not have, too: those with nothing between two slashes, and objects that end in one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Page = list[tuple[str, Mapping[str, Any]]]


@dataclass
class S3Level:
    """What lies right below a path: names of prefixes, objects, and how many keys begin with another slash."""

    folders: list[str] = field(default_factory=list)
    objects: Page = field(default_factory=list)
    behind_empty_name: int = 0


def list_objects(fs: Any, path: str) -> Iterator[Page]:
    """Pages of up to 1,000 objects at any depth below a path: each one's path there, and its size, ETag and VersionId.

    In the server's order, which not every server sorts by key. Markers of directories, empty objects whose keys end in a slash,
    are skipped. Version ids are there where s3fs is `version_aware`; then S3 lists all versions, old ones too.
    """
    bucket, prefix = _prefix(fs, path)
    for page in _answers(fs, bucket, prefix):
        yield _objects(fs, page, prefix)


def list_level(fs: Any, path: str) -> S3Level:
    """What lies right below a path."""
    bucket, prefix = _prefix(fs, path)
    level = S3Level()
    for page in _answers(fs, bucket, prefix, Delimiter="/"):
        level.objects += _objects(fs, page, prefix)
        level.folders += [entry["Prefix"][len(prefix) : -1] for entry in page.get("CommonPrefixes", [])]
    if "" in level.folders:
        level.folders = [name for name in level.folders if name]
        level.behind_empty_name = sum(len(_objects(fs, page, "")) for page in _answers(fs, bucket, f"{prefix}/"))
    return level


def _prefix(fs: Any, path: str) -> tuple[str, str]:
    """The bucket, and what the keys of all objects below a path begin with."""
    bucket, key, _ = fs.split_path(path)
    return bucket, f"{key}/" if key else ""


def _answers(fs: Any, bucket: str, prefix: str, **options: str) -> Iterator[dict[str, Any]]:
    """The server's answers, one per page."""
    method = "list_object_versions" if fs.version_aware else "list_objects_v2"
    position: dict[str, str] = {}
    while True:
        page: dict[str, Any] = fs.call_s3(method, Bucket=bucket, Prefix=prefix, **options, **position)
        yield page
        if not page.get("IsTruncated"):
            return
        if fs.version_aware:
            position = {"KeyMarker": page["NextKeyMarker"]}
            if "NextVersionIdMarker" in page:  # absent where the page ends with a prefix
                position["VersionIdMarker"] = page["NextVersionIdMarker"]
        else:
            position = {"ContinuationToken": page["NextContinuationToken"]}


def _objects(fs: Any, page: Mapping[str, Any], prefix: str) -> Page:
    """The objects of a page, without markers of directories and old versions."""
    return [
        (entry["Key"][len(prefix) :], {"size": entry["Size"], "ETag": entry["ETag"], "VersionId": entry.get("VersionId")})
        for entry in page.get("Versions" if fs.version_aware else "Contents", [])
        if entry.get("IsLatest", True) and (entry["Size"] or not entry["Key"].endswith("/"))
    ]
