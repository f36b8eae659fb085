"""A flag that stops the steps running in a process's threads, which nobody can kill as one kills a worker process."""

import threading

from schemas.errors import Interrupted

_thread = threading.local()


def obey(stop: threading.Event) -> None:
    """Make the steps of this thread end soon after `stop` is set."""
    _thread.stop = stop


def check_interrupt() -> None:
    """Raise Interrupted once this thread has been told to stop; called between images."""
    stop: threading.Event | None = getattr(_thread, "stop", None)
    if stop is not None and stop.is_set():
        raise Interrupted("the build was stopped. Run it again to go on: finished shards are kept")
