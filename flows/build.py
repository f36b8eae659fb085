"""The Prefect flow: which step is which task, with which name and retries; the whole policy stands in one block below."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from prefect import flow, task, unmapped
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.futures import as_completed
from prefect.logging import get_run_logger
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.tasks import Task

from flows.order import Pending, ShardStep, T, build_dataset, gather
from flows.progress import LineProgress
from flows.retry import JITTER, delays, is_worth_retrying
from flows.workers import Workers
from schemas.plan import Shard
from schemas.settings import BuildSettings
from schemas.summary import BuildSummary
from tasks.convert import convert_shard
from tasks.discover import discover_images
from tasks.partition import partition_images
from tasks.prepare import prepare_output
from tasks.publish import publish_dataset
from tasks.tensorflow_check import check_with_tensorflow
from tasks.validate import validate_shard


def on_workers(step: ShardStep[T]) -> Callable[[Shard, BuildSettings, Workers], T]:
    """The step as a task's body: the task run waits in a thread while a worker does the work."""

    def run(shard: Shard, settings: BuildSettings, workers: Workers) -> T:
        return workers.run(step, shard, settings)

    return run


async def retry_on_fault(task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed task run is tried again."""
    error = await state.aresult(raise_on_failure=False)
    return isinstance(error, BaseException) and is_worth_retrying(error)


# Resume is ours, from receipts: Prefect's cache would say Cached with the outputs deleted.
POLICY: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}
SHARD_POLICY: dict[str, Any] = POLICY | {"retry_condition_fn": retry_on_fault, "retry_jitter_factor": JITTER}
TASKS: dict[Callable[..., Any], Task[..., Any]] = {
    discover_images: task(discover_images, name="discover", task_run_name="discover", **POLICY),
    partition_images: task(partition_images, name="partition", task_run_name="partition", **POLICY),
    prepare_output: task(prepare_output, name="prepare", task_run_name="prepare {settings.output_directory}", **POLICY),
    convert_shard: task(on_workers(convert_shard), name="convert", task_run_name="{shard.name}", **SHARD_POLICY),
    validate_shard: task(on_workers(validate_shard), name="validate", task_run_name="validate {shard.name}", **SHARD_POLICY),
    check_with_tensorflow: task(
        on_workers(check_with_tensorflow), name="tensorflow", task_run_name="tensorflow {shard.name}", **SHARD_POLICY
    ),
    publish_dataset: task(publish_dataset, name="publish", task_run_name="publish {settings.output_directory}", **POLICY),
}


class PrefectConductor:
    """Runs each step as a Prefect task run; shards as mapped ones, on threads that hand them to the workers."""

    name = "prefect"

    def __init__(self, workers: Workers, tensorflow: Workers, runner: ThreadPoolTaskRunner) -> None:
        self.workers = workers
        self.tensorflow = tensorflow
        self.runner = runner

    def run(self, step: Callable[..., T], *args: Any) -> T:
        """Run the step's task in this thread."""
        result: T = TASKS[step](*args)
        return result

    def map(self, step: ShardStep[T], shards: list[Shard], settings: BuildSettings) -> Iterator[T]:
        """Map the step's task over the shards."""
        if not shards:
            return
        parameters = {"shard": shards, "settings": unmapped(settings), "workers": unmapped(self.workers)}
        futures = self.runner.map(_with_retries(TASKS[step], settings), parameters)
        of = dict(zip(futures, shards, strict=True))
        try:
            yield from gather((of[future], future) for future in as_completed(list(futures)))
        except BaseException:
            self.workers.stop()
            raise

    def start(self, step: ShardStep[T], shard: Shard, settings: BuildSettings) -> Pending[T]:
        """Submit the step's task, to run in TensorFlow's worker."""
        parameters = {"shard": shard, "settings": settings, "workers": self.tensorflow}
        return self.runner.submit(_with_retries(TASKS[step], settings), parameters)


def _with_retries(task: Task[..., Any], settings: BuildSettings) -> Task[..., Any]:
    return task.with_options(retries=settings.retries, retry_delay_seconds=delays(settings.retries))


@flow(name="build-image-dataset", flow_run_name="build {settings.output_directory}", persist_result=False)
def build_image_dataset(settings: BuildSettings) -> BuildSummary:
    """Build a verified TFRecord data set from labelled image folders, and say what became of every image."""
    logger = get_run_logger()

    def report(summary: BuildSummary) -> None:
        took = timedelta(seconds=round(summary.seconds))
        for split in summary.splits:
            logger.info("%s: %d found, %d written, %s rejected, %d shards", split.split, split.found, split.written,
                        split.rejected or "none", split.shards)
        logger.info("%s in %s, digest %s", summary.output_directory, took, summary.digest)

    with (
        Workers(settings).warm_up() as workers,
        Workers(settings, count=1) as tensorflow,
        ThreadPoolTaskRunner(max_workers=workers.count + 2) as runner,
    ):
        return build_dataset(settings, PrefectConductor(workers, tensorflow, runner), LineProgress(logger.info, report))
