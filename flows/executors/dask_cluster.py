"""Shards on a Dask cluster, through distributed's own executor; this module alone imports distributed.

When a worker dies, Dask gives its shards to another one, up to `distributed.scheduler.allowed-failures` times (3); after that
the build's own retries count. Scheduler and workers import the steps by name: each needs the same wheel.

A step in a remote worker can't be killed. When its build has ended and its worker is still connected, it stops at its
next image. A worker without a connection finishes the step but publishes nothing, since the output's lock no longer names its
build.

Workers report how many images of a shard are done as events of the scheduler, at most one per second and shard.
"""

import contextlib
import itertools
import pkgutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from typing import Any, ParamSpec, TypeVar

from distributed import Client, KilledWorker, LocalCluster, Nanny, get_worker
from distributed.client import ClosedClientError
from distributed.comm.core import CommClosedError
from distributed.core import Status

from imagerecords.flows.executors.signals import hidden_main, sigint_blocked
from imagerecords.schemas.cancellation import stop_when
from imagerecords.schemas.current_image import DoneImages, report_images
from imagerecords.schemas.errors import BadSettings, ShardFailed
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.version import VERSION

P = ParamSpec("P")
T = TypeVar("T")

FIRST_WORKER_SECONDS = 60
CLOSE_SECONDS = 5.0
EVENTS = "imagerecords-images"  # the topic of the scheduler's events
SECONDS_BETWEEN_EVENTS = 1.0
VERSION_ATTRIBUTE = "imagerecords.schemas.version:VERSION"


class DaskExecutor(Executor):
    """A cluster as an executor with `threads` at the start; shutting it down leaves the cluster, or ends a local one."""

    # The errors of a worker that died, or whose result was lost.
    worker_lost_errors = (KilledWorker, CancelledError, CommClosedError)

    def __init__(self, client: Client, cluster: LocalCluster | None, address: str | None) -> None:
        self.threads: int = sum(client.nthreads().values())
        self._client = client
        self._cluster = cluster
        self._at = f" at {address}" if address else ""
        self._executor = client.get_executor(pure=False)
        self._ended = False
        self._numbers = itertools.count()
        self._done: dict[int, int] = {}  # images of the shards in hand, by the number of the step
        client.subscribe_topic(EVENTS, self._count)

    def submit(self, step: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a worker run the step."""
        if self._client.status == "closed" and not self._ended:
            raise ShardFailed(
                f"lost the connection to the Dask scheduler{self._at}. Run the build again when it is up: finished shards are "
                "reused"
            )
        number = next(self._numbers)
        self._done[number] = 0
        future: Future[T] = self._executor.submit(run_until_cancelled, (self._client.id, number), step, *args, **kwargs)
        future.add_done_callback(lambda _: self._done.pop(number, None))
        return future

    def images_done(self) -> int:
        """The images that are done of the shards in hand, as of the last events."""
        return sum(tuple(self._done.values()))

    def _count(self, event: tuple[float, Any]) -> None:
        """Note what an event reports, of a step of this build that has not ended."""
        _, (build, number, done) = event
        if build == self._client.id and number in self._done:
            self._done[number] = done

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Disconnect from the cluster, or end a local one; queued steps are cancelled unless `wait` is set."""
        if self._ended:
            return
        self._ended = True
        with contextlib.suppress(OSError, CancelledError, ClosedClientError):  # the cluster may be gone already
            self._executor.shutdown(wait=wait and not cancel_futures)
        _close(self._client, self._cluster)

    def describe_death(self, error: BaseException, doing: str) -> str:
        """The text of the error for a lost worker; only its nanny knows the exit code."""
        return f"a Dask worker died or was lost while {doing}: {str(error).partition('. ')[0] or type(error).__name__}"


class _Cancelled:
    """A flag that is set once the scheduler has dropped this thread's task: cancelled, or its client has disconnected."""

    def __init__(self) -> None:
        worker = get_worker()
        self._tasks = worker.state.tasks
        self._key = worker.get_current_task()

    def is_set(self) -> bool:
        """Whether to stop."""
        task = self._tasks.get(self._key)
        return task is None or task.state == "cancelled"


class NannyWithoutScript(Nanny):
    """A nanny whose worker processes, restarted ones too, don't import the caller's script."""

    async def instantiate(self) -> Status:
        """Start a worker process; until it is up, a second or two, the script is hidden from the whole process."""
        with hidden_main():
            return await super().instantiate()


class _Events:
    """Reports to the build, by events, how many images of the step in hand are done."""

    def __init__(self, build: str, number: int) -> None:
        self._worker = get_worker()
        self._step = build, number
        self._images = DoneImages()
        self._last = time.monotonic()

    def begin(self, shard: str, path: str) -> None:
        """Count the image that is begun."""
        done = self._images.begin(shard, path)
        if time.monotonic() - self._last >= SECONDS_BETWEEN_EVENTS:
            self._last = time.monotonic()
            self._worker.log_event(EVENTS, (*self._step, done))


def run_until_cancelled(number: tuple[str, int], step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `step` returns, in a Dask worker's thread; `number` is the build's client and the step's number there."""
    stop_when(_Cancelled())
    report_images(_Events(*number).begin)
    try:
        return step(*args, **kwargs)
    except SystemExit as error:  # Dask would end the worker, and the next one that is given the step
        raise ShardFailed(f"a step called sys.exit({error.code!r}); it must return or raise") from error


def connect(settings: BuildSettings, count: int) -> DaskExecutor:
    """Connect to the cluster at `dask_address`, or start one of `count` processes on this machine.

    Raises BadSettings when the scheduler does not answer, has no worker, or another version of imagerecords is installed there.
    """
    with contextlib.ExitStack() as undo:
        cluster = None if settings.dask_address else _start_local(count)
        if cluster is not None:
            undo.callback(cluster.close, CLOSE_SECONDS)
        client = _client(settings.dask_address or cluster)
        undo.callback(client.close, CLOSE_SECONDS)
        if settings.workers is None:
            _wait_for_a_worker(client)
        _refuse_other_versions(client)
        executor = DaskExecutor(client, cluster, settings.dask_address)
        undo.pop_all()
    return executor


def _start_local(count: int) -> LocalCluster:
    with sigint_blocked():
        return LocalCluster(
            n_workers=count, threads_per_worker=1, processes=True, dashboard_address=None, worker_class=NannyWithoutScript
        )


def _client(where: str | LocalCluster | None) -> Client:
    try:
        return Client(where, asynchronous=False, set_as_default=False, name="imagerecords")
    except (OSError, ValueError) as error:
        raise BadSettings(
            f"dask_address must be a scheduler that answers, got {where} ({error}). Start `dask scheduler` there"
        ) from error


def _wait_for_a_worker(client: Client) -> None:
    try:
        client.wait_for_workers(1, timeout=FIRST_WORKER_SECONDS)
    except TimeoutError as error:
        raise BadSettings(
            f"no worker joined the Dask cluster within {FIRST_WORKER_SECONDS} s. Start `dask worker`, or pass --workers where "
            "the cluster starts workers on demand"
        ) from error


def _refuse_other_versions(client: Client) -> None:
    """Raise BadSettings unless scheduler and workers have this version; convert checks workers that join later."""
    wrong = sorted(f"{found} on {place}" for place, found in _versions(client) if found != VERSION)
    if wrong:
        raise BadSettings(
            f"scheduler and workers must have imagerecords {VERSION}, as here, got {', '.join(wrong)}. Install the same "
            "wheel in their environments"
        )


def _versions(client: Client) -> Iterator[tuple[str, object]]:
    # A function of the standard library can be sent to a worker without imagerecords.
    answers = client.run(pkgutil.resolve_name, VERSION_ATTRIBUTE, on_error="return")
    try:
        answers["the scheduler"] = client.run_on_scheduler(pkgutil.resolve_name, VERSION_ATTRIBUTE)
    except (ImportError, AttributeError) as error:
        answers["the scheduler"] = error
    for place, found in answers.items():
        if isinstance(found, (ImportError, AttributeError)):
            yield place, "none"
        elif not isinstance(found, OSError):  # a worker that is shutting down
            yield place, found


def _close(client: Client, cluster: LocalCluster | None) -> None:
    with contextlib.suppress(OSError):  # TimeoutError too: the cluster may be gone
        client.close(CLOSE_SECONDS)
    if cluster is not None:
        with contextlib.suppress(OSError):
            cluster.close(CLOSE_SECONDS)
