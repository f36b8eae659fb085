"""One build per output at a time on one Prefect server: a second run, of any deployment, waits for the slot.

A deployment's own limit covers only its runs. The lock in the output protects the data; the slot lets a run wait instead of
failing on the lock. The slot of a killed build is free when its lease ends.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from prefect.client.orchestration import get_client
from prefect.concurrency.asyncio import AcquireConcurrencySlotTimeoutError
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectAlreadyExists, PrefectHTTPStatusError

from imagerecords.schemas.errors import OutputLocked
from imagerecords.tasks.storage.folders import Folder
from imagerecords.tasks.storage.lock import refuse_if_locked

LEASE_SECONDS = 60.0  # the shortest that Prefect allows
WAIT_SECONDS = 75.0  # longer than a lease, so that the slot of a killed build is free by then


def slot_name(output_url: str) -> str:
    """The name of an output's global concurrency limit; a digest, since names may not contain slashes."""
    return f"imagerecords-{hashlib.sha256(output_url.encode()).hexdigest()[:16]}"


@contextmanager
def output_slot(output: Folder, stale_seconds: float, warn: Callable[[str], None]) -> Iterator[None]:
    """Hold the only slot of an output's global concurrency limit for the length of the block.

    A restarted server may have lost the holder and then never frees the slot. So after each WAIT_SECONDS without the slot the
    build checks the output's lock, and continues without the slot if the lock is free.
    """
    name = slot_name(output.canonical_url)
    with get_client(sync_client=True) as client, suppress(ObjectAlreadyExists, PrefectHTTPStatusError):
        client.upsert_global_concurrency_limit_by_name(
            name, limit=1
        )  # of two runs that create it at the same time, one is refused
    with ExitStack() as held:
        while True:
            # Not strict: a server that is down when the lease is renewed causes a warning, not a failure.
            slot = concurrency(name, occupy=1, lease_duration=LEASE_SECONDS, timeout_seconds=WAIT_SECONDS, strict=False)
            try:
                held.enter_context(slot)
                break
            except AcquireConcurrencySlotTimeoutError:
                if _is_free(output, stale_seconds):
                    warn(f"the concurrency limit {name} is taken, but no build holds the lock of {output.url}: continuing")
                    break
        yield


def _is_free(output: Folder, stale_seconds: float) -> bool:
    try:
        refuse_if_locked(output, stale_seconds)
    except OutputLocked:
        return False
    return True
