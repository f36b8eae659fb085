"""Heartbeats of a build's flow run, so that a run whose process is gone can be recognised.

Prefect's own heartbeat is a setting of each process (`PREFECT_FLOWS_HEARTBEAT_FREQUENCY`, 180 s by default), which a shell or
another team's worker may have set to anything. The automation of automations.py must know how long silence may last, so the
flow's body sends heartbeats of its own, and one event when it is left in any way but the process's death: a suspended run ends
its process too, and lives.
"""

import contextvars
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.events import emit_event

FLOW = "build-image-dataset"
TAG = "imagerecords"
HEARTBEAT = "prefect.flow-run.heartbeat"
LEFT = "imagerecords.build.left"
SECONDS = 30.0


@contextmanager
def heartbeat(seconds: float = SECONDS) -> Iterator[None]:
    """Emit a heartbeat of the flow run now and each `seconds`, and LEFT when the block is left."""
    run = FlowRunContext.get()
    if run is None or run.flow_run is None:
        yield
        return
    resource = {"prefect.resource.id": f"prefect.flow-run.{run.flow_run.id}", "prefect.resource.name": run.flow_run.name}
    flow = {"prefect.resource.id": f"prefect.flow.{run.flow_run.flow_id}", "prefect.resource.role": "flow"}
    related = [flow | {"prefect.resource.name": FLOW}]
    left = threading.Event()

    def beat_until_left() -> None:
        while True:
            emit_event(event=HEARTBEAT, resource=resource, related=related)
            if left.wait(seconds):
                return

    # With the run's context, without which Prefect would send the events to the API of the process's start.
    thread = threading.Thread(
        target=contextvars.copy_context().run, args=(beat_until_left,), name="flow run heartbeat", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        left.set()
        thread.join()
        emit_event(event=LEFT, resource=resource, related=related)


def tag_run() -> None:
    """Give the run the deployments' tag, by which runs from a shell, served ones and subflows are found too."""
    run = FlowRunContext.get()
    if run and run.flow_run and TAG not in run.flow_run.tags:
        with suppress(Exception), get_client(sync_client=True) as client:  # an outage of the server stops no build
            client.update_flow_run(run.flow_run.id, tags={*run.flow_run.tags, TAG})
