"""Processes that are started so that Ctrl-C does not reach them."""

import contextlib
import signal
from collections.abc import Iterator
from multiprocessing import resource_tracker


@contextlib.contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Processes and threads started in the block, and whatever those start, never see Ctrl-C: they inherit its mask."""
    resource_tracker.ensure_running()  # now, since starting it unblocks the signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
