"""The stop flag of steps that run in threads, which, unlike worker processes, can't be killed."""

import threading
from typing import Protocol

from imagerecords.schemas.errors import Interrupted


class Flag(Protocol):
    """A stop flag, such as a threading.Event."""

    def is_set(self) -> bool:
        """Whether to stop."""


_thread = threading.local()


def stop_when(stop: Flag) -> None:
    """Make the steps of this thread end soon after `stop` is set."""
    _thread.stop = stop


def check_interrupt() -> None:
    """Raise Interrupted once this thread's stop flag is set; called between images."""
    stop: Flag | None = getattr(_thread, "stop", None)
    if stop is not None and stop.is_set():
        raise Interrupted("the build was stopped. Run it again to go on: finished shards are reused")
