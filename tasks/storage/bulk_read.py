"""Many single remote files, each read whole and only in the version that was planned.

From S3 they come through obstore, whose plain interface reads small objects several times as fast as s3fs, for a fraction of
the CPU (`make bench-s3` compares them); from all other file systems through fsspec. obstore gets the endpoint, region,
certificates and credentials that s3fs has found, so that both use the same server as the same user. Its errors become OSErrors
here, without the server's whole answer: AWS repeats signed headers in it, a session's token among them.
"""

import errno
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from imagerecords.tasks.storage.folders import Folder
from imagerecords.tasks.storage.http_options import http_errors
from imagerecords.tasks.storage.versions import remote_version, version_parts

Read = Callable[[str, int, str], bytes]

# Requests without an answer, 5xx, 429 and truncated bodies are retried for this long; then the shard is.
RETRY_SECONDS = 100
RETRIES = 10_000  # RETRY_SECONDS is the limit
LONGEST_BACKOFF_SECONDS = 4
CONNECT_SECONDS = 5
SILENCE_SECONDS = 20
OBJECT_SECONDS = 600
# How long credentials are used before botocore is asked again. It renews temporary ones that have less than ten minutes left.
CREDENTIALS_SECONDS = 300
UNTRUSTED = re.compile(r"InvalidCertificate\(([^)]*)")
CODE = re.compile(r"<Code>(\w+)</Code>")


class FileChanged(Exception):
    """The file is no longer the one that was listed."""


class NoAnswer(OSError):
    """No server answered, however often it was asked."""


class UntrustedCertificate(OSError):
    """The server's certificate is not trusted."""


def bulk_reader(source: Folder, s3_reader: str) -> Read:
    """A function that gives the bytes of a file of the folder by its name, planned size and version; for many threads.

    It raises FileChanged, FileNotFoundError when the file is gone, PermissionError when this file may not be read, and other
    OSErrors for errors that are not the file's.
    """
    by_fsspec = functools.partial(_read_by_fsspec, source)
    if not (source.is_s3 and s3_reader == "obstore"):
        return by_fsspec
    import obstore  # noqa: F401  # whole, before threads import its parts, which would give some of them half of it

    return _ObstoreReader(source, by_fsspec)


def _read_by_fsspec(source: Folder, name: str, size: int, version: str) -> bytes:
    path = source.join(name)
    _, version_id = version_parts(version)
    one_version = {"version_id": version_id} if version_id else {}
    with http_errors(source.fs):
        data: bytes = source.fs.cat_file(path, **one_version, **({"max_concurrency": 1} if source.is_s3 else {}))
        there = source.fs.info(path, **one_version)
    if there["size"] != size or remote_version(there) != version:
        raise FileChanged
    return _whole(data, size, path)


@dataclass(frozen=True)
class _ObstoreReader:
    """Reads from the buckets of one server, since an image list may name several; `otherwise` reads keys obstore can't name."""

    source: Folder
    otherwise: Read

    def __call__(self, name: str, size: int, version: str) -> bytes:
        from obstore.exceptions import BaseError, PreconditionError

        bucket, key, _ = self.source.fs.split_path(self.source.join(name))
        etag, version_id = version_parts(version)
        options = {"if_match": f'"{etag}"'} | ({"version": version_id} if version_id else {})
        if key.startswith("/"):  # object_store would drop the slash, and ask for another key
            return self.otherwise(name, size, version)
        try:
            answer = _store(self.source.fs, bucket).get(key, options=options)
            data = bytes(answer.bytes())
            if _bare(answer.meta["e_tag"]) != etag:  # a server that ignores If-Match
                raise FileChanged
            return _whole(data, size, name)
        except PreconditionError:
            raise FileChanged from None
        except FileNotFoundError as error:
            if _code(error) == "NoSuchBucket":
                raise _os_error(error) from None
            raise FileNotFoundError(errno.ENOENT, "gone", name) from None
        except ValueError:  # keys with empty or dotted parts
            return self.otherwise(name, size, version)
        except BaseError as error:
            raise _os_error(error) from None


def _bare(etag: str | None) -> str:
    """An ETag without its quotes; of a weak one what is compared."""
    return (etag or "").removeprefix("W/").strip('"')


def _whole(data: bytes, size: int, name: str) -> bytes:
    if len(data) != size:
        raise OSError(errno.EIO, f"the server sent {len(data)} of {size} bytes", name)
    return data


def _os_error(error: Exception) -> OSError:
    text, code = str(error).partition("\n")[0].partition(": <")[0], _code(error)
    if code == "AccessDenied":
        return PermissionError(errno.EACCES, code)
    if code == "InvalidObjectState":
        return PermissionError(errno.EACCES, "InvalidObjectState: it is archived (Glacier) and must be restored first")
    if "error sending request" in str(error):
        return NoAnswer(errno.EIO, text)
    return OSError(errno.EIO, f"{text} {code}".rstrip())


def _code(error: Exception) -> str:
    """The code of the server's answer, such as NoSuchKey; empty where it gave none."""
    match = CODE.search(str(error))
    return match[1] if match else ""


def refuse_certificate(source: Folder) -> None:
    """Raise UntrustedCertificate where obstore does not trust a server that s3fs trusts; for checks before the work.

    obstore's TLS rejects a certificate that is its own CA, and would retry for long.
    """
    from obstore.exceptions import BaseError

    bucket, key, _ = source.fs.split_path(source.path)
    if not source.fs.s3.meta.endpoint_url.startswith("https:"):
        return
    try:
        next(iter(_open_store(source.fs, bucket, {"max_retries": 1}).list(key or None, chunk_size=1)), None)
    except BaseError as error:
        if match := UNTRUSTED.search(str(error)):
            raise UntrustedCertificate(" ".join(re.findall(r"\w+", match[1]))) from None


@functools.lru_cache(maxsize=16)
def _store(fs: Any, bucket: str) -> Any:
    """The store of obstore for a bucket, made once per process."""
    backoff = {"max_backoff": timedelta(seconds=LONGEST_BACKOFF_SECONDS)}
    return _open_store(
        fs, bucket, {"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRY_SECONDS), "backoff": backoff}
    )


def _open_store(fs: Any, bucket: str, retry: dict[str, Any]) -> Any:
    """The store of obstore for a bucket, with the endpoint, region, certificates and credentials that s3fs has found."""
    from obstore.store import S3Store

    endpoint = fs.s3.meta.endpoint_url
    region = fs.s3.meta.region_name
    style = (fs.s3.meta.config.s3 or {}).get("addressing_style")  # of storage_options or of ~/.aws/config
    if style == "virtual":
        endpoint = endpoint.replace("://", f"://{bucket}.", 1)
    session = _session(fs)
    config: dict[str, Any] = {
        "aws_endpoint_url_s3": endpoint,
        "region": "us-east-1" if region in (None, "aws-global") else region,
        "virtual_hosted_style_request": style == "virtual",
        "request_payer": bool(fs.requester_pays),
        "skip_signature": bool(fs.anon),
    }
    credentials = {} if fs.anon else {"credential_provider": _credentials(session)}
    client_options = _client_options(fs, session, endpoint)
    return S3Store(bucket, config=config, client_options=client_options, retry_config=retry, **credentials)


def _client_options(fs: Any, session: Any, endpoint: str) -> dict[str, Any]:
    options: dict[str, Any] = {
        "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
        "read_timeout": timedelta(seconds=SILENCE_SECONDS),
        "timeout": timedelta(seconds=OBJECT_SECONDS),
    }
    if not endpoint.startswith("https:"):
        return options | {"allow_http": True}
    verify = fs.client_kwargs.get("verify")
    if verify is None:
        verify = session.get_config_variable("ca_bundle")
    if verify is False:
        return options | {"allow_invalid_certificates": True}
    from botocore.httpsession import get_cert_path

    return options | {"root_certificate": Path(get_cert_path(verify or True)).read_bytes()}


def _session(fs: Any) -> Any:
    """A botocore session as s3fs has one: the profile it was given, or the keys of fsspec's own configuration file."""
    from botocore.session import Session

    session = Session(profile=fs.kwargs.get("profile"))
    if fs.key:
        session.set_credentials(fs.key, fs.secret, fs.token)
    return session


def _credentials(session: Any) -> Callable[[], dict[str, Any]]:
    """A function that gives obstore credentials: botocore's chain of environment, profiles, containers and instances.

    obstore has such a provider too, but it keeps temporary credentials for 30 minutes, whenever they end, and needs boto3.
    """
    found = session.get_credentials()
    if found is None:
        raise PermissionError(errno.EACCES, "no AWS credentials found")

    def provide() -> dict[str, Any]:
        frozen = found.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + timedelta(seconds=CREDENTIALS_SECONDS),
        }

    return provide
