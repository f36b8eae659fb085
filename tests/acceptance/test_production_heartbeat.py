"""The automation for vanished builds beside what lives: other teams' flows, long builds, suspended runs."""

import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.acceptance.production import WITHIN, Installation, until
from tests.acceptance.running import Images, Running, Shell, receipts, wait_until, working_on
from tests.digests import digests

pytest_plugins = ["tests.acceptance.production_fixtures"]
pytestmark = pytest.mark.usefixtures("dead_runs")
MARGIN = 15  # seconds in which the server looks at its triggers again

FOREIGN = f"""
import time
from prefect import flow

@flow(name="someone-elses-etl", flow_run_name="foreign")
def etl():
    time.sleep({WITHIN + 2 * MARGIN})

if __name__ == "__main__":
    etl()
"""


SUSPEND = """
import sys
from uuid import UUID
from prefect.flow_runs import suspend_flow_run
suspend_flow_run(flow_run_id=UUID(sys.argv[1]))
"""


@dataclass(frozen=True)
class Quiet:
    """Runs that live and finish nothing for longer than the automation waits, and the output of the suspended one."""

    installation: Installation
    foreign: Running
    build: Running
    output: Path
    suspended: str
    suspended_output: Path


@pytest.fixture(scope="module")
def quiet(installation: Installation, slow: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quiet]:
    folder = tmp_path_factory.mktemp("quiet")
    (folder / "etl.py").write_text(FOREIGN)
    output, suspended_output = folder / "data", folder / "suspended"
    shell = Shell(folder, installation.environment)
    held: list[psutil.Process] = []
    try:
        suspended = installation.run("on-demand", slow.settings(suspended_output))
        wait_until(lambda: receipts(suspended_output), "a shard is done")
        assert shell.start_program([sys.executable, "-c", SUSPEND, suspended]).wait() == 0
        until(lambda: not installation.processes(suspended), "the suspended run's process has ended")
        foreign = shell.start_program([sys.executable, str(folder / "etl.py")])
        build = shell.start(slow.arguments(output))
        wait_until(lambda: receipts(output), "a shard is done")
        held.append(wait_until(lambda: working_on(build, output), "a worker is within a shard"))
        held[0].suspend()
        time.sleep(WITHIN + MARGIN)
        held[0].resume()
        yield Quiet(installation, foreign, build, output, suspended, suspended_output)
    finally:
        shell.end()


def test_another_teams_flow_with_prefects_own_heartbeat_is_left_alone(quiet: Quiet):
    assert quiet.foreign.wait() == 0, quiet.foreign.stderr
    (run,) = quiet.installation.post("flow_runs/filter", {"flow_runs": {"name": {"any_": ["foreign"]}}})
    assert run["state_name"] == "Completed"
    assert (states := _states(quiet.installation, run["id"])) == ["Pending", "Running", "Completed"], states


def test_a_build_from_a_shell_that_takes_long_is_left_alone(quiet: Quiet, slow: Images):
    assert quiet.build.wait() == 0, quiet.build.stderr
    assert digests(quiet.output) == slow.undisturbed.digests
    run = quiet.installation.run_of(quiet.output)
    assert run is not None
    assert (states := _states(quiet.installation, run["id"])) == ["Pending", "Running", "Completed"], states


def test_a_suspended_run_is_left_alone_and_resumes(quiet: Quiet, slow: Images):
    installation = quiet.installation
    assert installation.state(quiet.suspended) == "Suspended"
    assert installation.post(f"flow_runs/{quiet.suspended}/resume", {})["status"] == "ACCEPT"
    installation.completed(quiet.suspended)
    assert digests(quiet.suspended_output) == slow.undisturbed.digests


def test_the_automation_is_there_once_however_often_it_is_installed(installation: Installation):
    assert "updated" in installation.install_automation()
    found = installation.post("automations/filter", {})
    assert len([one for one in found if re.match("crash-vanished", one["name"])]) == 1


def _states(installation: Installation, run: str) -> list[str]:
    """The names of the states that a run has had."""
    return [state["name"] for state in installation.get(f"flow_run_states/?flow_run_id={run}")]
