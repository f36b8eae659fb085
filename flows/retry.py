"""Which faults are worth another try, and after how long; both runners ask here."""

import errno
import random

from imagerecords.schemas.errors import ImageRecordsError, WorkerDied

# Trying again does not make room on a disk or change a mount.
FINAL_OS_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
# What S3's clients raise, by name, when no server answered for as long as they try.
NO_ANSWER = {"NoAnswer", "EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"}
FIRST_DELAY = 0.5  # seconds; doubled each time
LONGEST_DELAY = 30.0
JITTER = 0.5  # a delay is up to this share longer, so that shards that failed together do not come back together


def is_final(error: BaseException) -> bool:
    """Whether the whole build should stop at once: every other shard would meet the same fault."""
    return isinstance(error, OSError) and not isinstance(error, ImageRecordsError) and error.errno in FINAL_OS_ERRORS


def is_storage_gone(error: BaseException) -> bool:
    """Whether a storage server did not answer at all: after a shard's last try, every other shard would wait as long."""
    return type(error).__name__ in NO_ANSWER


def is_worth_retrying(error: BaseException) -> bool:
    """Whether the same shard may well succeed the next time."""
    if isinstance(error, WorkerDied):
        return True
    return isinstance(error, Exception) and not isinstance(error, ImageRecordsError) and not is_final(error)


def delays(retries: int) -> list[float]:
    """The waits before each retry, in seconds, without jitter."""
    return [min(LONGEST_DELAY, FIRST_DELAY * 2**attempt) for attempt in range(retries)]


def jittered(delay: float) -> float:
    """A delay with its random share on top."""
    return delay * (1 + random.random() * JITTER)
