"""Which errors are retried, and after how long; for both runners."""

import errno
import random

from imagerecords.schemas.errors import ImageRecordsError, WorkerDied

# Trying again does not make room on a disk or change a mount.
FINAL_OS_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
# The names of the errors of S3's clients after their last attempt without an answer.
NO_ANSWER = {"NoAnswer", "EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"}
FIRST_DELAY = 0.5  # seconds; doubled each time
LONGEST_DELAY = 30.0
JITTER = 0.5  # a delay is up to this fraction longer, so that shards that failed together are not retried together


def is_final(error: BaseException) -> bool:
    """Whether the whole build should stop immediately: every other shard would fail in the same way."""
    return isinstance(error, OSError) and not isinstance(error, ImageRecordsError) and error.errno in FINAL_OS_ERRORS


def is_storage_gone(error: BaseException) -> bool:
    """Whether a storage server did not answer at all: every other shard would wait as long before it fails."""
    return type(error).__name__ in NO_ANSWER


def is_worth_retrying(error: BaseException) -> bool:
    """Whether the same shard may succeed the next time."""
    if isinstance(error, WorkerDied):
        return True
    return isinstance(error, Exception) and not isinstance(error, ImageRecordsError) and not is_final(error)


def delays(retries: int) -> list[float]:
    """The waits before each retry, in seconds, without jitter."""
    return [min(LONGEST_DELAY, FIRST_DELAY * 2**attempt) for attempt in range(retries)]


def jittered(delay: float) -> float:
    """A delay with its random part added."""
    return delay * (1 + random.random() * JITTER)
