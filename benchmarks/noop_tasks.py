"""Shards without work through one executor and runner: python -m benchmarks.noop_tasks EXECUTOR RUNNER SHARDS [GRANULARITY].

Prints the seconds from the first shard's start to the last one's end, and the peak memory of this process.
"""

import json
import operator
import resource
import sys
import time
from typing import Any

from imagerecords.flows.direct import DirectRunner
from imagerecords.flows.executors.pool import Workers
from imagerecords.flows.pipeline import Runner
from imagerecords.schemas.plan import Shard
from imagerecords.schemas.settings import BuildSettings

WORKERS = 2
NOOP: Any = operator.is_  # called with a shard and settings; every worker can import it


def measure(runner: Runner, workers: Workers, shards: int, settings: BuildSettings) -> float:
    """Seconds for all shards, on workers that are already running."""
    for _ in range(2 * WORKERS):
        workers.run(NOOP, None, None)
    references = [Shard("train", number, shards, range(1), "") for number in range(shards)]
    began = time.monotonic()
    done = sum(1 for _ in runner.map(NOOP, references, settings))
    seconds = time.monotonic() - began
    if done != shards:
        raise SystemExit(f"error: {shards} shards must be done, got {done}")
    return seconds


def directly(settings: BuildSettings, shards: int) -> float:
    """Seconds without Prefect."""
    with Workers(settings) as workers:
        return measure(DirectRunner(workers, workers, print), workers, shards, settings)


def by_prefect(settings: BuildSettings, shards: int) -> float:
    """Seconds as task runs of a flow."""
    from prefect import flow
    from prefect.tasks import Task

    from imagerecords.flows import build

    build.TASKS[NOOP] = Task(build.on_groups(NOOP), name="noop-tasks", task_run_name="{shards.name}", **build.ON_WORKERS)

    @flow(name="noop-tasks")
    def noop_tasks() -> float:
        workers = Workers(settings)
        threads = build.TaskThreads(max_workers=workers.count + build.SPARE_THREADS)
        with threads, workers:
            return measure(build.PrefectRunner(workers, workers, (threads, threads)), workers, shards, settings)

    return noop_tasks()


def main() -> None:
    """Measure and print."""
    executor, runner, shards, *granularity = sys.argv[1:]
    where = {"train_directory": "in", "output_directory": "out"}
    settings = BuildSettings.model_validate(
        {**where, "executor": executor, "workers": WORKERS} | ({"prefect_granularity": granularity[0]} if granularity else {})
    )
    seconds = {"direct": directly, "prefect": by_prefect}[runner](settings, int(shards))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts KiB
    print(json.dumps({"seconds": seconds, "peak_bytes": peak}))


if __name__ == "__main__":
    main()
