"""A flag that stops steps running in threads, which can't be killed as a worker process can."""

import threading
from typing import Protocol

from imagerecords.schemas.errors import Interrupted


class Flag(Protocol):
    """What can be asked whether to stop, as a threading.Event can."""

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
