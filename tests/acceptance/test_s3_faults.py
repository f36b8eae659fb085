"""An S3 server that fails in the middle of a build: the build continues, or ends cleanly and a rerun finishes; same bytes."""

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.faulty_proxy import Faults, FaultyProxy
from tests.acceptance.running import Images, Running, Shell, clean_environment, seeded_moments, wait_until
from tests.acceptance.seaweed import Bucket, OnS3, Seaweed, same_data

AWAY_SECONDS = 20.0
STOPPED_SECONDS = 10.0


@dataclass(frozen=True)
class Interrupted:
    """A build whose server failed in its middle and is back, and the command line that finishes it."""

    build: Running
    bucket: Bucket
    words: list[str]
    lived_on: bool


@pytest.fixture(scope="module")
def interrupted(slow: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Interrupted]]:
    """Two builds, each with a server of its own: one is killed and started again, the other is stopped and continued.

    Both at once, since the builds wait most of the time.
    """
    folder = tmp_path_factory.mktemp("interrupted")
    shell = Shell(folder, clean_environment(Path("/nowhere")))
    servers = {name: Seaweed(folder / name) for name in ("killed", "stopped")}
    try:
        places = {name: put(server, slow) for name, server in servers.items()}
        builds = {name: shell.start(words, bucket.environment) for name, (bucket, words) in places.items()}
        for name, interrupt in {"killed": servers["killed"].kill, "stopped": servers["stopped"].stop}.items():
            wait_until(lambda name=name: has_a_shard(places[name][0]), "a shard is done")
            interrupt()
        time.sleep(STOPPED_SECONDS)
        servers["stopped"].go_on()
        time.sleep(AWAY_SECONDS - STOPPED_SECONDS)
        lived_on = {name: build.process.poll() is None for name, build in builds.items()}
        servers["killed"].start()
        yield {name: Interrupted(builds[name], *places[name], lived_on[name]) for name in servers}
    finally:
        shell.end()
        for server in servers.values():
            server.go_on()
            server.kill()


def put(server: Seaweed, images: Images) -> tuple[Bucket, list[str]]:
    """Put the images on a server; the command line of a build from there to there."""
    bucket = server.bucket("data")
    bucket.put(images.train, "in/train")
    bucket.put(images.validation, "in/validation")
    return bucket, OnS3(images, bucket.url("in/train"), bucket.url("in/validation")).arguments(bucket.url("out"))


def has_a_shard(bucket: Bucket) -> bool:
    return any(key.startswith("_build/receipts/") for key in bucket.keys("out"))


def finish(shell: Shell, interrupted: Interrupted, images: Images) -> None:
    """The build has continued, or has ended cleanly and a rerun finishes; the data are those of an uninterrupted build."""
    build, bucket, words = interrupted.build, interrupted.bucket, interrupted.words
    code = build.wait()
    assert code in {0, 1}, build.stderr
    if code:
        assert build.last_word.startswith("imagerecords: error: ")
        assert "dataset_info.json" not in bucket.keys("out")
        shell.run([*words, "--lock_stale_seconds", "1"], bucket.environment)
    same_data(bucket.digests("out"), images)
    assert bucket.unfinished_uploads() == []


def test_a_server_killed_in_mid_build_and_started_again_costs_at_most_a_rerun(
    shell: Shell, slow: Images, interrupted: dict[str, Interrupted]
):
    assert interrupted["killed"].lived_on, "the build gave up within seconds, or ended too early to prove anything"
    finish(shell, interrupted["killed"], slow)


def test_a_server_that_is_stopped_for_a_while_only_delays_the_build(
    shell: Shell, slow: Images, interrupted: dict[str, Interrupted]
):
    finish(shell, interrupted["stopped"], slow)


def test_a_server_that_throttles_cuts_answers_and_delays_changes_no_byte(on_s3: Shell, quick_on_s3: OnS3, bucket: Bucket):
    with FaultyProxy(bucket.endpoint, Faults(slow_down=0.2, cut=0.05, delay=0.1)) as proxy:
        on_s3.run(quick_on_s3.arguments(bucket.url("out"), retries=5), {"AWS_ENDPOINT_URL_S3": proxy.endpoint})
        assert min(proxy.done["slow down"], proxy.done["cuts"], proxy.done["delays"]) > 3, proxy.done
    same_data(bucket.digests("out"), quick_on_s3.images)
    assert bucket.unfinished_uploads() == []


@pytest.mark.parametrize(
    ("problems", "reported"),
    [
        (Faults(answers={"if-none-match": (501, "NotImplemented")}), True),  # as Swift answers
        (Faults(answers={"if-none-match": (412, "PreconditionFailed")}), None),  # a stranger's lock that nobody can see
        (Faults(), False),
    ],
    ids=["refuses conditions", "always exists", "keeps conditions"],
)
def test_a_lock_is_reported_as_advisory_if_the_server_ignores_conditions(
    on_s3: Shell, quick_on_s3: OnS3, bucket: Bucket, problems: Faults, reported: bool | None
):
    with FaultyProxy(bucket.endpoint, problems) as proxy:
        build = on_s3.run(quick_on_s3.arguments(bucket.url("out")), {"AWS_ENDPOINT_URL_S3": proxy.endpoint})
    lines = [line for line in build.stderr.splitlines() if "advisory" in line]
    assert len(lines) == (1 if reported else 0), build.stderr
    same_data(bucket.digests("out"), quick_on_s3.images)


def test_of_two_builds_of_a_prefix_started_at_once_one_wins(on_s3: Shell, quick_on_s3: OnS3, bucket: Bucket):
    builds = [on_s3.start(quick_on_s3.arguments(bucket.url("out"))) for _ in range(2)]
    codes = [build.wait() for build in builds]
    assert sorted(codes) == [0, 1], [build.stderr for build in builds]
    loser = builds[codes.index(1)]
    assert "another build is writing " in loser.last_word
    same_data(bucket.digests("out"), quick_on_s3.images)


@pytest.fixture(scope="module")
def undisturbed_seconds(quick_on_s3: OnS3, seaweed: Seaweed, tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long a build of the quick images from S3 to S3 takes when nobody kills it."""
    bucket = seaweed.bucket("undisturbed")
    shell = Shell(tmp_path_factory.mktemp("undisturbed"), clean_environment(Path("/nowhere")) | bucket.environment)
    began = time.monotonic()
    shell.run(quick_on_s3.arguments(bucket.url("out")))
    return time.monotonic() - began


@pytest.mark.parametrize("moment", seeded_moments(10), ids=lambda moment: f"{moment:.0%}")
def test_a_killed_build_is_finished_by_a_rerun_with_the_same_bytes(
    moment: float, on_s3: Shell, quick_on_s3: OnS3, bucket: Bucket, undisturbed_seconds: float
):
    build = on_s3.start(quick_on_s3.arguments(bucket.url("out")))
    build.kill_at(moment, undisturbed_seconds)
    on_s3.run(quick_on_s3.arguments(bucket.url("out")))
    same_data(bucket.digests("out"), quick_on_s3.images)  # no stray object either
    assert bucket.unfinished_uploads() == []
    assert not [path for path in (on_s3.folder / "tmp").rglob("*-of-*") if path.is_file()]


class Reader:
    """Somebody who trusts dataset_info.json: whenever it is there, and still the same afterwards, all shards must be right."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self.complete = 0
        self.problems: list[str] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.is_set():
            before = self._info()
            if before is None:
                continue
            there = {key: self._size(key) for key in self._shards()}
            if self._info() == before:
                self.complete += 1
                stated = {split["name"]: (len(split["shardLengths"]), int(split["numBytes"])) for split in before["splits"]}
                for split, (shards, size) in stated.items():
                    sizes = [there[key] for key in there if re.fullmatch(rf"{split}-\d+-of-{shards:05d}", key)]
                    if (len(sizes), sum(sizes)) != (shards, size):
                        self.problems.append(
                            f"{split}: {len(sizes)} shards of {sum(sizes)} bytes, stated are {shards} of {size}"
                        )

    def _info(self) -> dict[str, object] | None:
        try:
            return json.loads(self._bucket.read("out/dataset_info.json"))
        except FileNotFoundError:
            return None

    def _size(self, key: str) -> int:
        """The bytes of a listed shard; 0 when it was deleted since: a problem only if dataset_info.json is still the same."""
        try:
            return self._bucket.fs.size(f"{self._bucket.name}/out/{key}")
        except FileNotFoundError:
            return 0

    def _shards(self) -> list[str]:
        return [key for key in self._bucket.keys("out") if "-of-" in key and "/" not in key]


def test_who_trusts_dataset_info_never_sees_a_half_made_data_set(on_s3: Shell, quick_on_s3: OnS3, bucket: Bucket):
    with Reader(bucket) as reader:
        on_s3.run(quick_on_s3.arguments(bucket.url("out")))
        wait_until(lambda: reader.complete, "the reader has seen the whole")
        other = quick_on_s3.arguments(bucket.url("out"), "--overwrite", train_shards=5, seed=2)
        on_s3.run(other)
        seen = reader.complete
        wait_until(lambda: reader.complete > seen, "the reader has seen the other")
    assert reader.problems == []
