"""Failures of a build under Prefect: cancelled, started twice, killed, its server away; the bytes stay the same."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.acceptance.production import WITHIN, DeadRuns, Installation, until
from tests.acceptance.running import Images, Running, Shell, alive, leftovers, receipts, wait_until, working_on
from tests.digests import digests

pytest_plugins = ["tests.acceptance.production_fixtures"]
pytestmark = pytest.mark.usefixtures("dead_runs")
OUTAGE_SECONDS = 30


@dataclass(frozen=True)
class Outage:
    """An installation whose server was away; the build that went on meanwhile, with its run and files; a second build."""

    installation: Installation
    output: Path
    build: Running
    run: dict[str, Any] | None
    files: dict[str, str]
    again: Running


@pytest.fixture(scope="module")
def outage(slow: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    """A build whose server was away while most of its shards were converted, and came back with the same database.

    The second build starts when the first one has ended, and waits more than a minute: the server has forgotten who holds the
    output's slot. That time passes during the other tests here.
    """
    installation = Installation(tmp_path_factory.mktemp("outage"))
    output = tmp_path_factory.mktemp("build") / "data"
    shell = Shell(installation.folder, installation.environment)
    held: list[psutil.Process] = []
    try:
        build = shell.start(slow.arguments(output))
        wait_until(lambda: receipts(output), "a shard is done")
        held.append(wait_until(lambda: working_on(build, output), "a worker is within a shard"))
        held[0].suspend()  # so that the build can't end before the server is back
        installation.stop_server()
        gone = time.monotonic()
        wait_until(lambda: len(receipts(output)) >= slow.train_shards - 1, "the other shards are done without the server")
        time.sleep(max(0.0, gone + OUTAGE_SECONDS - time.monotonic()))
        assert build.process.poll() is None, f"the build must live on without the server: {build.stderr}"
        installation.server = installation.start_server()
        held[0].resume()
        build.wait()
        run, files = installation.run_of(output), digests(output)
        yield Outage(installation, output, build, run, files, shell.start(slow.arguments(output)))
    finally:
        shell.end()
        installation.end()


def test_a_build_outlives_an_outage_of_the_server(outage: Outage, slow: Images):
    assert outage.build.wait() == 0, outage.build.stderr
    assert outage.files == slow.undisturbed.digests
    assert outage.build.summary["digest"] == slow.undisturbed.digest
    assert outage.run is not None
    assert outage.run["state_name"] == "Completed"
    events, resource = outage.installation.events, f"imagerecords.dataset.file://{outage.output}"
    assert until(lambda: events("imagerecords.dataset.published", id=[resource]), "the data set is announced", 60)


def test_a_cancelled_run_leaves_no_process_and_no_lock_and_a_rerun_continues(
    installation: Installation, slow: Images, tmp_path: Path
):
    output = tmp_path / "data"
    run = installation.run("on-demand", slow.settings(output, workers=1))  # one, so that it takes a while
    wait_until(lambda: receipts(output), "a shard is done")
    processes = installation.processes(run)
    assert len(processes) > 2, "the flow's process, a fork server and a worker"
    # As `prefect flow-run cancel` does, which takes seconds to start.
    installation.post(f"flow_runs/{run}/set_state", {"state": {"type": "CANCELLING", "name": "Cancelling"}})
    assert installation.ended(run, 60)["state_name"] == "Cancelled"
    until(lambda: not alive(processes) and not installation.processes(run), "all processes of the run are gone", 60)
    assert not (output / "dataset_info.json").exists(), "the build must have been cancelled in its middle"
    assert not leftovers(output)
    finished = len(receipts(output))
    rerun = installation.run("on-demand", slow.settings(output))
    installation.completed(rerun)
    assert f"{finished} reused" in _summary(installation, rerun)
    assert digests(output) == slow.undisturbed.digests


def test_of_two_runs_on_one_output_the_second_waits_for_the_slot(installation: Installation, slow: Images, tmp_path: Path):
    output = tmp_path / "data"
    runs = [installation.run(deployment, slow.settings(output)) for deployment in ("on-demand", "on-labels")]
    ended = [installation.completed(run) for run in runs]
    assert all(run["run_count"] == 1 for run in ended), "neither may need a second try"
    logs = [installation.logs(run) for run in runs]
    assert sum(f"waiting for flow run build {output} (" in log for log in logs) == 1, "one says whom it waits for"
    limits = installation.post("v2/concurrency_limits/filter", {})
    assert not [limit["name"] for limit in limits if output.parent.name in limit["name"]], "no limit is left when it is idle"
    counts = sorted(_summary(installation, run) for run in runs)
    assert f"0 shards converted, {slow.shards} reused" in counts[0]
    assert f"{slow.shards} shards converted, 0 reused" in counts[1]
    assert digests(output) == slow.undisturbed.digests


def _summary(installation: Installation, run: str) -> str:
    """The line of a run's closing artifact that says how many shards were converted."""
    summary = installation.artifacts(run)["build-summary"]["data"]
    (line,) = [line for line in summary.splitlines() if "shards converted" in line]
    return str(line)


def test_a_killed_run_is_crashed_by_its_worker_and_run_again_to_the_same_bytes(
    installation: Installation, dead_runs: DeadRuns, slow: Images
):
    assert installation.ended(dead_runs.under_a_worker)["state_name"] == "Crashed"
    installation.completed(dead_runs.rerun)
    assert digests(dead_runs.under_a_worker_output) == slow.undisturbed.digests


def test_a_run_that_vanished_is_crashed_by_the_automation(
    installation: Installation, dead_runs: DeadRuns, shell: Shell, slow: Images
):
    crashed = installation.ended(dead_runs.without_a_worker, 240)
    assert crashed["state_name"] == "Crashed"
    assert crashed["state"]["message"] == f"no heartbeat for {WITHIN} s: the process is gone"
    output = dead_runs.without_a_worker_output
    shell.run(slow.arguments(output), {"PREFECT_API_URL": installation.url})
    assert digests(output) == slow.undisturbed.digests


def test_after_an_outage_the_same_output_can_be_built_again(outage: Outage, slow: Images):
    assert outage.again.wait(120) == 0, outage.again.stderr
    assert "waiting for" in outage.again.stderr
    assert "ERROR" not in outage.again.stderr, "waiting is no error"
    assert outage.again.summary["shards_reused"] == slow.shards
    assert digests(outage.output) == slow.undisturbed.digests
