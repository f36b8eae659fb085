"""Data sets that grow, killed at any moment and run again: the same bytes as an append that was not interrupted."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.running import (
    Images,
    Shell,
    Undisturbed,
    clean_environment,
    receipts,
    seeded_moments,
    wait_until,
)
from tests.acceptance.seaweed import Bucket
from tests.digests import digests

pytestmark = pytest.mark.usefixtures("killed_under_prefect")

OLD, NEW = 16, 3  # train shards before the append, and added by it


@dataclass(frozen=True)
class Growing:
    """A data set, images that it does not have yet, and an append of them that went well."""

    base: Path
    append: list[str]
    undisturbed: Undisturbed

    def arguments(self, output: object, runner: str = "--no-prefect") -> list[str]:
        """The command line of the append."""
        return [*self.append, runner, "--output_directory", str(output)]

    def copy(self, output: Path) -> Path:
        """The data set as it was before the append."""
        return Path(shutil.copytree(self.base, output))


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory, prefect_home: Path, quick: Images, slow: Images) -> Growing:
    """Many small old shards, so that renaming them takes a while, and new images that take long to convert."""
    folder = tmp_path_factory.mktemp("growing")
    shell = Shell(folder, clean_environment(prefect_home))
    train = Path(shutil.copytree(quick.train, folder / "train"))
    words = ["build", "--json", "--append", "--no-report", "--workers", "2", "--train_directory", str(train)]
    try:
        shell.run([*words, "--no-prefect", "--output_directory", str(folder / "base"), "--train_shards", str(OLD)])
        for path in sorted(slow.train.rglob("*.png"))[::9]:
            shutil.copy2(path, train / path.parent.name)
        growing = Growing(folder / "base", [*words, "--train_shards", str(NEW)], Undisturbed(folder / "data", {}, "", 0.0))
        output = growing.copy(folder / "data")
        build = shell.run(growing.arguments(output))
        undisturbed = Undisturbed(output, digests(output), build.summary["digest"], time.monotonic() - build.began)
    finally:
        shell.end()
    return Growing(growing.base, growing.append, undisturbed)


@pytest.fixture(scope="module")
def killed_under_prefect(
    tmp_path_factory: pytest.TempPathFactory, prefect_home: Path, growing: Growing, prefect_server: str
) -> Path:
    """The output of an append under Prefect that was killed before all other tests here.

    A rerun waits until the dead run's slot is free, a minute after its last heartbeat; that time passes during the other tests.
    """
    folder = tmp_path_factory.mktemp("killed")
    shell = Shell(folder, clean_environment(prefect_home) | {"PREFECT_API_URL": prefect_server})
    output = growing.copy(folder / "data")
    try:
        append = shell.start(growing.arguments(output, "--prefect"))
        wait_until(lambda: any(output.glob(_named(OLD + NEW))), "the first shard is renamed")
        append.kill()
    finally:
        shell.end()
    return output


def _named(count: int) -> str:
    return f"*-of-{count:05d}"


def _finish_and_compare(shell: Shell, growing: Growing, output: Path) -> None:
    rerun = shell.run(growing.arguments(output))
    assert digests(output) == growing.undisturbed.digests
    assert rerun.summary["digest"] == growing.undisturbed.digest
    assert rerun.summary["shards_reused"] >= OLD


def test_an_append_changes_no_byte_of_an_old_shard(growing: Growing):
    before, after = (
        {name.partition("-of-")[0]: digest for name, digest in files.items() if name.startswith("train-")}
        for files in (digests(growing.base), growing.undisturbed.digests)
    )
    assert len(before) == OLD
    assert len(after) == OLD + NEW
    assert before.items() <= after.items()


@pytest.mark.parametrize("moment", seeded_moments(4), ids=lambda moment: f"{moment:.0%}")
def test_a_killed_append_is_finished_by_a_rerun_with_the_same_bytes(
    moment: float, shell: Shell, growing: Growing, tmp_path: Path
):
    output = growing.copy(tmp_path / "data")
    append = shell.start(growing.arguments(output))
    append.kill_at(moment, growing.undisturbed.seconds)
    _finish_and_compare(shell, growing, output)


STATES: dict[str, Callable[[Path], bool]] = {
    # what an output looks like in the middle of each phase
    "the first shard is renamed": lambda output: any(output.glob(_named(OLD + NEW))),
    "half of them are renamed": lambda output: len(list(output.glob(_named(OLD + NEW)))) >= OLD // 2,
    "all are renamed": lambda output: not any(output.glob(_named(OLD))),
    "a new shard is done": lambda output: len(receipts(output)) > OLD,
}


@pytest.mark.parametrize("state", STATES)
def test_an_append_killed_in_each_of_its_phases_is_finished_by_a_rerun(
    state: str, shell: Shell, growing: Growing, tmp_path: Path
):
    output = growing.copy(tmp_path / "data")
    append = shell.start(growing.arguments(output))
    wait_until(lambda: STATES[state](output), state)
    append.kill()
    assert not (output / "dataset_info.json").exists(), "a data set is not complete before its append has ended"
    _finish_and_compare(shell, growing, output)


STATES_ON_S3: dict[str, Callable[[list[str]], bool]] = {
    # what the keys of an output look like in the middle of each phase
    "half of the shards are renamed": lambda keys: _top(keys, OLD + NEW) >= OLD // 2,
    "a new shard is done": lambda keys: any(f"receipts/train-{OLD:05d}-" in key for key in keys),
}


def _top(keys: list[str], count: int) -> int:
    return sum("/" not in key and key.endswith(f"-of-{count:05d}") for key in keys)


@pytest.mark.parametrize("state", STATES_ON_S3)
def test_an_append_on_s3_killed_in_each_of_its_phases_is_finished_with_the_bytes_of_a_local_one(
    state: str, on_s3: Shell, growing: Growing, bucket: Bucket
):
    bucket.put(growing.base, "data")
    url = bucket.url("data")
    append = on_s3.start(growing.arguments(url))
    wait_until(lambda: STATES_ON_S3[state](bucket.keys("data")), state)
    append.kill()
    assert "dataset_info.json" not in bucket.keys("data")
    on_s3.run(growing.arguments(url))
    assert bucket.digests("data") == growing.undisturbed.digests


def test_an_append_under_prefect_killed_and_finished_gives_the_same_bytes(
    shell: Shell, growing: Growing, killed_under_prefect: Path, prefect_server: str
):
    shell.run(growing.arguments(killed_under_prefect, "--prefect"), {"PREFECT_API_URL": prefect_server})
    assert digests(killed_under_prefect) == growing.undisturbed.digests
