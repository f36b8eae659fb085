"""Groups of shards: one Prefect task run for each, whose shards run side by side; a retry runs only those that failed."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, as_completed
from queue import SimpleQueue
from typing import Generic, TypeVar

from imagerecords.flows.retry import is_final, is_storage_gone, is_worth_retrying
from imagerecords.schemas.messages import plural
from imagerecords.schemas.plan import Shard

T = TypeVar("T")

# With `auto`, the most shards that get a task run each. A Prefect server on SQLite keeps up with these.
MOST_SHARDS = 500
GROUPS = 100  # task runs of a step beyond that

Finished = SimpleQueue[tuple[Shard, Future[T]]]


class GroupFailed(Exception):
    """Several shards of a group failed. The cause is the first one's error, of one worth another try where there is one."""


class ShardGroup(Generic[T]):
    """Shards that one task run handles; each result goes into `finished` when it is ready.

    An error that another try may cure goes there when the task run has made its last one.
    """

    def __init__(self, shards: list[Shard], finished: Finished[T]) -> None:
        first, last = shards[0].name, shards[-1].name
        self.shards = tuple(shards)
        self.name = first if len(shards) == 1 else f"{first} to {last} ({plural(len(shards), 'shard')})"
        self._finished = finished
        self._left = {shard.name: shard for shard in shards}
        self._errors: dict[str, BaseException] = {}

    def run(self, call: Callable[[Shard], T], threads: Executor) -> None:
        """Run the shards that are left, on the threads. Raises one shard's error, or GroupFailed, after all others are done.

        Storage that does not answer stops the group: each other shard would wait as long.
        """
        self._errors = {}
        stop = threading.Event()

        def attempt(shard: Shard) -> None:
            if stop.is_set():
                return
            future: Future[T] = Future()
            try:
                future.set_result(call(shard))
            except Exception as error:
                self._errors[shard.name] = error
                if is_storage_gone(error) or is_final(error):
                    stop.set()
                if is_worth_retrying(error):
                    return
                future.set_exception(error)
            self._finish(shard, future)

        if len(self.shards) == 1:
            attempt(self.shards[0])
        else:
            for done in as_completed([threads.submit(attempt, shard) for shard in tuple(self._left.values())]):
                done.result()
        if self._errors:
            self._fail()

    def close(self, error: BaseException | None) -> None:
        """Hand on the errors of what is left, after the last try; `error` is the task run's."""
        for name, shard in tuple(self._left.items()):
            future: Future[T] = Future()
            future.set_exception(self._errors.get(name) or error or GroupFailed(f"{self.name} ended without a result"))
            self._finish(shard, future)

    def _finish(self, shard: Shard, future: Future[T]) -> None:
        del self._left[shard.name]
        self._finished.put((shard, future))

    def _fail(self) -> None:
        name, error = min(self._errors.items(), key=lambda item: (not is_worth_retrying(item[1]), item[0]))
        if len(self._errors) == 1 or len(self.shards) == 1:
            raise error
        count = f"{len(self._errors):,} of {plural(len(self.shards), 'shard')}"
        raise GroupFailed(f"{count} failed. First: {name}: {type(error).__name__}: {error}") from error


def group_shards(shards: list[Shard], granularity: str, finished: Finished[T]) -> list[ShardGroup[T]]:
    """The shards in groups, in their order, as the setting prefect_granularity asks."""
    size = 1
    if granularity == "step":
        size = len(shards)
    elif granularity == "group" or (granularity == "auto" and len(shards) > MOST_SHARDS):
        size = -(-len(shards) // GROUPS)
    return [ShardGroup(shards[at : at + size], finished) for at in range(0, len(shards), max(1, size))]
