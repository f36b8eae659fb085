"""A whole Prefect installation as an operator sets it up: server, pool, worker, and the deployments of this checkout."""

import contextlib
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from imagerecords.flows.prefect_ui.parameters import GROUP_OF
from imagerecords.schemas.settings import MAIN_SETTINGS
from tests.acceptance.running import DEADLINE, Running, clean_environment, free_port, wait_until

ROOT = Path(__file__).parents[2]
PREFECT = str(Path(sys.executable).with_name("prefect"))
DEPLOY = ["--no-prompt", "deploy", "--prefect-file", "deployments/prefect.yaml", "--all"]
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
WITHIN = 45  # seconds of silence; a build gives a heartbeat each 30
POLL_SECONDS = 0.3  # the server is on the same two cores
SETTINGS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_WORKER_QUERY_SECONDS": "1",
}


def until(what: Callable[[], Any], event: str, seconds: float = DEADLINE) -> Any:
    """The first true value of what the server is asked; fails the test when none comes."""

    def ask() -> Any:
        value = what()
        if not value:
            time.sleep(POLL_SECONDS)
        return value

    return wait_until(ask, event, seconds)


def parameters(settings: dict[str, Any]) -> dict[str, Any]:
    """A run's parameters for these settings: the ten that matter by themselves, the rest in groups."""
    given: dict[str, Any] = {"check_settings": {"tensorflow_check": "none"}}  # in place of the deployment's
    for name, value in settings.items():
        place = given if name in MAIN_SETTINGS else given.setdefault(GROUP_OF[name], {})
        place[name] = value
    return given


class Installation:
    """A server on a free port of this machine, and what runs against it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/api"
        self.environment = clean_environment(folder / "home") | SETTINGS | {"PREFECT_API_URL": self.url}
        self.started: list[Running] = []
        self.server = self.start_server()

    def start(self, *words: str) -> Running:
        """Start a `prefect` command, or any other program that words begin with."""
        running = Running(list(words), self.environment, self.folder)
        self.started.append(running)
        return running

    def start_server(self) -> Running:
        """Start the server, with the database that an earlier one has left."""
        server = self.start(PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(self.port))

        def answers() -> bool:
            assert server.process.poll() is None, f"the server must start: {server.stderr}"
            with contextlib.suppress(OSError):
                return bool(self.get("health"))
            return False

        until(answers, "Prefect's server answers")
        return server

    def deploy(self) -> None:
        """Set up what docs/production.md describes: the pool, the deployments, the automations, a worker."""
        self.prefect("work-pool", "create", "imagerecords", "--type", "process")
        self.prefect(*DEPLOY)
        self.install_automation()
        self.worker = self.start(PREFECT, "worker", "start", "--pool", "imagerecords")

    def install_automation(self) -> str:
        """Install the automation with a shorter wait than docs/production.md's; what it prints."""
        words = [sys.executable, "-m", "imagerecords.flows.prefect_ui.automations", "--within", str(WITHIN)]
        ran = subprocess.run(words, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=DEADLINE)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def prefect(self, *words: str, folder: Path = ROOT, code: int = 0) -> str:
        """What a `prefect` command prints, from the checkout's root; its exit code must be the one given."""
        environment = self.environment | {"COLUMNS": "300", "NO_COLOR": "1"}
        ran = subprocess.run(
            [PREFECT, *words], env=environment, cwd=folder, capture_output=True, text=True, timeout=DEADLINE, check=False
        )
        printed = ran.stdout + ran.stderr
        assert ran.returncode == code, f"prefect {' '.join(words)} must end with {code}, got {ran.returncode}: {printed}"
        return printed

    def get(self, path: str) -> Any:
        """What the API answers."""
        return self._ask(urllib.request.Request(f"{self.url}/{path}"))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """What the API answers to a query or an order."""
        headers = {"content-type": "application/json"}
        return self._ask(urllib.request.Request(f"{self.url}/{path}", json.dumps(body).encode(), headers, method="POST"))

    def _ask(self, request: urllib.request.Request) -> Any:
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 503:  # its SQLite is locked, for a minute at times; Prefect's own client tries again too
                time.sleep(POLL_SECONDS)
                return self._ask(request)
            raise AssertionError(f"{request.full_url}: {error} {error.read().decode()}") from error

    def deployment(self, name: str, flow: str = "build-image-dataset") -> dict[str, Any]:
        """A deployment as the server has it."""
        found: dict[str, Any] = self.get(f"deployments/name/{flow}/{name}")
        return found

    def run(self, deployment: str, settings: dict[str, Any], **more: Any) -> str:
        """Start a run of a deployment; its id."""
        run = self.post(
            f"deployments/{self.deployment(deployment)['id']}/create_flow_run",
            {"parameters": parameters(settings), "state": {"type": "SCHEDULED"}, **more},
        )
        return str(run["id"])

    def runs(self, deployment: str, flow: str = "build-image-dataset") -> list[dict[str, Any]]:
        """All runs of a deployment."""
        of = {"deployments": {"id": {"any_": [self.deployment(deployment, flow)["id"]]}}}
        found: list[dict[str, Any]] = self.post("flow_runs/filter", of)
        return found

    def run_of(self, output: object) -> dict[str, Any] | None:
        """The newest run that builds an output."""
        query = {"flow_runs": {"name": {"any_": [f"build {output}"]}}, "sort": "START_TIME_DESC"}
        found = self.post("flow_runs/filter", query)
        return found[0] if found else None

    def state(self, run: str) -> str:
        """The name of a run's state."""
        return str(self.get(f"flow_runs/{run}")["state_name"])

    def ended(self, run: str, seconds: float = DEADLINE) -> dict[str, Any]:
        """A run at its end."""

        def look() -> dict[str, Any] | None:
            seen: dict[str, Any] = self.get(f"flow_runs/{run}")
            return seen if seen["state_type"] in ENDED else None

        ended: dict[str, Any] = until(look, f"flow run {run} ends", seconds)
        return ended

    def completed(self, run: str, seconds: float = DEADLINE) -> dict[str, Any]:
        """A run at its end, which must be a good one."""
        ended = self.ended(run, seconds)
        assert ended["state_name"] == "Completed", f"{ended['state']['message']}\n{self.logs(run)}"
        return ended

    def logs(self, run: str) -> str:
        """A run's log."""
        entries = self.post("logs/filter", {"logs": {"flow_run_id": {"any_": [run]}}, "sort": "TIMESTAMP_ASC"})
        return "\n".join(entry["message"] for entry in entries)

    def artifacts(self, run: str) -> dict[str, dict[str, Any]]:
        """A run's artifacts by the beginning of their key, which ends with the name of the output."""
        found = self.post("artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run]}}})
        return {"-".join(artifact["key"].split("-")[:2]): artifact for artifact in found}

    def events(self, name: str, **resource: str) -> list[dict[str, Any]]:
        """The events of a name, of one resource where its id is given."""
        query: dict[str, Any] = {"event": {"name": [name]}}
        if resource:
            query["resource"] = resource
        found: list[dict[str, Any]] = self.post("events/filter", {"filter": query, "limit": 50})["events"]
        return found

    def processes(self, run: str) -> list[psutil.Process]:
        """The processes in which the worker runs a flow run; the flow's own is the first."""
        found = []
        for process in self.worker.descendants:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if process.environ().get("PREFECT__FLOW_RUN_ID") == run:
                    found.append(process)
        return found

    def stop_server(self) -> None:
        """Stop the server as a system's service manager does."""
        self.server.signal_group(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.server.process.wait(20)
        self.server.end()

    def end(self) -> None:
        """Leave nothing of it behind: the worker with its runs first, the server last."""
        for running in reversed(self.started[1:]):
            with contextlib.suppress(psutil.NoSuchProcess):
                for process in running.descendants:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()
            running.end()
        self.stop_server()


@dataclass(frozen=True)
class DeadRuns:
    """Two runs that SIGKILL ended in mid-build, and where they were building."""

    under_a_worker: str
    under_a_worker_output: Path
    rerun: str
    without_a_worker: str
    without_a_worker_output: Path
