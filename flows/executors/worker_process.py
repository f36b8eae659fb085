"""A worker process as its parent sees it: how it is started by the fork server, and whether it runs."""

import contextlib
import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from multiprocessing.context import ForkServerProcess
from typing import Any

from imagerecords.flows.executors.fork_server import fork_server_end, start_fork_server
from imagerecords.flows.executors.signals import hidden_main, open_start_method, sigint_blocked

# multiprocessing lets each exit code be read once; of two threads that read it at a time, one gets UNKNOWN.
one_at_a_time = threading.RLock()


class CouldNotStart(BrokenProcessPool):
    """A worker process could not be started."""


class WorkerProcess(ForkServerProcess):
    """A process that does not import the caller's script; any thread may read its exit code."""

    def __init__(self, started: "list[WorkerProcess]", *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._started = started
        self._hidden = contextlib.ExitStack()

    def start(self) -> None:
        """Start it, and add it to the started ones. Raises CouldNotStart."""
        with one_at_a_time, sigint_blocked(), _allowed_children(), self._hidden:
            try:
                start_fork_server()
                self._hidden.enter_context(hidden_main())
                self._hidden.enter_context(open_start_method())
                super().start()
            except (OSError, EOFError) as error:
                raise CouldNotStart(f"a worker process could not start: {fork_server_end() or error}") from error
            self._started.append(self)

    def __getstate__(self) -> dict[str, Any]:
        """What the process is made from; pickle asks for it once the data about `__main__` has been put together."""
        self._hidden.close()  # now: the start itself may wait for the fork server's imports
        return {name: value for name, value in vars(self).items() if name not in ("_hidden", "_started")}

    @property
    def exitcode(self) -> int | None:
        """The exit code, a signal's number below 0, None while it runs."""
        with one_at_a_time:
            return super().exitcode

    def is_alive(self) -> bool:
        """Whether it runs."""
        with one_at_a_time:
            return super().is_alive()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended."""
        connection.wait([self.sentinel], timeout)
        with one_at_a_time:
            super().join(0)


@contextlib.contextmanager
def _allowed_children() -> Iterator[None]:
    """Let a daemonic process, such as a Dask worker, start children in the block.

    multiprocessing forbids that, since they could outlive it; a WorkerProcess ends with its parent.
    """
    this = multiprocessing.current_process()
    daemonic = this.daemon
    if daemonic:
        this.daemon = False
    try:
        yield
    finally:
        if daemonic:
            this.daemon = True
