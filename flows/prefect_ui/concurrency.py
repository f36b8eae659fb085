"""One build per output at a time on one Prefect server: a second run, of any deployment, waits for the slot.

A deployment's own limit covers only its runs. The lock in the output stays what protects the data; this saves a run from
failing on it. The slot of a holder that was killed is free when its lease ends, and its lock when its heartbeat is too old.
"""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from logging import Logger, LoggerAdapter
from typing import Any

from httpx import HTTPStatusError
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import GlobalConcurrencyLimitResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
from prefect.concurrency.sync import concurrency
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from imagerecords.flows.prefect_ui.names import output_name
from imagerecords.schemas.errors import OutputLocked
from imagerecords.tasks.storage.folders import Folder
from imagerecords.tasks.storage.lock import read_holder, refuse_if_locked

RunLogger = Logger | LoggerAdapter[Any]

LEASE_SECONDS = 60.0  # the shortest that Prefect allows
WAIT_SECONDS = 75.0  # longer than a lease, so that the slot of a holder that was killed is free by then
ASK_SECONDS = 2.0
# A limit whose slot was free for so long is of no build: one that runs holds it, and one that begins takes it within a second.
IDLE_SECONDS = 600.0
NAME = re.compile(r"imagerecords-(.+-)?[0-9a-f]{8}")
PAGE = 200  # limits, as many as a server gives at once
LOCKED = 423  # the status of a slot that is taken
SECONDS_BETWEEN_LINES = 60.0


def slot_name(output: Folder) -> str:
    """The name of an output's global concurrency limit; names may hold no slashes."""
    return f"imagerecords-{output_name(output)}"


@contextmanager
def output_slot(output: Folder, stale_seconds: float, logger: RunLogger) -> Iterator[None]:
    """Hold the only slot of an output's global concurrency limit for the length of the block, and begin with its lock free.

    A server that was restarted may have forgotten the holder, and would never free the slot: after WAIT_SECONDS without the
    slot the build reads the output's lock, and goes on if that is free. The limit is removed with the block's end, unless
    another build has the slot by then; and so are the idle ones of other outputs, which builds that were killed have left.
    """
    name = slot_name(output)
    with ExitStack() as held:
        held.callback(_remove_idle, name)
        began = recorded = time.monotonic()
        while not _take(held, name):
            now = time.monotonic()
            if began == recorded or now - recorded >= SECONDS_BETWEEN_LINES:
                logger.info("waiting for %s: %s", _holder(output), output.url)
                recorded = now
            if now - began >= WAIT_SECONDS and _is_free(output, stale_seconds):
                logger.warning("the concurrency limit %s is taken, but no build of %s runs: continuing", name, output.url)
                break
            time.sleep(ASK_SECONDS)
        wait_for_dead_holder(output, stale_seconds, logger)
        yield


def _take(held: ExitStack, name: str) -> bool:
    """Whether the slot was free, and is held now."""
    with get_client(sync_client=True) as client, suppress(ObjectAlreadyExists, ObjectNotFound, PrefectHTTPStatusError):
        client.upsert_global_concurrency_limit_by_name(name, limit=1)  # of two that make it at once, one is refused
        if client.read_global_concurrency_limit_by_name(name).active_slots:
            return False  # asking for it, Prefect 3.9 would log an error each time
    # Strict: without the limit, which another build may have removed just now, there is no slot. A server that is away when
    # the lease is to be renewed costs a warning, not the build.
    slot = concurrency(
        name, occupy=1, lease_duration=LEASE_SECONDS, max_retries=0, strict=True, raise_on_lease_renewal_failure=False
    )
    try:
        held.enter_context(slot)
    except ConcurrencySlotAcquisitionError as error:
        answer = error.__cause__
        if answer is None or (isinstance(answer, HTTPStatusError) and answer.response.status_code == LOCKED):
            return False
        raise
    return True


def _remove_idle(name: str) -> None:
    """Remove a limit whose slot is free; a build that makes it again at this moment finds out when it asks for the slot.

    A busy server is asked once: the process of a cancelled run has 30 s to end, and the next build removes the limit too.
    """
    once = temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0})
    with suppress(Exception), once, get_client(sync_client=True) as client:  # a server that is away stops no build
        with suppress(ObjectNotFound):
            if not client.read_global_concurrency_limit_by_name(name).active_slots:
                client.delete_global_concurrency_limit_by_name(name)
        for limit in _idle(client):
            with suppress(ObjectNotFound):
                client.delete_global_concurrency_limit_by_name(str(limit.id))  # an id will do, and is of no newer limit


def _idle(client: SyncPrefectClient) -> list[GlobalConcurrencyLimitResponse]:
    """The limits of outputs that no build has had for a while."""
    limits: list[GlobalConcurrencyLimitResponse] = []
    while len(limits) % PAGE == 0 and (more := client.read_global_concurrency_limits(limit=PAGE, offset=len(limits))):
        limits += more
    before = datetime.now(UTC) - timedelta(seconds=IDLE_SECONDS)
    return [
        limit
        for limit in limits
        if NAME.fullmatch(limit.name) and not limit.active_slots and limit.updated is not None and limit.updated < before
    ]


def _holder(output: Folder) -> str:
    """Who holds the output's slot, as far as the server or the lock knows."""
    holder = None
    with suppress(Exception), get_client(sync_client=True) as client:
        holder = _running(client) or read_holder(output)
    if holder:
        return f"{holder}, which builds the same output"
    return f"the slot of a build that has ended without releasing it, which the server does within {LEASE_SECONDS:g} s"


def _running(client: SyncPrefectClient) -> str:
    """The run of the same name that has been running longest; empty where there is none."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return ""
    of_this_name = FlowRunFilter(
        name=FlowRunFilterName(any_=[context.flow_run.name]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.CANCELLING])),
    )
    runs = client.read_flow_runs(flow_run_filter=of_this_name, sort=FlowRunSort.START_TIME_ASC, limit=2)
    for run in runs:
        if run.id != context.flow_run.id:
            since = f", running since {run.start_time:%Y-%m-%d %H:%M:%S UTC}" if run.start_time else ""
            return f"flow run {run.name} ({run.id}{since})"
    return ""


def wait_for_dead_holder(output: Folder, stale_seconds: float, logger: RunLogger) -> None:
    """Return when the lock is free. A lock without new heartbeats becomes free; raises OutputLocked for one that has some.

    A killed build's slot is free before its lock is, where another machine can't see that its process is gone.
    """
    first = read_holder(output)
    deadline = time.monotonic() + 2 * stale_seconds  # a suspended process on this machine lives, and sends no heartbeat
    reported = False
    while not _is_free(output, stale_seconds):
        holder = read_holder(output)
        if first and holder and ((holder.id, holder.beat) != (first.id, first.beat) or time.monotonic() > deadline):
            refuse_if_locked(output, stale_seconds)
        if holder and not reported:
            logger.info(
                "waiting for the lock of %s, until it is %g s without a heartbeat: %s", holder, stale_seconds, output.url
            )
            reported = True
        first = first or holder
        time.sleep(ASK_SECONDS)


def _is_free(output: Folder, stale_seconds: float) -> bool:
    try:
        refuse_if_locked(output, stale_seconds)
    except OutputLocked:
        return False
    return True
