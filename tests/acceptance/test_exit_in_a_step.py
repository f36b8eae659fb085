"""A step that calls sys.exit, or takes its process down, must not leave anybody waiting for it."""

from pathlib import Path

import pytest

from tests.acceptance.running import Shell

STEPS = """
import os, sys
from imagerecords.schemas.current_image import begin_image

def leave(shard, settings):
    if shard.index == 1:
        sys.exit(3)
    return shard.name

def fall(shard, settings):
    if shard.index == 1:
        os._exit(3)
    return shard.name

def die_at(shard, settings):
    begin_image(shard.name, f"cat/{shard.index}.jpg")
    if shard.index == 1 and not shard.killers:
        os._exit(9)
    return f"{shard.index}:{','.join(shard.killers)}"
"""

ON_WORKERS = """
import sys
from steps import fall, leave
from imagerecords.flows.executors.pool import Workers
from imagerecords.schemas.errors import ShardFailed, WorkerDied
from imagerecords.schemas.plan import Shard
from imagerecords.schemas.settings import BuildSettings

if __name__ == "__main__":
    settings = BuildSettings(data_directory="in", output_directory="out", executor=sys.argv[1], workers=2)
    step = {"leave": leave, "fall": fall}[sys.argv[2]]
    with Workers(settings) as workers:
        try:
            workers.run(step, Shard("train", 1, 3, range(1), ""), settings)
        except (ShardFailed, WorkerDied) as error:
            print(type(error).__name__, error)
        print("then", workers.run(step, Shard("train", 2, 3, range(1), ""), settings))
"""

DYING = """
import sys
from steps import die_at
from imagerecords.flows.direct import DirectRunner
from imagerecords.flows.executors.pool import Workers
from imagerecords.schemas.errors import ShardFailed
from imagerecords.schemas.plan import Shard
from imagerecords.schemas.settings import BuildSettings

if __name__ == "__main__":
    settings = BuildSettings(data_directory="in", output_directory="out", workers=2, retries=1, fatal_images=sys.argv[1])
    with Workers(settings) as workers:
        runner = DirectRunner(workers, workers, print)
        try:
            print(*sorted(runner.map(die_at, [Shard("train", index, 4, range(1), "") for index in range(4)], settings)))
        except ShardFailed as error:
            print("ShardFailed", error)
"""

RUN_PIPELINE = """
import sys
from steps import leave
from imagerecords.flows.executors.pool import Workers
from imagerecords.schemas.errors import ShardFailed
from imagerecords.schemas.plan import Shard
from imagerecords.schemas.settings import BuildSettings

def run_pipeline(runner, settings):
    done = []
    try:
        for name in runner.map(leave, [Shard("train", index, 4, range(1), "") for index in range(4)], settings):
            done.append(name)
    except ShardFailed as error:
        print("ShardFailed", error)
    print("done", *sorted(done))

def directly(settings):
    from imagerecords.flows.direct import DirectRunner
    with Workers(settings) as workers, Workers(settings, count=1) as tensorflow:
        run_pipeline(DirectRunner(workers, tensorflow, print), settings)

def by_prefect(settings):
    from imagerecords.flows import build
    from prefect import flow
    from prefect.tasks import Task

    build.TASKS[leave] = Task(build.on_groups(leave), name="leave", task_run_name="{shards.name}", **build.ON_WORKERS)

    @flow(name="leaving")
    def leaving():
        workers, tensorflow = Workers(settings), Workers(settings, count=1)
        runners = build.TaskThreads(max_workers=3), build.TaskThreads(max_workers=1)
        with runners[0], runners[1], workers, tensorflow:
            run_pipeline(build.PrefectRunner(workers, tensorflow, runners), settings)

    leaving()

if __name__ == "__main__":
    settings = BuildSettings(data_directory="in", output_directory="out", executor=sys.argv[2], workers=2)
    {"directly": directly, "by_prefect": by_prefect}[sys.argv[1]](settings)
"""


def _run(shell: Shell, program: str, *words: str, environment: dict[str, str] | None = None) -> str:
    """What a program prints that has the module `steps` at hand."""
    (shell.folder / "steps.py").write_text(STEPS)
    path: Path = shell.folder / "program.py"
    path.write_text(program)
    running = shell.start_program([shell.python, str(path), *words], (environment or {}) | {"PYTHONPATH": str(shell.folder)})
    assert running.wait() == 0, running.stderr
    return running.stdout


@pytest.mark.parametrize("executor", ["processes", "threads", "dask"])
def test_a_step_that_calls_exit_fails_its_shard_and_leaves_the_workers_usable(executor: str, shell: Shell):
    said = _run(shell, ON_WORKERS, executor, "leave").splitlines()
    assert said[0] == "ShardFailed a step called sys.exit(3); it must return or raise"
    assert said[1] == "then train-00002-of-00003"


def test_a_step_that_takes_its_process_down_is_told_apart_and_leaves_the_workers_usable(shell: Shell):
    said = _run(shell, ON_WORKERS, "processes", "fall").splitlines()
    assert said[0] == "WorkerDied a worker process died while running a step: exit code 3"
    assert said[1] == "then train-00002-of-00003"


def test_the_image_at_which_a_worker_died_is_named(shell: Shell):
    said = _run(shell, DYING, "fail")
    assert "WorkerDied: a worker process died while running a step, at cat/1.jpg: exit code 9; trying again" in said
    assert "ShardFailed" in said


def test_an_image_at_which_workers_die_is_rejected_when_a_setting_says_so(shell: Shell):
    assert _run(shell, DYING, "reject").splitlines() == ["0: 1:cat/1.jpg 2: 3:"]


@pytest.mark.parametrize("executor", ["processes", "threads", "dask"])
@pytest.mark.parametrize("runner", ["directly", "by_prefect"])
def test_a_step_that_calls_exit_does_not_hang_a_build(runner: str, executor: str, shell: Shell, request: pytest.FixtureRequest):
    server = {"PREFECT_API_URL": request.getfixturevalue("prefect_server")} if runner == "by_prefect" else {}
    said = _run(shell, RUN_PIPELINE, runner, executor, environment=server)
    assert "ShardFailed 1 of 4 shards failed. First: train-00001-of-00004" in said
    assert "sys.exit(3)" in said
    assert "done train-00000-of-00004 train-00002-of-00004 train-00003-of-00004" in said
