"""Which errors are retried."""

import errno

import pytest

from imagerecords.flows.retry import JITTER, LONGEST_DELAY, delays, is_final, is_worth_retrying, jittered
from imagerecords.schemas import errors


@pytest.mark.parametrize(
    ("error", "again", "final"),
    [
        (errors.WorkerDied("killed"), True, False),
        (OSError(errno.EIO, "a failing disk"), True, False),
        (TimeoutError(), True, False),
        (ConnectionResetError(), True, False),
        (OSError("503 Slow Down"), True, False),  # what s3fs makes of it; without a number
        (ValueError("who knows"), True, False),
        (MemoryError(), True, False),
        (OSError(errno.ENOSPC, "full"), False, True),
        (OSError(errno.EDQUOT, "quota"), False, True),
        (OSError(errno.EROFS, "read-only"), False, True),
        (OSError(errno.EFBIG, "too large"), False, True),
        (errors.CorruptRecord("reads back wrong"), False, False),  # trying again reads the same bytes
        (errors.ShardFailed("sys.exit"), False, False),
        (errors.Interrupted("stopped"), False, False),
        (errors.OutputLocked("lost"), False, False),  # a BlockingIOError, and so an OSError
        (errors.OutputConflict("x"), False, False),
        (KeyboardInterrupt(), False, False),
        (SystemExit(1), False, False),
    ],
)
def test_an_error_is_retried_or_ends_the_build(error, again, final):
    assert (is_worth_retrying(error), is_final(error)) == (again, final)


def test_waits_double_up_to_the_longest():
    assert delays(0) == []
    assert delays(4) == [0.5, 1.0, 2.0, 4.0]
    assert delays(20)[-1] == LONGEST_DELAY


def test_jitter_only_makes_waits_longer_by_its_fraction():
    waits = [jittered(2.0) for _ in range(200)]
    assert min(waits) >= 2.0
    assert max(waits) <= 2.0 * (1 + JITTER)
    assert len(set(waits)) > 1
