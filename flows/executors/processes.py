"""The pool of worker processes: how they start, what they inherit, and how one died.

They are forked from multiprocessing's fork server, which has no threads and holds no locks. It is started once per process and
shared by all of its pools. Its path, working directory and environment may be out of date by the second build, so each worker
gets its parent's current ones.
"""

import contextlib
import functools
import importlib
import multiprocessing
import os
import signal
import struct
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.reduction import DupFd
from typing import Any, ParamSpec, TypeVar

from imagerecords.flows.executors.signals import clean_path, environment, hidden_main, open_start_method, sigint_blocked
from imagerecords.schemas.current_image import DoneImages, report_images

P = ParamSpec("P")
T = TypeVar("T")

PRELOAD = "imagerecords.flows.executors.preload"
LONGEST_REPORT = 500  # characters: with a pipe's 64 KiB, a hundred workers can fail without one that waits for a reader
# multiprocessing's exit code of a process whose real one was lost with the fork server.
UNKNOWN = 255
PLACE = 4096  # bytes of a worker's place in the file of images in hand, which starts at its process id times this
COUNT = struct.Struct("<q")  # at the beginning of a place: the images that are done of the shard in hand
SECONDS_TO_END = 0.5  # between a fork server's closed connection and its end

# multiprocessing lets each exit code be read once; of two threads that read it at a time, one gets UNKNOWN.
_one_at_a_time = threading.RLock()


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
        with _one_at_a_time, sigint_blocked(), _allowed_children(), self._hidden:
            try:
                start_fork_server()
                self._hidden.enter_context(hidden_main())
                self._hidden.enter_context(open_start_method())
                super().start()
            except (OSError, EOFError) as error:
                raise CouldNotStart(f"a worker process could not start: {_fork_server_end() or error}") from error
            self._started.append(self)

    def __getstate__(self) -> dict[str, Any]:
        """What the process is made from; pickle asks for it once the data about `__main__` has been put together."""
        self._hidden.close()  # now: the start itself may wait for the fork server's imports
        return {name: value for name, value in vars(self).items() if name not in ("_hidden", "_started")}

    @property
    def exitcode(self) -> int | None:
        """The exit code, a signal's number below 0, None while it runs."""
        with _one_at_a_time:
            return super().exitcode

    def is_alive(self) -> bool:
        """Whether it runs."""
        with _one_at_a_time:
            return super().is_alive()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended."""
        connection.wait([self.sentinel], timeout)
        with _one_at_a_time:
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
            return f"a worker process's answer could not be read while {doing}: {_last_line(str(error.__cause__))}"
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
        with _one_at_a_time:
            dead = {process.pid: code for process in self.started if (code := process.exitcode) is not None}
        # After the first death the pool ends all other workers by SIGTERM.
        of_itself = [(pid, code) for pid, code in dead.items() if code != -signal.SIGTERM]
        return next(iter(of_itself or dead.items()), (None, None))

    def _begun(self) -> set[int]:
        """The process ids of the workers that were ready for a first step."""
        with _one_at_a_time:
            while self._reports.poll():
                pid, trouble = self._reports.recv()
                self._reported[pid] = trouble
            return {pid for pid, trouble in self._reported.items() if not trouble}


class SharedFile:
    """An open file that a worker process gets with its start."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Callable[[Any], "SharedFile"], tuple[Any]]:
        """Pass the file's own number on in the child."""
        return _received, (DupFd(self.number),)


def _received(file: Any) -> SharedFile:
    return SharedFile(file.detach())


def start_fork_server(modules: list[str] | None = None) -> None:
    """Start multiprocessing's servers where they do not run yet, with these modules; returns before their imports are done.

    A fork server ignores Ctrl-C only after its imports, so it inherits a mask that blocks it.
    """
    if modules is not None:
        forkserver.set_forkserver_preload(modules)
    with clean_path(), sigint_blocked(), open_start_method():
        forkserver.ensure_running()


def kill_fork_server() -> None:
    """Kill the fork server, where one runs; its workers have ended."""
    if pid := _fork_server_pid():
        os.kill(pid, signal.SIGKILL)


def _fork_server_pid() -> int | None:
    pid: int | None = getattr(getattr(forkserver, "_forkserver", None), "_forkserver_pid", None)
    return pid


def begin_worker(
    report: "connection.Connection[Any, Any]", images: SharedFile, variables: dict[str, str], modules: list[str]
) -> None:
    """Set a worker process up and report that it has begun; the fork server has usually done its imports.

    The parent alone handles Ctrl-C, and a worker never outlives its parent.
    """
    os.environ.clear()
    os.environ.update(variables)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    report_images(functools.partial(_record_image, images.number, DoneImages()))
    trouble = ""
    try:
        for module in modules:
            importlib.import_module(module)
        threading.Thread(target=_end_with_parent, name="parent watch", daemon=True).start()
    except Exception as error:
        trouble = _last_line("".join(traceback.format_exception_only(error)))
    with contextlib.suppress(OSError):  # the parent has just ended
        report.send((os.getpid(), trouble))
        if not trouble:
            return
    os._exit(1)


def _record_image(file: int, done: DoneImages, shard: str, path: str) -> None:
    text = COUNT.pack(done.begin(shard, path)) + os.fsencode(f"{shard}\0{path}"[: PLACE // 4])
    with contextlib.suppress(OSError):  # a full disk: the image would be neither named nor counted
        os.pwrite(file, text.ljust(PLACE if not path else len(text) + 1, b"\0"), os.getpid() * PLACE)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()  # watching getppid() would see the fork server
    os._exit(1)


def describe_exit(code: int | None) -> str:
    """The text for an exit code, such as "exit code -11 (SIGSEGV)"."""
    if code is None or code == UNKNOWN:
        return "exit code unknown"
    if code >= 0:
        return f"exit code {code}" + ("; its own output is above" if code == 1 else "")
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"exit code {code} ({name})" + (": killed, perhaps out of memory" if code == -signal.SIGKILL else "")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip(" '")]
    return (lines or ["no reason given"])[-1][:LONGEST_REPORT]


def _fork_server_end() -> str:
    """How the fork server died, "" when it runs or Python does not report it."""
    pid = _fork_server_pid()
    until = time.monotonic() + SECONDS_TO_END
    with contextlib.suppress(OSError):
        while pid and time.monotonic() < until:
            # Not reaped here: multiprocessing does that when it starts the next one.
            if ended := os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
                code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
                return f"its fork server died: {describe_exit(code)}"
            time.sleep(0.01)
    return ""
