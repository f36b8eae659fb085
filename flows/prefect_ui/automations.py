"""The automation of every installation: a build whose process is gone is marked Crashed.

    python -m imagerecords.flows.prefect_ui.automations

installs it on the server of PREFECT_API_URL, or brings it up to date: there is one of its name however often this is run.
"""

import argparse
from collections.abc import Iterator
from datetime import timedelta

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.events import AutomationCore, EventTrigger, Posture
from prefect.events.actions import ChangeFlowRunState

from imagerecords.flows.prefect_ui.api_url import prefect_api_url
from imagerecords.flows.prefect_ui.heartbeat import FLOW, HEARTBEAT, LEFT, SECONDS

NAME = "crash-vanished-builds"
WITHIN = 3 * SECONDS  # of silence; two heartbeats may be late or lost
# What a run does next when no heartbeat is expected any more: it has ended, or waits without a process.
AFTER_WHICH_NONE_COMES = ("Completed", "Failed", "Cancelled", "Cancelling", "Crashed", "Suspended", "Paused", "AwaitingRetry")


def crash_vanished_builds(within: float = WITHIN) -> AutomationCore:
    """Mark a build's flow run Crashed when it has sent no heartbeat for `within` seconds. Other flows are left alone."""
    return AutomationCore(
        name=NAME,
        description=f"No heartbeat of a {FLOW} run for {within:g} s means that its process is gone.",
        trigger=EventTrigger(
            posture=Posture.Proactive,
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related={"prefect.resource.role": "flow", "prefect.resource.name": FLOW},
            for_each={"prefect.resource.id"},
            after={HEARTBEAT},
            expect={HEARTBEAT, LEFT, *(f"prefect.flow-run.{state}" for state in AFTER_WHICH_NONE_COMES)},
            threshold=1,
            within=timedelta(seconds=within),
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, message=f"no heartbeat for {within:g} s: the process is gone")],
    )


def install(client: SyncPrefectClient, automation: AutomationCore) -> Iterator[str]:
    """Create the automation, or update the one of its name, and remove others of that name; what was done, in lines.

    One that was switched off stays so.
    """
    found = client.read_automations_by_name(automation.name)
    first, others = next(iter(found), None), found[1:]
    if first is None:
        client.create_automation(automation)
        yield f"{automation.name}: created"
    else:
        client.update_automation(first.id, automation.model_copy(update={"enabled": first.enabled}))
        yield f"{automation.name}: updated" + ("" if first.enabled else "; it is switched off, and stays so")
    for other in others:
        client.delete_automation(other.id)
        yield f"{automation.name}: removed another one of this name"


def main(arguments: list[str] | None = None) -> None:
    """Install the automation, and print what was done."""
    parser = argparse.ArgumentParser(prog="python -m imagerecords.flows.prefect_ui.automations", description=main.__doc__)
    parser.add_argument(
        "--within", type=float, default=WITHIN, metavar="SECONDS", help="seconds without a heartbeat, %(default)g"
    )
    within = parser.parse_args(arguments).within
    if within <= SECONDS:
        parser.error(f"--within must be above {SECONDS:g}, the seconds between two heartbeats, got {within:g}")
    url = prefect_api_url()
    if url is None:  # Prefect would start a temporary server
        parser.error("PREFECT_API_URL must be the server's, got none. Set it, or switch to a profile that has it")
    try:
        with get_client(sync_client=True) as client:
            for line in install(client, crash_vanished_builds(within)):
                print(line)
    except httpx.TransportError as error:
        parser.exit(1, f"error: no answer from the Prefect server: {url}: {error}. Start it, or correct PREFECT_API_URL\n")


if __name__ == "__main__":
    main()
