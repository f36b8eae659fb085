"""Commands run as a user runs them, and how the tests read their state and output."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.digests import digests

COMMAND = str(Path(sys.executable).with_name("imagerecords"))
DEADLINE = 180  # seconds; nothing takes so long unless it hangs
FIRST_PORT, PORTS = 16_000, 4_000  # of each of four test processes
# What a developer's shell may carry and a test must not depend on.
FOREIGN = ("PREFECT_", "IMAGERECORDS_", "AWS_", "PYTHONPATH")


def wait_until(what: Callable[[], Any], event: str, seconds: float = DEADLINE) -> Any:
    """The first true value of `what`; fails the test when none comes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := what():
            return value
        time.sleep(0.01)
    return pytest.fail(f"waited {seconds:g} s in vain until {event}")


def _ports() -> Iterator[int]:
    """Ports of this test process's own, below those that Linux gives to outgoing connections, from 32768."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 4
    begin = random.Random(os.getpid()).randrange(PORTS)
    yield from (FIRST_PORT + PORTS * worker + (begin + number) % PORTS for number in range(PORTS))


_PORTS = _ports()


def free_port() -> int:
    """A port on which nobody listens, never one twice: a server that is started again finds its port free."""
    for port in _PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; who ended and was not waited for by its parent does not."""
    running = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                running.append(process)
    return running


def seeded_moments(count: int) -> list[float]:
    """A moment in each of so many equal parts of a build's duration, as shares of it; the same ones each time the tests run."""
    return [(part + random.Random(part).random()) / count for part in range(count)]


def last_word(stderr: str) -> str:
    """The last line of imagerecords among others: Python's resource tracker may print warnings when the process has ended."""
    lines = [line for line in stderr.splitlines() if line.startswith("imagerecords: ")]
    assert lines, f"imagerecords must print something, got: {stderr}"
    return lines[-1]


@dataclass(frozen=True)
class Undisturbed:
    """A build that nothing interrupted: its files' SHA-256, its digest, and how long it took."""

    folder: Path
    digests: dict[str, str]
    digest: str
    seconds: float


@dataclass(frozen=True)
class Images:
    """Label folders of two splits, into how many shards the tests cut them, and a build of them that went well.

    Without `report`, the data card, which takes a second of CPU, is left to the tests that are about it.
    """

    train: Path
    validation: Path
    train_shards: int
    validation_shards: int
    undisturbed: Undisturbed | None = None
    report: bool = False

    @property
    def shards(self) -> int:
        return self.train_shards + self.validation_shards

    def settings(self, output: object, **more: object) -> dict[str, Any]:
        """The settings of a build of them."""
        return {
            "train_directory": str(self.train),
            "validation_directory": str(self.validation),
            "output_directory": str(output),
            "train_shards": self.train_shards,
            "validation_shards": self.validation_shards,
            "workers": 2,
            "report": self.report,
            **more,
        }

    def arguments(self, output: object, *flags: str, **more: object) -> list[str]:
        """The command line of a build of them."""
        settings = self.settings(output, **more)
        options = (word for name, value in settings.items() if name != "report" for word in (f"--{name}", str(value)))
        return ["build", "--json", "--report" if settings["report"] else "--no-report", *flags, *options]


class Running:
    """A command under way, in a process group of its own as a shell starts it."""

    def __init__(self, words: list[str], environment: dict[str, str], folder: Path, **popen: Any) -> None:
        self._out, self._err = (folder / f"{time.monotonic_ns()}.{name}" for name in ("out", "err"))
        self.began = time.monotonic()
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                words,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                **popen,
            )
        self.pid = self.process.pid

    def wait(self, seconds: float = DEADLINE) -> int:
        """The exit code; fails the test when the command hangs."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.end()
            return pytest.fail(f"the command must end within {seconds:g} s, it hangs: {self.stderr}")

    @property
    def stdout(self) -> str:
        return self._out.read_text()

    @property
    def stderr(self) -> str:
        return self._err.read_text()

    @property
    def last_word(self) -> str:
        """The last line that imagerecords itself prints on standard error."""
        return last_word(self.stderr)

    @property
    def summary(self) -> dict[str, Any]:
        """What --json printed."""
        summary: dict[str, Any] = json.loads(self.stdout)
        return summary

    @property
    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.pid).children(recursive=True)

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to all processes of the command, as a terminal's Ctrl-C or a scheduler's kill does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def kill_at(self, moment: float, seconds: float) -> None:
        """Kill it, as `kill` does, when this share of so many seconds has passed since it began."""
        time.sleep(max(0.0, self.began + moment * seconds - time.monotonic()))
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the command, its fork server and its workers at once, as a machine's loss of power."""
        family = self.descendants if self.process.poll() is None else []
        self.signal_group(signal.SIGKILL)
        self.wait()
        wait_until(lambda: not alive(family), "all killed processes are gone")

    def end(self) -> None:
        """Leave nothing of it behind."""
        self.signal_group(signal.SIGKILL)
        self.process.wait()


class Shell:
    """Starts `imagerecords` in an empty folder, with no settings in the environment but those it is given."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.started: list[Running] = []
        self.python = sys.executable

    def start(self, words: list[str], environment: dict[str, str] | None = None, **popen: Any) -> Running:
        """Start `imagerecords` with these arguments."""
        return self.start_program([COMMAND, *words], environment, **popen)

    def start_program(self, words: list[str], environment: dict[str, str] | None = None, **popen: Any) -> Running:
        """Start any program."""
        running = Running(words, self.environment | (environment or {}), self.folder, **popen)
        self.started.append(running)
        return running

    def run(self, words: list[str], environment: dict[str, str] | None = None, **popen: Any) -> Running:
        """Run `imagerecords` with these arguments to its end, which must be a good one."""
        running = self.start(words, environment, **popen)
        assert running.wait() == 0, running.stderr
        return running

    def end(self) -> None:
        for running in self.started:
            running.end()


def clean_environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return kept | {"PREFECT_HOME": str(home), "DO_NOT_TRACK": "1", "AWS_EC2_METADATA_DISABLED": "true"}


def with_build(images: Images, folder: Path, home: Path) -> Images:
    """The images with a build of them into `folder` that nothing disturbs."""
    shell = Shell(folder, clean_environment(home))
    output = folder / "data"
    try:
        build = shell.run(images.arguments(output, "--no-prefect"))
        undisturbed = Undisturbed(output, digests(output), build.summary["digest"], time.monotonic() - build.began)
    finally:
        shell.end()
    return replace(images, undisturbed=undisturbed)


def receipts(output: Path) -> list[str]:
    """The shards that have a receipt."""
    return sorted(path.stem for path in (output / "_build/receipts").glob("*.parquet"))


def shard_files(output: Path) -> list[Path]:
    return sorted(path for path in output.glob("*-of-*") if path.name.startswith(("train-", "validation-", "test-")))


def leftovers(output: Path) -> list[Path]:
    """Unfinished files, and the lock."""
    return [*(output / "_build/tmp").glob("*"), *(output / "_build").glob("lock*")]


def working_on(running: Running, output: Path) -> psutil.Process | None:
    """The process of a build that writes a shard just now, seen by the unfinished file that it holds open."""
    scratch = output / "_build/tmp"
    for process in (*running.descendants, psutil.Process(running.pid)):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            files = [Path(file.path) for file in process.open_files()]
            if any(file.parent == scratch and file.name.startswith(("train-", "validation-")) for file in files):
                return process
    return None
