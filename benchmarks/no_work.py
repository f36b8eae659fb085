"""Shards of no work through one executor and runner: python -m benchmarks.no_work EXECUTOR CONDUCTOR SHARDS.

Prints the seconds from the first shard's begin to the last one's end, and the peak memory of this process alone.
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
NO_WORK: Any = operator.is_  # of a shard and settings; a function that every worker can import


def measure(runner: Runner, workers: Workers, shards: int, settings: BuildSettings) -> float:
    """Seconds for all shards, on workers that are up."""
    for _ in range(2 * WORKERS):
        workers.run(NO_WORK, None, None)
    references = [Shard("train", number, shards, number, "") for number in range(shards)]
    began = time.monotonic()
    done = sum(1 for _ in runner.map(NO_WORK, references, settings))
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

    build.TASKS[NO_WORK] = Task(build.on_workers(NO_WORK), name="no-work", task_run_name="{shard.name}", **build.ON_WORKERS)

    @flow(name="no-work")
    def no_work() -> float:
        workers = Workers(settings)
        runner: build.Runner = build.Runner(max_workers=workers.count + build.SPARE_THREADS)
        with runner, workers:
            return measure(build.PrefectRunner(workers, workers, (runner, runner)), workers, shards, settings)

    return no_work()


def main() -> None:
    """Measure and print."""
    executor, runner, shards = sys.argv[1:]
    where = {"train_directory": "in", "output_directory": "out"}
    settings = BuildSettings.model_validate({**where, "executor": executor, "workers": WORKERS})
    seconds = {"direct": directly, "prefect": by_prefect}[runner](settings, int(shards))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts KiB
    print(json.dumps({"seconds": seconds, "peak_bytes": peak}))


if __name__ == "__main__":
    main()
