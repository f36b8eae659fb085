"""The direct runner: steps run in the calling process, shards on its workers, without Prefect."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from imagerecords.flows.arrivals import arrivals, nothing
from imagerecords.flows.executors.pool import Workers
from imagerecords.flows.pipeline import Pending, ShardStep, T, build_dataset, gather
from imagerecords.flows.progress import Progress
from imagerecords.flows.retry import delays, is_worth_retrying, jittered
from imagerecords.schemas.plan import Shard
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.summary import BuildSummary


class DirectRunner:
    """Runs steps one after the other; threads hand shards to the workers, and again after an error that a retry may cure."""

    name = "direct"

    def __init__(self, workers: Workers, tensorflow: Workers, log: Callable[[str], None]) -> None:
        self.workers = workers
        self.tensorflow = tensorflow
        self._log = log

    def run(self, step: Callable[..., T], *args: Any) -> T:
        """Call the step."""
        return step(*args)

    def images_done(self) -> int:
        """The images that are done of the shards that the workers have in hand."""
        return self.workers.images_done()

    def map(
        self, step: ShardStep[T], shards: list[Shard], settings: BuildSettings, waiting: Callable[[], None] = nothing
    ) -> Iterator[T]:
        """Run the step for each shard, on one thread more than workers: a free worker then finds the next shard in the pool."""
        threads = ThreadPoolExecutor(self.workers.count + 1, thread_name_prefix="runner")
        finished: SimpleQueue[Future[T]] = SimpleQueue()
        futures = {threads.submit(self._attempt, self.workers, step, shard, settings): shard for shard in shards}
        for future in futures:
            future.add_done_callback(finished.put)
        try:
            yield from gather((futures[future], future) for future in arrivals(finished, len(shards), waiting))
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            self.workers.stop()
            raise
        finally:
            threads.shutdown(wait=True)

    def start(self, step: ShardStep[T], shard: Shard, settings: BuildSettings) -> Pending[T]:
        """Begin the step in TensorFlow's worker, from a daemon thread, which does not delay the end of the program."""
        future: Future[T] = Future()

        def work() -> None:
            try:
                future.set_result(self._attempt(self.tensorflow, step, shard, settings))
            except BaseException as error:  # result() raises it
                future.set_exception(error)

        threading.Thread(target=work, name="tensorflow", daemon=True).start()
        return future

    def _attempt(self, workers: Workers, step: ShardStep[T], shard: Shard, settings: BuildSettings) -> T:
        for delay in delays(settings.retries):
            try:
                return workers.run(step, shard, settings)
            except Exception as error:
                if not is_worth_retrying(error):
                    raise
                self._log(f"{shard.name}: {type(error).__name__}: {error}; trying again")
                workers.wait(jittered(delay))
        return workers.run(step, shard, settings)


def build_directly(settings: BuildSettings, progress: Progress) -> BuildSummary:
    """Build without Prefect and return the summary."""
    with Workers(settings).warm_up() as workers, Workers(settings, count=1) as tensorflow:
        return build_dataset(settings, DirectRunner(workers, tensorflow, progress.note), progress)
