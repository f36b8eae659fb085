"""The pool of worker processes: its steps, the images that its workers have in hand, and how one died.

They are forked from multiprocessing's fork server, which has no threads and holds no locks. It is started once per process and
shared by all of its pools. Its path, working directory and environment may be out of date by the second build, so each worker
gets its parent's current ones.
"""

import contextlib
import functools
import os
import signal
import tempfile
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import ForkServerContext
from typing import Any, ParamSpec, TypeVar

from imagerecords.flows.executors.fork_server import describe_exit, start_fork_server
from imagerecords.flows.executors.signals import environment
from imagerecords.flows.executors.worker_process import CouldNotStart, WorkerProcess, one_at_a_time
from imagerecords.flows.executors.worker_start import COUNT, PLACE, SharedFile, begin_worker, last_line

P = ParamSpec("P")
T = TypeVar("T")


class _Processes(dict[int, Any]):
    """A pool's workers: one thread lists them when one died, while another may start one, which ended the first (3.11)."""

    def values(self) -> Any:
        return list(super().values())


class ProcessPool(ProcessPoolExecutor):
    """`count` worker processes that have imported `modules`; it is broken for good once one of them dies."""

    # What a call of `submit`, or its future, raises when a worker died; what was queued is cancelled.
    worker_lost_errors = (BrokenProcessPool, CancelledError)

    def __init__(self, count: int, modules: list[str]) -> None:
        context = ForkServerContext()
        context.set_forkserver_preload(modules)
        start_fork_server()
        self.started: list[WorkerProcess] = []
        untyped: Any = context
        untyped.Process = functools.partial(WorkerProcess, self.started)
        self._reports, report = context.Pipe(duplex=False)
        self._reported: dict[int, str] = {}
        self._failed_start = ""
        self._images = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the pool, when nothing refers to it)
        begin = report, SharedFile(self._images.fileno()), environment(), modules
        super().__init__(count, mp_context=context, initializer=begin_worker, initargs=begin)
        self._processes = _Processes()  # before the first worker, and the thread that watches them

    def submit(self, step: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a worker run the step; starts the fork server and a worker when there is none for it. Raises CouldNotStart.

        The base class wakes the thread that watches for dead workers and only then starts a new one (to Python 3.13 at least),
        so it is woken again: else the death of the newest worker would be noticed with the next result only, perhaps never.
        """
        try:
            future = super().submit(step, *args, **kwargs)
        except CouldNotStart as error:
            self._failed_start = str(error)
            raise
        wakeup = getattr(self, "_executor_manager_thread_wakeup", None)
        if wakeup is not None:
            with contextlib.suppress(OSError):  # the pool has just been shut down
                wakeup.wakeup()
        return future

    def describe_death(self, error: BaseException, doing: str) -> str:
        """The text of the error for the dead worker that broke the pool."""
        if self._failed_start:
            return self._failed_start
        if error.__cause__ is not None:  # no worker died
            return f"a worker process's answer could not be read while {doing}: {last_line(str(error.__cause__))}"
        pid, code = self._first_dead()
        if pid in self._begun():
            _, path = self.image_in_hand()
            return f"a worker process died while {doing}{path and f', at {path}'}: {describe_exit(code)}"
        return f"a worker process could not start: {self._reported.get(pid or 0) or describe_exit(code)}"

    def image_in_hand(self) -> tuple[str, str]:
        """Shard and path of the image at which the first dead worker died; empty where it had none in hand."""
        pid, _ = self._first_dead()
        found = os.pread(self._images.fileno(), PLACE - COUNT.size, pid * PLACE + COUNT.size) if pid else b""
        shard, _, path = found.rstrip(b"\0").partition(b"\0")
        return os.fsdecode(shard), os.fsdecode(path)

    def images_done(self) -> int:
        """The images that are done of the shards in hand."""
        places = [process.pid * PLACE for process in tuple(self.started) if process.pid]
        found = (os.pread(self._images.fileno(), COUNT.size, place) for place in places)
        return sum(COUNT.unpack(count)[0] for count in found if len(count) == COUNT.size)

    def _first_dead(self) -> tuple[int | None, int | None]:
        """Process id and exit code of the worker that died first."""
        with one_at_a_time:
            dead = {process.pid: code for process in self.started if (code := process.exitcode) is not None}
        # After the first death the pool ends all other workers by SIGTERM.
        of_itself = [(pid, code) for pid, code in dead.items() if code != -signal.SIGTERM]
        return next(iter(of_itself or dead.items()), (None, None))

    def _begun(self) -> set[int]:
        """The process ids of the workers that were ready for a first step."""
        with one_at_a_time:
            while self._reports.poll():
                pid, trouble = self._reports.recv()
                self._reported[pid] = trouble
            return {pid for pid, trouble in self._reported.items() if not trouble}
