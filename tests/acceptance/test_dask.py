"""Shards on a Dask cluster: a scheduler and workers of their own, with nothing but the wheel, in another directory."""

import contextlib
import shutil
import signal
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest

from imagerecords.schemas.version import VERSION
from tests.acceptance.installed import ROOT, make_environment
from tests.acceptance.running import (
    Images,
    Running,
    Shell,
    alive,
    clean_environment,
    free_port,
    leftovers,
    receipts,
    wait_until,
)
from tests.acceptance.seaweed import Bucket, OnS3, environment, same_data
from tests.digests import digests


class Cluster:
    """A scheduler and workers, each a process of its own without a nanny, so that a dead one stays dead."""

    def __init__(self, bin_directory: Path, folder: Path, **more: str) -> None:
        self.bin = bin_directory
        self.folder = folder
        self.address = f"tcp://127.0.0.1:{free_port()}"
        self.environment = clean_environment(folder) | {"TMPDIR": str(folder / "tmp")} | more
        self.workers: list[Running] = []
        (folder / "tmp").mkdir()
        self.scheduler = self._start(self.bin, "scheduler", "--host", self.address, "--no-dashboard")
        wait_until(lambda: "Scheduler at" in self.scheduler.stderr, "the scheduler is up")

    def _start(self, bin_directory: Path, *words: str, **more: str) -> Running:
        return Running([str(bin_directory / "dask"), *words], self.environment | more, self.folder)

    def add_worker(self, bin_directory: Path | None = None, **more: str) -> Running:
        words = ("worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard")
        worker = self._start(bin_directory or self.bin, *words, **more)
        self.workers.append(worker)
        wait_until(lambda: "Registered to" in worker.stderr, "the worker has registered")
        return worker

    def busy(self) -> Running | None:
        """A worker in the middle of a shard, seen by the unfinished file that it holds open."""
        for worker in self.workers:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                files = [Path(file.path).name for file in psutil.Process(worker.pid).open_files()]
                if any(name.startswith(("train-", "validation-")) for name in files):
                    return worker
        return None

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.end()


@pytest.fixture
def lone_scheduler(installed: Path, tmp_path: Path) -> Iterator[Cluster]:
    (tmp_path / "cluster").mkdir()
    cluster = Cluster(installed, tmp_path / "cluster")
    yield cluster
    cluster.end()


@pytest.fixture
def cluster(lone_scheduler: Cluster) -> Cluster:
    for _ in range(2):
        lone_scheduler.add_worker()
    return lone_scheduler


def _words(images: Images, cluster: Cluster, output: object, *flags: str, **more: object) -> list[str]:
    """A build on a cluster, with as many shards at once as it has threads."""
    words = images.arguments(output, *flags, executor="dask", dask_address=cluster.address, **more)
    place = words.index("--workers")
    return words[:place] + words[place + 2 :]


@pytest.fixture
def cluster_on_s3(installed: Path, tmp_path: Path, bucket: Bucket) -> Iterator[Cluster]:
    """Workers know of the S3 server and its keys by their own environment."""
    (tmp_path / "cluster").mkdir()
    cluster = Cluster(installed, tmp_path / "cluster", **environment(bucket.endpoint))
    for _ in range(2):
        cluster.add_worker()
    yield cluster
    cluster.end()


def test_a_build_from_s3_to_s3_gives_the_bytes_of_a_local_one(
    on_s3: Shell, quick_on_s3: OnS3, cluster_on_s3: Cluster, bucket: Bucket
):
    places = {"train_directory": quick_on_s3.train, "validation_directory": quick_on_s3.validation}
    words = _words(quick_on_s3.images, cluster_on_s3, bucket.url("out"), "--no-prefect", tensorflow_check="sample", **places)
    build = on_s3.run(words)
    undisturbed = quick_on_s3.images.undisturbed
    assert undisturbed is not None
    assert build.summary["digest"] == undisturbed.digest
    same_data(bucket.digests("out"), quick_on_s3.images)
    assert not list((cluster_on_s3.folder / "tmp").rglob("*-of-*")), "unfinished files must not stay"
    assert all(worker.process.poll() is None for worker in cluster_on_s3.workers), "a cluster that was there stays"


def _but_receipts(files: dict[str, str]) -> dict[str, str]:
    """All files but the receipts, which have the versions of the decoders of these workers' own environment."""
    return {name: digest for name, digest in files.items() if not name.startswith("_build/receipts/")}


@pytest.fixture(params=["--no-prefect", "--prefect"])
def runner(request: pytest.FixtureRequest, shell: Shell) -> str:
    """The flag of a runner; Prefect's has a server."""
    if request.param == "--prefect":
        shell.environment["PREFECT_API_URL"] = request.getfixturevalue("prefect_server")
    flag: str = request.param
    return flag


def test_a_worker_killed_in_mid_shard_changes_no_byte(
    runner: str, on_s3: Shell, slow: Images, cluster_on_s3: Cluster, bucket: Bucket
):
    build = on_s3.start(_words(slow, cluster_on_s3, bucket.url("out"), runner))
    wait_until(cluster_on_s3.busy, "a worker is in the middle of a shard").end()
    assert build.wait() == 0, build.stderr
    assert _but_receipts(bucket.digests("out")) == _but_receipts(slow.undisturbed.digests)


def test_a_shard_that_dask_gives_up_is_tried_again(shell: Shell, slow: Images, installed: Path, tmp_path: Path):
    (tmp_path / "strict").mkdir()
    strict = Cluster(installed, tmp_path / "strict", DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
    try:
        for _ in range(2):
            strict.add_worker()
        build = shell.start(_words(slow, strict, tmp_path / "data", "--no-prefect"))
        wait_until(strict.busy, "a worker is in the middle of a shard").end()
        assert build.wait() == 0, build.stderr
    finally:
        strict.end()
    assert "WorkerDied" in build.stderr
    assert _but_receipts(digests(tmp_path / "data")) == _but_receipts(slow.undisturbed.digests)


def test_ctrl_c_stops_the_work_in_the_workers_and_leaves_the_cluster_usable(
    shell: Shell, slow: Images, cluster: Cluster, tmp_path: Path
):
    build = shell.start(_words(slow, cluster, tmp_path / "data", "--no-prefect"))
    wait_until(cluster.busy, "a worker is in the middle of a shard")
    build.signal_group(signal.SIGINT)
    assert build.wait() == 130, build.stderr
    wait_until(lambda: not cluster.busy(), "the workers have stopped")
    left = digests(tmp_path / "data")
    assert len(receipts(tmp_path / "data")) < slow.shards
    rerun = shell.run(_words(slow, cluster, tmp_path / "data", "--no-prefect"))
    assert rerun.summary["shards_reused"] == sum(name.startswith("_build/receipts/") for name in left)
    assert _but_receipts(digests(tmp_path / "data")) == _but_receipts(slow.undisturbed.digests)


def test_a_killed_build_leaves_no_work_in_the_workers_and_a_rerun_gives_the_same_bytes(
    shell: Shell, slow: Images, cluster: Cluster, tmp_path: Path
):
    build = shell.start(_words(slow, cluster, tmp_path / "data", "--no-prefect"))
    wait_until(cluster.busy, "a worker is in the middle of a shard")
    build.end()
    wait_until(lambda: not cluster.busy(), "the workers have stopped")
    assert len(receipts(tmp_path / "data")) < slow.shards
    shell.run(_words(slow, cluster, tmp_path / "data", "--no-prefect"))
    assert _but_receipts(digests(tmp_path / "data")) == _but_receipts(slow.undisturbed.digests)
    assert not leftovers(tmp_path / "data")


def test_a_scheduler_that_goes_away_fails_the_build_in_one_line(shell: Shell, slow: Images, cluster: Cluster, tmp_path: Path):
    soon = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "2s"}
    build = shell.start(_words(slow, cluster, tmp_path / "data", "--no-prefect"), soon)
    wait_until(cluster.busy, "a worker is in the middle of a shard")
    cluster.scheduler.end()
    assert build.wait() == 1
    assert "imagerecords: error: " in build.last_word
    assert "finished shards are reused" in build.last_word
    assert not leftovers(tmp_path / "data")


def test_a_worker_with_another_version_is_refused_before_anything_is_written(
    shell: Shell, quick: Images, cluster: Cluster, tmp_path: Path
):
    other = tmp_path / "other"
    shutil.copytree(ROOT / "imagerecords", other / "imagerecords")  # follows the links
    (other / "imagerecords/schemas/version.py").write_text('VERSION = "0.0.9"\n')
    worker = cluster.add_worker(PYTHONPATH=str(other))
    build = shell.start(_words(quick, cluster, tmp_path / "data", "--no-prefect"))
    assert build.wait() == 2
    last = build.last_word
    assert last.startswith(
        f"imagerecords: error: scheduler and workers must have imagerecords {VERSION}, as here, got 0.0.9 on"
    )
    assert not (tmp_path / "data").exists()
    worker.end()
    shell.run(_words(quick, cluster, tmp_path / "data", "--no-prefect"))


def test_a_worker_without_the_package_is_refused_too(shell: Shell, quick: Images, cluster: Cluster, tmp_path: Path):
    make_environment(tmp_path / "venv", f"distributed=={version('distributed')}")
    cluster.add_worker(tmp_path / "venv/bin")
    build = shell.start(_words(quick, cluster, tmp_path / "data", "--no-prefect"))
    assert build.wait() == 2
    assert f"must have imagerecords {VERSION}, as here, got none on tcp://" in build.last_word
    assert not (tmp_path / "data").exists()


def test_an_address_without_a_scheduler_is_told_in_one_line(shell: Shell, quick: Images, tmp_path: Path):
    soon = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "1s"}
    address = f"tcp://127.0.0.1:{free_port()}"
    words = quick.arguments(tmp_path / "data", "--no-prefect", executor="dask", dask_address=address)
    build = shell.start(words, soon)
    assert build.wait() == 2
    assert "dask_address must be a scheduler that answers" in build.last_word


def test_a_worker_that_joins_later_works_too(shell: Shell, slow: Images, lone_scheduler: Cluster, tmp_path: Path):
    """With a number of workers given, the build does not wait for the first."""
    words = slow.arguments(tmp_path / "data", "--no-prefect", executor="dask", dask_address=lone_scheduler.address)
    build = shell.start(words)
    wait_until((tmp_path / "data/_build/plan.parquet").exists, "the work begins")
    lone_scheduler.add_worker()
    assert build.wait() == 0, build.stderr
    assert _but_receipts(digests(tmp_path / "data")) == _but_receipts(slow.undisturbed.digests)


def test_a_cluster_of_its_own_gives_the_same_bytes_and_leaves_no_process(shell: Shell, slow: Images, tmp_path: Path):
    build = shell.start(slow.arguments(tmp_path / "data", "--no-prefect", executor="dask"))
    wait_until(lambda: receipts(tmp_path / "data"), "a shard is done")
    family = build.descendants
    assert len(family) >= 3, "a resource tracker and two workers"
    assert build.wait() == 0, build.stderr
    assert _but_receipts(digests(tmp_path / "data")) == _but_receipts(slow.undisturbed.digests)
    wait_until(lambda: not alive(family), "no process of the build is left")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_cluster_of_its_own_ends_with_the_build(number: signal.Signals, shell: Shell, slow: Images, tmp_path: Path):
    build = shell.start(slow.arguments(tmp_path / "data", "--no-prefect", executor="dask"))
    wait_until(lambda: receipts(tmp_path / "data"), "a shard is done")
    family = build.descendants
    if number == signal.SIGINT:
        build.signal_group(number)
    else:
        build.process.send_signal(number)
    assert build.wait() in {130, -signal.SIGKILL}, build.stderr
    if number == signal.SIGINT:  # after a SIGKILL Dask's workers may report the broken connection before they end
        assert "Traceback" not in build.stderr
    wait_until(lambda: not alive(family), "no process of the build is left")
    shell.run(slow.arguments(tmp_path / "data", "--no-prefect"))
    assert _but_receipts(digests(tmp_path / "data")) == _but_receipts(slow.undisturbed.digests)
