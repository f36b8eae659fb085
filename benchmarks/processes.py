"""A command with all its processes: what CPU they used, and the peak memory of each."""

import contextlib
import ctypes
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

SET_CHILD_SUBREAPER = 36  # prctl(2)
SAMPLE_SECONDS = 0.02
ROOT = Path(__file__).parent.parent
KEPT: set[int] = set()  # processes of our own that outlive a command


@dataclass(frozen=True)
class Finished:
    """A command that succeeded: what it printed, when it was started and had ended (Unix seconds), its CPU seconds."""

    printed: str
    began: float
    ended: float
    cpu_seconds: float

    @property
    def seconds(self) -> float:
        """From the start of the command to its exit."""
        return self.ended - self.began


@dataclass
class Memory:
    """Peaks of resident memory in bytes; a shared page counts in each process that has it."""

    parent: int = 0
    children: dict[int, int] = field(default_factory=dict)
    together: int = 0

    def sample(self, root: psutil.Process) -> None:
        """Look at the process and all below it, now."""
        total = 0
        for process in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                size = process.memory_info().rss
                total += size
                if process.pid == root.pid:
                    self.parent = max(self.parent, size)
                else:
                    self.children[process.pid] = max(self.children.get(process.pid, 0), size)
        self.together = max(self.together, total)


def adopt_orphans() -> None:
    """Become the parent of processes whose own parent ends first, so that their CPU time is counted here too."""
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run_command(command: list[str], environment: Mapping[str, str] | None = None, memory: Memory | None = None) -> Finished:
    """Run a command to its end, sampling its memory when asked to; SystemExit with its errors when it fails."""
    os.sync()
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as errors:
        before = _children_cpu()
        began = time.time()
        process = subprocess.Popen(command, stdout=printed, stderr=errors, env=_usual(environment or os.environ), cwd=ROOT)
        if memory is not None:
            _watch(process, memory.sample)
        code = process.wait()
        ended = time.time()
        _reap_orphans()
        printed.seek(0)
        errors.seek(0)
        if code:
            raise SystemExit(f"error: exit {code}: {' '.join(command)}\n{errors.read()[-4000:]}")
        return Finished(printed.read(), began, ended, _children_cpu() - before)


def _usual(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which Python keeps what it has compiled, as it does for users."""
    return {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _watch(process: subprocess.Popen[bytes], sample: Callable[[psutil.Process], None]) -> None:
    root = psutil.Process(process.pid)
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            sample(root)
        time.sleep(SAMPLE_SECONDS)


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _reap_orphans() -> None:
    """Wait for what the command left running: a fork server ends a moment after its parent."""
    deadline = time.monotonic() + 10
    ours = psutil.Process()
    while time.monotonic() < deadline and (left := [child for child in ours.children() if child.pid not in KEPT]):
        psutil.wait_procs(left, timeout=1)
