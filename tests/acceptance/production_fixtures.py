"""One Prefect installation for all test modules that name this one in pytest_plugins, and the runs that died in it."""

import signal
from collections.abc import Iterator

import pytest

from tests.acceptance.production import DeadRuns, Installation
from tests.acceptance.running import COMMAND, Images, receipts, wait_until


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A server with the deployments, the automations and a worker."""
    installation = Installation(tmp_path_factory.mktemp("installation"))
    try:
        installation.deploy()
        yield installation
    finally:
        installation.end()


@pytest.fixture(scope="session")
def dead_runs(installation: Installation, slow: Images, tmp_path_factory: pytest.TempPathFactory) -> DeadRuns:
    """Killed before all tests, because it takes a while until their lease expires and their missing heartbeat is noticed."""
    outputs = [tmp_path_factory.mktemp("dead") / "data" for _ in range(2)]
    build = installation.start(COMMAND, *slow.arguments(outputs[0]))
    wait_until(lambda: receipts(outputs[0]), "a shard is done")
    build.signal_group(signal.SIGKILL)
    build.wait()
    vanished = installation.run_of(outputs[0])
    assert vanished is not None

    run = installation.run("on-demand", slow.settings(outputs[1]))
    wait_until(lambda: receipts(outputs[1]), "a shard is done")
    flow = installation.processes(run)[0]
    flow.kill()
    rerun = installation.run("on-demand", slow.settings(outputs[1]))
    return DeadRuns(run, outputs[1], rerun, vanished["id"], outputs[0])
