"""Uploads to S3: one PUT, or parts for large files; each with a Content-MD5, and checked after the upload.

Content-MD5, since every S3 server checks it, and many know no other checksum. botocore's requests are tried again by s3fs and
botocore; a failed multipart upload is aborted here, one whose process was killed by abort_left_uploads in the next build.
"""

import base64
import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

PART_BYTES = 16 << 20
PARTS_AT_ONCE = 3  # together with one part that is read, 64 MiB per worker
MOST_PARTS = 10_000  # S3's limit
# Servers without multipart uploads, or credentials that may not list them.
CANNOT_LIST = {errno.ENOSYS, errno.EPERM, errno.EACCES, errno.EINVAL}


def is_s3(fs: Any) -> bool:
    """Whether a file system is s3fs's."""
    return "s3" in fs.protocol


def put_object(fs: Any, path: str, data: bytes, **conditions: str) -> str | None:
    """Write an object in one request, e.g. with the condition IfNoneMatch="*"; returns its ETag."""
    answer = fs.call_s3("put_object", **_where(fs, path), Body=data, ContentMD5=_content_md5(data), **conditions)
    etag: str | None = answer.get("ETag")
    return etag


def put_checked(fs: Any, path: str, data: bytes) -> None:
    """Write an object in one request, and check that it is stored as it was sent."""
    _check(fs, path, len(data), put_object(fs, path, data))


def upload_object(fs: Any, path: str, file: str) -> None:
    """Write an object from a file of this machine, in parts when it is large, and check that it is stored as it was sent."""
    size = os.path.getsize(file)
    if size <= 2 * PART_BYTES:
        with open(file, "rb") as opened:
            put_checked(fs, path, opened.read())
    else:
        _check(fs, path, size, _upload_parts(fs, path, file, size), file)


def _upload_parts(fs: Any, path: str, file: str, size: int) -> str | None:
    """The ETag of a finished multipart upload, where the server returns it."""
    where = _where(fs, path)
    part_bytes = max(PART_BYTES, -(-size // MOST_PARTS))
    upload = where | {"UploadId": fs.call_s3("create_multipart_upload", **where)["UploadId"]}
    try:
        with open(file, "rb") as opened, ThreadPoolExecutor(PARTS_AT_ONCE) as threads:

            def send(start: int) -> dict[str, Any]:
                data = os.pread(opened.fileno(), part_bytes, start)
                part = upload | {"PartNumber": start // part_bytes + 1}
                answer = fs.call_s3("upload_part", **part, Body=data, ContentMD5=_content_md5(data))
                return {"PartNumber": part["PartNumber"], "ETag": answer["ETag"]}

            parts = list(threads.map(send, range(0, size, part_bytes)))
        answer = fs.call_s3("complete_multipart_upload", **upload, MultipartUpload={"Parts": parts})
    except BaseException:
        with contextlib.suppress(Exception):  # the next build aborts it
            fs.call_s3("abort_multipart_upload", **upload)
        raise
    etag: str | None = answer.get("ETag")
    return etag


def abort_left_uploads(fs: Any, path: str, is_ours: Callable[[str], bool]) -> None:
    """Abort the unfinished multipart uploads below a path whose relative name is a data set's.

    Nothing happens where the server or the credentials do not allow listing them.
    """
    where = _where(fs, path + "/")
    try:
        for upload in list(_unfinished(fs, where["Bucket"], where["Key"])):
            if is_ours(upload["Key"].removeprefix(where["Key"])):
                with contextlib.suppress(FileNotFoundError):  # ended meanwhile
                    fs.call_s3("abort_multipart_upload", Bucket=where["Bucket"], Key=upload["Key"], UploadId=upload["UploadId"])
    except FileNotFoundError:  # NoSuchUpload, as rclone's server answers a listing where there is none
        return
    except OSError as error:
        if not isinstance(error, PermissionError) and error.errno not in CANNOT_LIST:
            raise


def _unfinished(fs: Any, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    position: dict[str, str] = {}
    while True:
        page = fs.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=prefix, **position)
        yield from page.get("Uploads", [])
        if not page.get("IsTruncated"):
            return
        position = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}


def _where(fs: Any, path: str) -> dict[str, str]:
    bucket, key, _ = fs.split_path(path)
    return {"Bucket": bucket, "Key": key}


def _content_md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def _check(fs: Any, path: str, size: int, etag: str | None, file: str | None = None) -> None:
    """Raise OSError when the object is not the one that was sent, by its size and by the ETag that the upload was answered.

    Some servers (rclone's) give an object of several parts another ETag afterwards: the MD5 of the whole, which `file` has.
    """
    there = fs.call_s3("head_object", **_where(fs, path))
    if there["ContentLength"] == size and (not etag or there["ETag"] == etag):
        return
    if file and there["ContentLength"] == size and there["ETag"].strip('"') == _file_md5(file):
        return
    got = f"{there['ContentLength']} bytes, ETag {there['ETag']}"
    raise OSError(errno.EIO, f"the stored object differs from the upload of {size} bytes, ETag {etag}: {got}", path)


def _file_md5(file: str) -> str:
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
