"""The objects below a prefix, page by page: s3fs's own listing holds all of them at once, as dictionaries of some 3 KB each."""

from collections.abc import Iterator, Mapping
from typing import Any

Page = list[tuple[str, Mapping[str, Any]]]


def list_objects(fs: Any, path: str) -> Iterator[Page]:
    """Pages of up to 1,000 objects at any depth below a path: each one's path there, and its size, ETag and VersionId.

    In the server's order, which not every server sorts by key. Markers of directories, keys that end in a slash, are
    skipped. Version ids are there where s3fs is `version_aware`; then S3 lists all versions, old ones too.
    """
    bucket, prefix, _ = fs.split_path(path + "/")
    method, contents = ("list_object_versions", "Versions") if fs.version_aware else ("list_objects_v2", "Contents")
    position: dict[str, str] = {}
    while True:
        page = fs.call_s3(method, Bucket=bucket, Prefix=prefix, **position)
        yield [
            (entry["Key"][len(prefix) :], {"size": entry["Size"], "ETag": entry["ETag"], "VersionId": entry.get("VersionId")})
            for entry in page.get(contents, [])
            if entry.get("IsLatest", True) and not entry["Key"].endswith("/")
        ]
        if not page.get("IsTruncated"):
            return
        if fs.version_aware:
            position = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
        else:
            position = {"ContinuationToken": page["NextContinuationToken"]}
