"""One build per output at a time on one Prefect server: a second run waits for the slot, whichever deployment it comes from.

A deployment's own limit covers only its runs. The lock in the output stays what protects the data; this saves a run from
failing on it. The slot of a holder that was killed is free when its lease ends.
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
WAIT_SECONDS = 75.0  # longer than a lease, so that the slot of a holder that was killed is free by then


def slot_name(output_url: str) -> str:
    """The name of an output's global concurrency limit; a digest, since names may hold no slashes."""
    return f"imagerecords-{hashlib.sha256(output_url.encode()).hexdigest()[:16]}"


@contextmanager
def output_slot(output: Folder, stale_seconds: float, warn: Callable[[str], None]) -> Iterator[None]:
    """Hold the only slot of an output's global concurrency limit for the length of the block.

    A server that was restarted may have forgotten the holder, and would never free the slot: after each WAIT_SECONDS without
    the slot the build reads the output's lock, and goes on if that is free.
    """
    name = slot_name(output.canonical_url)
    with get_client(sync_client=True) as client, suppress(ObjectAlreadyExists, PrefectHTTPStatusError):
        client.upsert_global_concurrency_limit_by_name(name, limit=1)  # of two that make it at once, one is refused
    with ExitStack() as held:
        while True:
            # Not strict: a server that is away when the lease is to be renewed costs a warning, not the build.
            slot = concurrency(name, occupy=1, lease_duration=LEASE_SECONDS, timeout_seconds=WAIT_SECONDS, strict=False)
            try:
                held.enter_context(slot)
                break
            except AcquireConcurrencySlotTimeoutError:
                if _is_free(output, stale_seconds):
                    warn(f"the concurrency limit {name} is taken, but nobody builds {output.url}: going on")
                    break
        yield


def _is_free(output: Folder, stale_seconds: float) -> bool:
    try:
        refuse_if_locked(output, stale_seconds)
    except OutputLocked:
        return False
    return True
