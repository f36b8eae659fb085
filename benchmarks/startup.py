"""The time that a build takes before its first shard starts and after its last one is verified."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.contenders import build_command
from benchmarks.measure import fresh_output
from benchmarks.processes import KEPT, run_command

EMPTY_FLOW = """
import time
from prefect import flow

@flow(log_prints=False)
def empty():
    print(time.time())

empty()
"""
SERVER_SECONDS = 180.0  # a new server migrates its database first


@dataclass(frozen=True)
class Startup:
    """Seconds before the first shard, and after the last."""

    before: float
    after: float

    @property
    def seconds(self) -> float:
        """Both together."""
        return self.before + self.after


def measure_direct(data: Path, runs: int, *options: str) -> list[Startup]:
    """Builds of a small data set without Prefect."""
    return _builds(data, runs, ("--no-prefect", *options), os.environ)


def measure_prefect(data: Path, runs: int) -> tuple[list[Startup], list[Startup]]:
    """The same through a Prefect server that runs already, and a flow of Prefect's own there that does nothing."""
    with prefect_server() as environment:
        return _builds(data, runs, ("--prefect",), environment), _empty_flows(runs, environment)


def _empty_flows(runs: int, environment: Mapping[str, str]) -> list[Startup]:
    """From the command's start to the flow's first line, and from there to its exit; the first run is excluded."""
    measured = []
    for _ in range(runs + 1):
        finished = run_command([sys.executable, "-c", EMPTY_FLOW], environment)
        ran = float(finished.printed.split()[-1])
        measured.append(Startup(ran - finished.began, finished.ended - ran))
    return measured[1:]


def _builds(data: Path, runs: int, options: Sequence[str], environment: Mapping[str, str]) -> list[Startup]:
    """One run more than requested: the first, which fills caches, is excluded."""
    measured = []
    for _ in range(runs + 1):
        with fresh_output() as output:
            finished = run_command(build_command(data, output, *options), environment)
        timeline = json.loads(finished.printed)["timeline"]
        before = timeline["first_shard_began"] - finished.began
        measured.append(Startup(before, finished.ended - timeline["last_shard_validated"]))
    return measured[1:]


@contextmanager
def prefect_server() -> Iterator[dict[str, str]]:
    """A Prefect server on a free port of the loopback, with a home of its own; yields the environment that leads to it."""
    with tempfile.TemporaryDirectory(prefix="imagerecords-prefect-") as home:
        port = _free_port()
        url = f"http://127.0.0.1:{port}/api"
        own = {"PREFECT_HOME": home, "PREFECT_API_URL": url, "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
        environment = {**os.environ, **own}
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
        with open(Path(home, "server.log"), "wb") as log:
            server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        KEPT.add(server.pid)
        try:
            _wait_until_healthy(url, server, Path(home, "server.log"))
            yield environment
        finally:
            _end(server)
            KEPT.discard(server.pid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SERVER_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SystemExit(f"error: the Prefect server must answer within {SERVER_SECONDS:.0f} s\n{log.read_text()[-4000:]}")


def _end(server: subprocess.Popen[bytes]) -> None:
    """Ask the server and its own processes to end; kill what has not after ten seconds."""
    try:
        family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    server.terminate()
    _, left = psutil.wait_procs(family, timeout=10)
    for process in left:
        process.kill()
    server.wait()
