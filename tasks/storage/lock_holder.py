"""Who holds a lock, and whether that build still lives; decided without trust in any clock where that is possible."""

import contextlib
import math
import os
import socket
import time
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, and its last heartbeat (Unix seconds).

    `process_ticks` are the clock ticks from the machine's boot to the process's start, None where the system does not say:
    unlike `process_started`, they stay what they are when the machine's clock is set.
    """

    id: str
    machine: str
    pid: int
    process_started: float
    beat: float
    process_ticks: int | None = None

    @classmethod
    def here(cls, build: str) -> "Holder":
        """The holder of a lock for a build in this process."""
        pid = os.getpid()
        return cls(build, machine(), pid, psutil.Process().create_time(), time.time(), start_ticks(pid))

    def is_gone(self, stale_seconds: float) -> bool:
        """Whether the holder is dead: its process is gone from this machine, or its last heartbeat is too long ago."""
        alive = self._is_alive() if self.machine == machine() else None
        return not alive if alive is not None else time.time() - self.beat > stale_seconds

    def is_doubtful(self, stale_seconds: float) -> bool:
        """Whether nothing shows if it lives: its last heartbeat is no number, or lies in the future of this machine's clock."""
        if self.machine == machine() and self._is_alive() is not None:
            return False
        return not math.isfinite(self.beat) or self.beat - time.time() > stale_seconds

    def _is_alive(self) -> bool | None:
        """Whether its process lives on this machine; None where that can't be seen."""
        try:
            started = psutil.Process(self.pid).create_time()
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return None
        ticks = start_ticks(self.pid)
        if ticks is not None and self.process_ticks is not None:
            return ticks == self.process_ticks
        return abs(started - self.process_started) <= 1

    def __str__(self) -> str:
        place = f"process {self.pid} on {self.machine.partition('/')[0]}"
        try:
            return f"{place}, last heartbeat {time.strftime('%Y-%m-%d %H:%M:%S UTC', time.gmtime(self.beat))}"
        except (ValueError, OverflowError):
            return f"{place}, last heartbeat unknown"


def machine() -> str:
    """The name of this machine, its boot and its container: a process id means something within one of them only."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        with open("/proc/sys/kernel/random/boot_id") as file:
            parts.append(file.read().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return "/".join(parts)


def start_ticks(pid: int) -> int | None:
    """The clock ticks from boot to a process's start, by proc(5); None on systems without /proc, or when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None
