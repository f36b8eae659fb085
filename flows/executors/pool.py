"""The workers that run steps: an executor behind one call, rebuilt when a worker dies.

A ProcessPoolExecutor is broken for good once one worker dies, and every step that is running fails. The next call here gets a
new pool, so a dead worker costs each running shard one retry.
"""

import contextlib
import importlib.util
import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from dataclasses import replace
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from imagerecords.flows.executors.fork_server import PRELOAD
from imagerecords.flows.executors.processes import ProcessPool
from imagerecords.flows.executors.thread_pool import Threads
from imagerecords.schemas.errors import BadSettings, Interrupted, ShardFailed, WorkerDied
from imagerecords.schemas.plan import Shard
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.storage.processors import usable_processors
from imagerecords.tasks.storage.scratch import temporary_directory

P = ParamSpec("P")
T = TypeVar("T")

# What a step does, for error messages; keyed by name, so that this module imports no step.
DOING = {
    "convert_shard": "converting a shard",
    "validate_shard": "reading a shard back",
    "check_with_tensorflow": "checking a shard with TensorFlow",
}
MOST_KILLERS = 10  # images that are rejected since workers died at them; more are a sign that the machine is too small
GRACE_SECONDS = 2.0  # between asking a worker to end and killing it
# The fork server's socket is in the temporary directory as pymp-xxxxxxxx/listener-xxxxxxxx; Linux takes 107 bytes in all.
LONGEST_TEMPORARY = 107 - len("/pymp-xxxxxxxx/listener-xxxxxxxx")


def make_processes(settings: BuildSettings, count: int, stop: threading.Event) -> Executor:
    """A pool of processes."""
    temporary = temporary_directory()
    if len(os.fsencode(temporary)) > LONGEST_TEMPORARY:
        raise BadSettings(
            f"the temporary directory's path must have at most {LONGEST_TEMPORARY} bytes, for a socket in it, got "
            f"{len(os.fsencode(temporary))}: {temporary}. Set TMPDIR to a shorter one, or pass --executor threads"
        )
    modules = [PRELOAD] + ["imagerecords.flows.executors.preload_s3"] * settings.is_on_s3
    try:
        return ProcessPool(count, modules)
    except OSError as error:  # their semaphores lie in /dev/shm, their socket in the temporary directory
        raise BadSettings(
            f"worker processes must have /dev/shm and a temporary directory that can be written, got {error.strerror}. Make "
            "them writable (TMPDIR names another temporary directory), or pass --executor threads"
        ) from error


def make_threads(settings: BuildSettings, count: int, stop: threading.Event) -> Executor:
    """A pool of threads, whose steps end soon after `stop` is set."""
    return Threads(count, stop)


def make_dask(settings: BuildSettings, count: int, stop: threading.Event) -> Executor:
    """A Dask cluster: the one at `dask_address`, or `count` processes here."""
    if importlib.util.find_spec("distributed") is None:
        raise BadSettings(
            "distributed is not installed, which executor=dask needs. Install it: pip install 'imagerecords[dask]'"
        )
    from imagerecords.flows.executors.dask_cluster import connect

    return connect(settings, count)


EXECUTORS: dict[str, Callable[[BuildSettings, int, threading.Event], Executor]] = {
    "processes": make_processes,
    "threads": make_threads,
    "dask": make_dask,
}


class Workers:
    """`count` workers on the executor that the settings name; leaving the `with` block ends them, immediately after an error.

    Without `count` the settings decide, else the number of the cluster's threads or of the machine's processors. With `count`
    the workers are on this machine, never on a cluster, so that TensorFlow's 600 MB are freed with the build.
    """

    def __init__(self, settings: BuildSettings, count: int | None = None) -> None:
        self._settings = settings
        self._make = EXECUTORS["processes" if count and settings.executor == "dask" else settings.executor]
        self._stop = threading.Event()
        self._guard = threading.Lock()
        self._generation = 0
        self._deaths: Counter[tuple[str, str]] = Counter()  # by shard and image
        self.count = count or settings.workers or usable_processors()
        self._executor = self._make(settings, self.count, self._stop)
        if not (count or settings.workers):
            self.count = getattr(self._executor, "threads", self.count)

    def warm_up(self) -> Self:
        """Start the workers in the background, while the input is listed."""

        def first_submit() -> None:
            with contextlib.suppress(OSError, EOFError, RuntimeError):  # stopped meanwhile
                self._executor.submit(os.getpid)

        # A thread, since the first submit blocks until the fork server has done its imports.
        threading.Thread(target=first_submit, name="warm-up", daemon=True).start()
        return self

    def run(self, step: Callable[..., T], *args: Any) -> T:
        """Run `step` on one of the workers and return what it returns.

        Raises what the step raises; WorkerDied when its process ended; Interrupted when the workers were stopped. With
        fatal_images=reject, a death at an image is no error: that image is rejected after its last try.
        """
        while True:
            try:
                return self._run_once(step, *self._without_killers(args))
            except WorkerDied as death:
                if self._settings.fatal_images == "fail" or not death.image:
                    raise
                if args and getattr(args[0], "name", "") == death.shard:  # the other shards only shared the pool
                    self._deaths[death.shard, death.image] += 1
                if len(self._killers()) > MOST_KILLERS:
                    raise

    def _killers(self) -> list[tuple[str, str]]:
        return [image for image, deaths in self._deaths.items() if deaths > self._settings.retries]

    def _without_killers(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """A step's arguments; its shard lists the images that are rejected since workers died at them."""
        if not self._deaths or not args or not isinstance(args[0], Shard):
            return args
        paths = tuple(path for shard, path in self._killers() if shard == args[0].name)
        return (replace(args[0], killers=paths), *args[1:])

    def _run_once(self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        executor: Any  # a process pool or Dask, which list the errors of a lost worker; threads have none
        with self._guard:
            executor, generation = self._executor, self._generation
        if self._stop.is_set():
            raise Interrupted("the build was stopped")
        try:
            future: Future[T] = executor.submit(step, *args, **kwargs)
            return future.result()
        except SystemExit as error:  # would end this thread silently, and its future would never resolve
            raise ShardFailed(f"a step called sys.exit({error.code!r}); it must return or raise") from error
        except Exception as error:
            worker_lost_errors = getattr(executor, "worker_lost_errors", ())
            if self._stop.is_set() and isinstance(error, (BrokenExecutor, CancelledError, RuntimeError, *worker_lost_errors)):
                raise Interrupted("the build was stopped") from error
            if not isinstance(error, worker_lost_errors):
                raise
            if isinstance(executor, ProcessPool):
                self._rebuild(generation)
            text = executor.describe_death(error, DOING.get(step.__name__, "running a step"))
            raise WorkerDied(text, *(executor.image_in_hand() if isinstance(executor, ProcessPool) else ())) from error

    def images_done(self) -> int:
        """The images that are done of the shards that workers have in hand."""
        executor: Any = self._executor  # each of EXECUTORS counts them
        return int(executor.images_done())

    def wait(self, seconds: float) -> None:
        """Wait before another try; ends early when the workers are stopped."""
        self._stop.wait(seconds)

    def stop(self) -> None:
        """End all workers immediately: running steps are lost, and every call of `run` raises Interrupted."""
        self._stop.set()
        with self._guard:
            executor = self._executor
        processes = list(executor.started) if isinstance(executor, ProcessPool) else []
        for process in processes:
            process.terminate()
        executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.join(GRACE_SECONDS)
            if process.is_alive():
                process.kill()
        if not processes:
            executor.shutdown(wait=True)

    def _rebuild(self, broken: int) -> None:
        with self._guard:
            if self._generation == broken:
                self._executor.shutdown(wait=False, cancel_futures=True)
                self._executor = self._make(self._settings, self.count, self._stop)
                self._generation += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if error is None:
            with contextlib.suppress(OSError):
                self._executor.shutdown(wait=True)
        else:
            self.stop()
