"""Retries of s3fs for a server that is unreachable for a while or answers 5xx."""

from typing import Any

# Each of s3fs's tries comes after botocore's own four: together a minute and a half, in which a server can be started again.
TRIES = 10
PASSING_STATUS = {500, 502, 503, 504}


def extend_retries(fs: Any) -> None:
    """Let an S3 file system try again after refused connections and 5xx too; s3fs takes this for the whole process."""
    import s3fs.core
    from botocore.exceptions import EndpointConnectionError

    fs.retries = TRIES
    if EndpointConnectionError not in s3fs.core.S3_RETRYABLE_ERRORS:
        s3fs.core.add_retryable_error(EndpointConnectionError)
        s3fs.core.set_custom_error_handler(_is_passing)


def _is_passing(error: Exception) -> bool:
    response = getattr(error, "response", None) or {}
    return response.get("ResponseMetadata", {}).get("HTTPStatusCode") in PASSING_STATUS


def shorten_retries(fs: Any) -> None:
    """Leave only botocore's own tries, some seconds together: for the cleanup after a build that has failed."""
    fs.retries = 1
