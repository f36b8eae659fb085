"""The Prefect flow: which step is which task, with which name and retries; the whole policy is in one block below.

Prefect can load it by its path too, `flows/build.py:build_image_dataset`, and puts this folder first on sys.path for that, as
Python does for `python flows/build.py`. `import build` or `import retry` would find modules of this folder, not the user's or
PyPI's, so this folder is removed from the path, and the flow is the one of the real module, `imagerecords.flows.build`.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from importlib import import_module
from queue import SimpleQueue
from typing import Any, cast

if __name__ != "imagerecords.flows.build":  # before all other imports
    _here = os.path.dirname(os.path.realpath(__file__))
    sys.path[:] = [place for place in sys.path if os.path.realpath(place) != _here]

from prefect import flow
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.logging import get_run_logger
from prefect.logging.handlers import PrefectConsoleHandler
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.tasks import Task

from imagerecords.flows.arrivals import arrivals, nothing
from imagerecords.flows.executors.pool import Workers
from imagerecords.flows.pipeline import Pending, ShardStep, T, build_dataset, gather
from imagerecords.flows.prefect_ui.artifacts import ArtifactProgress, show_summary
from imagerecords.flows.prefect_ui.concurrency import output_slot
from imagerecords.flows.prefect_ui.events import announce_dataset
from imagerecords.flows.prefect_ui.heartbeat import heartbeat, tag_run
from imagerecords.flows.prefect_ui.parameters import run_name, settings_from, with_build_parameters
from imagerecords.flows.retry import JITTER, delays, is_worth_retrying
from imagerecords.flows.shard_groups import Finished, GroupFailed, ShardGroup, group_shards
from imagerecords.schemas.messages import plural
from imagerecords.schemas.plan import Shard
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.summary import BuildSummary
from imagerecords.tasks.append import append_images
from imagerecords.tasks.convert import convert_shard
from imagerecords.tasks.discover import discover_images
from imagerecords.tasks.duplicates import drop_duplicates
from imagerecords.tasks.group_near_duplicates import group_near_duplicates
from imagerecords.tasks.partition import partition_images
from imagerecords.tasks.prepare import prepare_output
from imagerecords.tasks.publish import publish_dataset
from imagerecords.tasks.records.tensorflow import check_with_tensorflow
from imagerecords.tasks.storage.folders import open_output
from imagerecords.tasks.validate import validate_shard


def on_workers(step: ShardStep[T]) -> Callable[[Shard, BuildSettings, Workers], T]:
    """The step as a task's body: the task run waits in a thread while a worker does the work."""

    def run(shard: Shard, settings: BuildSettings, workers: Workers) -> T:
        return workers.run(step, shard, settings)

    return run


def on_groups(step: ShardStep[T]) -> Callable[[ShardGroup[T], BuildSettings, Workers, Executor], None]:
    """The step as the body of a task for a group of shards, which the threads hand to the workers."""

    def run(shards: ShardGroup[T], settings: BuildSettings, workers: Workers, threads: Executor) -> None:
        shards.run(lambda shard: workers.run(step, shard, settings), threads)

    return run


async def should_retry(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed task run is tried again."""
    error = await state.aresult(raise_on_failure=False)
    if isinstance(error, GroupFailed) and error.__cause__ is not None:
        return is_worth_retrying(error.__cause__)
    return isinstance(error, BaseException) and is_worth_retrying(error)


# Receipts decide which shards are finished: Prefect's cache would report Cached for shards that were deleted.
# Retries are given, since PREFECT_TASKS_DEFAULT_RETRIES would try bad input again.
POLICY: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False, "retries": 0}
ON_WORKERS: dict[str, Any] = POLICY | {"retry_condition_fn": should_retry, "retry_jitter_factor": JITTER}
TASKS: dict[Callable[..., Any], Task[..., Any]] = {
    discover_images: Task(discover_images, name="discover", task_run_name="discover", **POLICY),
    drop_duplicates: Task(drop_duplicates, name="duplicates", task_run_name="duplicates", **POLICY),
    group_near_duplicates: Task(group_near_duplicates, name="near duplicates", task_run_name="near duplicates", **POLICY),
    partition_images: Task(partition_images, name="partition", task_run_name="partition", **POLICY),
    append_images: Task(append_images, name="append", task_run_name="append", **POLICY),
    prepare_output: Task(prepare_output, name="prepare", task_run_name="prepare {settings.output_directory}", **POLICY),
    convert_shard: Task(on_groups(convert_shard), name="convert", task_run_name="{shards.name}", **ON_WORKERS),
    validate_shard: Task(on_groups(validate_shard), name="validate", task_run_name="validate {shards.name}", **ON_WORKERS),
    check_with_tensorflow: Task(
        on_workers(check_with_tensorflow), name="tensorflow", task_run_name="tensorflow {shard.name}", **ON_WORKERS
    ),
    publish_dataset: Task(publish_dataset, name="publish", task_run_name="publish {settings.output_directory}", **POLICY),
}
# One thread more than workers, so that a free worker finds the next shard in the pool.
SPARE_THREADS = 1
REAL_NAME = "imagerecords.flows.build"
SUMMARY = "Build a verified TFRecord data set from labelled images, and report what became of each."

TaskThreads = ThreadPoolTaskRunner[Any]


class PrefectRunner:
    """Runs each step as a Prefect task run; shards, alone or in groups, as mapped task runs whose threads use the workers."""

    name = "prefect"

    def __init__(self, workers: Workers, tensorflow: Workers, runners: tuple[TaskThreads, TaskThreads]) -> None:
        self.workers = workers
        self.tensorflow = tensorflow
        self.runner, self.tensorflow_runner = runners
        self._before: list[Any] = []  # the state of the last step run, which the shards' tasks come after
        self._before_shard: dict[str, Any] = {}  # the future of a shard's last task

    def run(self, step: Callable[..., T], *args: Any) -> T:
        """Run the step's task in this thread."""
        state: Any = TASKS[step](*args, return_state=True)
        self._before = [state]
        return cast("T", state.result())

    def images_done(self) -> int:
        """The images that are done of the shards that the workers have in hand."""
        return self.workers.images_done()

    def map(
        self, step: ShardStep[T], shards: list[Shard], settings: BuildSettings, waiting: Callable[[], None] = nothing
    ) -> Iterator[T]:
        """Map the step's task over the shards, or over groups of them."""
        finished: Finished[T] = SimpleQueue()
        groups = group_shards(shards, settings.prefect_granularity, finished)
        threads = ThreadPoolExecutor(self.workers.count + SPARE_THREADS, thread_name_prefix="shards")
        try:
            before_shard: dict[str, Any] = {}
            for group in groups:
                of_workers = {"shards": group, "settings": settings, "workers": self.workers, "threads": threads}
                future = self._submit(self.runner, step, of_workers, settings, [shard.name for shard in group.shards])
                before_shard |= dict.fromkeys((shard.name for shard in group.shards), future)
                future.add_done_callback(partial(_close, group))
            self._before_shard = before_shard
            results = arrivals(finished, len(shards), waiting)
            yield from gather(results)
        except BaseException:
            self.workers.stop()  # the threads end by themselves: groups that begin later still need them
            raise
        threads.shutdown(wait=False)

    def start(self, step: ShardStep[T], shard: Shard, settings: BuildSettings) -> Pending[T]:
        """Submit the step's task, to run in TensorFlow's worker."""
        of_worker = {"shard": shard, "settings": settings, "workers": self.tensorflow}
        pending: Pending[T] = self._submit(self.tensorflow_runner, step, of_worker, settings, [shard.name])
        return pending

    def _submit(
        self,
        runner: TaskThreads,
        step: Callable[..., Any],
        parameters: dict[str, Any],
        settings: BuildSettings,
        names: list[str],
    ) -> Any:
        """The future of a task for the shards of these names; the run's graph shows what it comes after."""
        task = TASKS[step].with_options(retries=settings.retries, retry_delay_seconds=delays(settings.retries))
        before = {id(future): future for name in names if (future := self._before_shard.get(name)) is not None}
        return runner.submit(task, parameters, wait_for=list(before.values()) or self._before)


def _close(group: ShardGroup[Any], future: Any) -> None:
    """Hand on the errors of a group whose task run has ended."""
    error: BaseException | None = None
    try:
        future.result()
    except BaseException as caught:
        error = caught
    group.close(error)


def hide_console_tracebacks() -> None:
    """Show errors on the console as Prefect's one line; the API's log keeps their tracebacks."""

    def without_traceback(record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return True

    for handler in logging.getLogger().handlers:
        if isinstance(handler, PrefectConsoleHandler):  # the last handler that gets a record
            handler.addFilter(without_traceback)


@flow(name="build-image-dataset", description=SUMMARY, flow_run_name=run_name)
@with_build_parameters
def build_image_dataset(**parameters: Any) -> BuildSummary:
    """Build a verified TFRecord data set from labelled images, and report what became of each."""
    logger = get_run_logger()
    settings = settings_from(parameters)

    def report(summary: BuildSummary) -> None:
        for split in summary.splits:
            counts = f"{split.found:,} found, {split.written:,} written, rejected: {split.rejected or 'none'}"
            logger.info("%s: %s, %s", split.split, counts, plural(split.shards, "shard"))
        logger.info("%s in %.1f s, digest %s", summary.output_directory, summary.seconds, summary.digest)
        show_summary(logger, summary, open_output(settings))

    tag_run()
    with heartbeat():
        output = open_output(settings)
        with output_slot(output, settings.lock_stale_seconds, logger):
            workers, tensorflow = Workers(settings).warm_up(), Workers(settings, count=1)
            runners = TaskThreads(max_workers=workers.count + SPARE_THREADS), TaskThreads(max_workers=1)
            # The workers end first, which frees the threads that wait for them, so that the runners can end.
            with runners[0], runners[1], workers, tensorflow:
                runner = PrefectRunner(workers, tensorflow, runners)
                summary = build_dataset(settings, runner, ArtifactProgress(logger, report, output))
        announce_dataset(summary, settings)
    return summary


if __name__ not in (REAL_NAME, "__main__"):
    sys.modules.pop(__name__, None)  # Prefect's loader enters it as `build`, which is the name of a package on PyPI
    build_image_dataset = import_module(REAL_NAME).build_image_dataset

if __name__ == "__main__":
    from imagerecords.flows.command.app import run

    sys.exit(run(["build", "--prefect", *sys.argv[1:]]))
