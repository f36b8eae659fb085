"""One build an output at a time on one Prefect server: a second run waits its turn, whichever deployment it comes from.

A deployment's own limit covers only its runs. The lock in the output stays what protects the data; this saves a run from
failing on it. A holder that was killed gives its turn back when its lease ends.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from prefect.client.orchestration import get_client
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectAlreadyExists, PrefectHTTPStatusError

LEASE_SECONDS = 60.0  # the shortest that Prefect allows


def turn_name(output_url: str) -> str:
    """The name of an output's global concurrency limit; a digest, since names may hold no slashes."""
    return f"imagerecords-{hashlib.sha256(output_url.encode()).hexdigest()[:16]}"


@contextmanager
def turn(output_url: str) -> Iterator[None]:
    """Hold the only slot of an output's global concurrency limit for the length of the block."""
    name = turn_name(output_url)
    with get_client(sync_client=True) as client, suppress(ObjectAlreadyExists, PrefectHTTPStatusError):
        client.upsert_global_concurrency_limit_by_name(name, limit=1)  # of two that make it at once, one is refused
    # Not strict: a server that is away when the lease is to be renewed costs a warning, not the build.
    with concurrency(name, occupy=1, lease_duration=LEASE_SECONDS, strict=False):
        yield
