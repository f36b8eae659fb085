"""A shard that meets a failing disk under Prefect: tried again alone, and what it holds up when it never works.

The disk is real in that the kernel answers EIO: a file that leads to /proc/self/mem opens, and can't be read at its start.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from imagerecords.tasks.dataset.plan_file import read_whole_plan
from imagerecords.tasks.storage.folders import open_folder
from tests.acceptance.production import Installation
from tests.acceptance.running import Images, Running, Shell, receipts, shard_files, wait_until
from tests.digests import digests

pytest_plugins = ["tests.acceptance.production_fixtures"]
pytestmark = pytest.mark.usefixtures("dead_runs")

FAILS_TO_READ = Path("/proc/self/clear_refs")  # EINVAL; an EIO of one image is retried within its shard, and the image rejected
LAST = "train-00006-of-00007"


class FlakyDisk:
    """The slow images behind links, of which one of the last shard can be made to fail."""

    def __init__(self, images: Images, folder: Path) -> None:
        self.images = images
        self.train = folder / "train"
        for image in images.train.rglob("*.png"):
            link = self.train / image.relative_to(images.train)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(image)
        self.output = folder / "data"

    def arguments(self, retries: int) -> list[str]:
        return self.images.arguments(self.output, "--prefect", train_directory=self.train, retries=retries)

    def fail(self) -> Callable[[], None]:
        """Let an image of the last shard fail from now on; what is returned repairs it."""
        plan = read_whole_plan(open_folder(str(self.output), {}))
        path = next(rows["path"][0].as_py() for shard, rows in plan if shard.name == LAST)
        link, target = self.train / path, self.images.train / path
        _lead(link, FAILS_TO_READ)
        return lambda: _lead(link, target)


def _lead(link: Path, target: Path) -> None:
    """Make a link lead elsewhere, at once."""
    fresh = link.with_name(".fresh")
    fresh.symlink_to(target)
    fresh.rename(link)


def _attempts(installation: Installation, output: Path) -> dict[str, int]:
    """How often each shard's conversion was run in the newest run that builds an output."""
    run = installation.run_of(output)
    assert run is not None
    runs = installation.post("task_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
    return {task["name"]: task["run_count"] for task in runs if task["name"].startswith(("train-", "validation-"))}


def _begin(shell: Shell, installation: Installation, disk: FlakyDisk, retries: int) -> tuple[Running, Callable[[], None]]:
    build = shell.start(disk.arguments(retries), {"PREFECT_API_URL": installation.url})
    wait_until(lambda: receipts(disk.output), "a shard is done")
    repair = disk.fail()
    assert LAST not in receipts(disk.output), "the disk must fail before its shard is done"
    return build, repair


def test_only_the_shard_that_met_a_fault_is_tried_again(installation: Installation, shell: Shell, slow: Images, tmp_path: Path):
    disk = FlakyDisk(slow, tmp_path)
    build, repair = _begin(shell, installation, disk, retries=8)
    wait_until(lambda: "Invalid argument" in build.stderr, "the error is reported")
    repair()
    assert build.wait() == 0, build.stderr
    assert [digests(disk.output)[path.name] for path in shard_files(disk.output)] == [
        slow.undisturbed.digests[path.name] for path in shard_files(slow.undisturbed.folder)
    ]
    attempts = _attempts(installation, disk.output)
    assert attempts.pop(LAST) > 1
    assert Counter(attempts.values()) == {1: slow.shards - 1}


def test_a_shard_that_fails_to_the_last_fails_the_run_and_costs_the_rerun_nothing_but_itself(
    installation: Installation, shell: Shell, slow: Images, tmp_path: Path
):
    disk = FlakyDisk(slow, tmp_path)
    build, repair = _begin(shell, installation, disk, retries=1)
    assert build.wait() == 1
    last = build.last_word
    assert last.startswith(f"imagerecords: error: 1 of {slow.shards} shards failed. First: {LAST}")
    assert "Invalid argument" in last
    assert len(receipts(disk.output)) == slow.shards - 1, "all others are done in spite of it"
    run = installation.run_of(disk.output)
    assert run is not None
    assert run["state_name"] == "Failed"
    assert LAST in run["state"]["message"]
    repair()
    rerun = shell.run(disk.arguments(retries=1), {"PREFECT_API_URL": installation.url})
    assert (rerun.summary["shards_reused"], rerun.summary["shards_converted"]) == (slow.shards - 1, 1)
