"""Input and output on S3: the same data set as on a disk. Against moto's server, which starts quickly and never fails."""

import contextlib
import hashlib
import io
import signal
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.parquet as pq
import pytest
import s3fs

from imagerecords.flows.direct import build_directly
from imagerecords.flows.progress import LineProgress
from imagerecords.schemas.settings import BuildSettings
from imagerecords.schemas.summary import BuildSummary
from imagerecords.tasks import convert
from imagerecords.tasks.images.process import RgbJpeg, process_image
from tests.acceptance.faulty_proxy import Faults, FaultyProxy
from tests.acceptance.running import Images, Running, Shell, clean_environment, free_port, wait_until
from tests.acceptance.seaweed import KEY, SECRET, Bucket, bucket_name, same_data
from tests.digests import digests
from tests.flows.every_kind import every_kind, write_every_kind


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Moto's S3 server, in a process of its own."""
    folder = tmp_path_factory.mktemp("moto")
    port = free_port()
    words = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    server = Running(words, clean_environment(folder), folder)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert server.process.poll() is None, f"the server must start: {server.stderr}"
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    try:
        wait_until(answers, "the S3 server answers")
        yield url
    finally:
        server.end()


@pytest.fixture
def bucket(endpoint: str, request: pytest.FixtureRequest) -> Bucket:
    fs = s3fs.S3FileSystem(key=KEY, secret=SECRET, endpoint_url=endpoint, use_listings_cache=False, skip_instance_cache=True)
    return Bucket(fs, endpoint, bucket_name(request))


def _upload(images: Images, bucket: Bucket) -> dict[str, str]:
    bucket.put(images.train, "in/train")
    bucket.put(images.validation, "in/validation")
    return {"train_directory": bucket.url("in/train"), "validation_directory": bucket.url("in/validation")}


def test_a_build_from_s3_to_s3_gives_the_bytes_of_a_local_one(on_s3: Shell, quick: Images, bucket: Bucket):
    build = on_s3.run(quick.arguments(bucket.url("out"), "--no-prefect", **_upload(quick, bucket)))
    assert build.summary["digest"] == quick.undisturbed.digest
    same_data(bucket.digests("out"), quick)
    local = pq.read_table(quick.undisturbed.folder / "manifest.parquet")
    assert pq.read_table(io.BytesIO(bucket.read("out/manifest.parquet"))).equals(local)
    assert not list((on_s3.folder / "tmp").rglob("*-of-*")), "unfinished files must not stay"
    rerun = on_s3.run(
        quick.arguments(
            bucket.url("out"),
            "--no-prefect",
            train_directory=bucket.url("in/train"),
            validation_directory=bucket.url("in/validation"),
        )
    )
    assert (rerun.summary["shards_reused"], rerun.summary["shards_converted"]) == (quick.shards, 0)


@pytest.mark.parametrize("reader", ["obstore", "s3fs"])
def test_a_service_account_s_role_is_assumed_by_its_token(
    shell: Shell, quick: Images, bucket: Bucket, tmp_path: Path, reader: str
):
    """As Kubernetes' service accounts on AWS have it (IRSA): no keys, but a token for which STS gives some."""
    (tmp_path / "token").write_text("token")
    words = quick.arguments(tmp_path / "out", "--no-prefect", s3_reader=reader, **_upload(quick, bucket))
    role = {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r", "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token")}
    place = {"AWS_ENDPOINT_URL": bucket.endpoint, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    assert shell.run(words, role | place).summary["digest"] == quick.undisturbed.digest


@pytest.mark.parametrize("reader", ["obstore", "s3fs"])
def test_every_key_is_written_rejected_or_counted_as_skipped(
    bucket: Bucket, quick: Images, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, reader: str
):
    """Keys that no folder could have: behind an empty name, ending in a slash, with `://` in them."""
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    data = next(quick.train.rglob("*.*")).read_bytes()
    keys = [
        *("in/cat/0.jpg", "in//dog/x.jpg", "in/cat//y.jpg", "in/cat/p://q.jpg", "in/cat/s3://q.jpg", "in/cat/folder/"),
        *("in/cat/tab\t.jpg", "in/cat/a b+c%20d.jpg"),
    ]
    for key in keys:
        bucket.fs.call_s3("put_object", Bucket=bucket.name, Key=key, Body=data)
    assert sorted(entry["Key"] for entry in bucket.fs.call_s3("list_objects_v2", Bucket=bucket.name)["Contents"]) == sorted(
        keys
    )
    settings = BuildSettings(
        data_directory=bucket.url("in"),
        output_directory=str(tmp_path / "out"),
        executor="threads",
        recursive=True,
        max_rejected_fraction=1,
        s3_reader=reader,
    )
    summary = build_directly(settings, LineProgress(lambda _: None, lambda _: None))
    (split,) = summary.splits
    assert (split.found, split.written, sum(summary.skipped.values())) == (6, 6, 2)


def test_known_images_are_not_decoded_again_on_s3_and_from_it(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, picture: Callable[..., bytes]
):
    """Records of re-encoded images come from the replaced shards, which the store has copied, or from another data set."""
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    bucket.put(write_every_kind(tmp_path, picture), "in")
    decoded = []

    def build(output: str, **more: Any) -> BuildSummary:
        decoded.clear()
        settings = {"data_directory": bucket.url("in"), "train_shards": 2, "max_rejected_fraction": 1, "report": False}
        chosen = BuildSettings(output_directory=output, executor="threads", workers=2, **settings | more)
        return build_directly(chosen, LineProgress(lambda _: None, lambda _: None))

    def process(data: bytes, settings: BuildSettings) -> RgbJpeg:
        decoded.append(data)
        return process_image(data, settings)

    monkeypatch.setattr(convert, "process_image", process)
    build(bucket.url("out"))
    build(bucket.url("expected"), seed=2, reuse=False)
    summary = build(bucket.url("out"), seed=2, overwrite=True)
    assert (decoded, summary.images_known) == ([], len(every_kind(picture)))
    assert bucket.digests("out") == bucket.digests("expected")
    build(str(tmp_path / "local"), seed=2, reuse_from=(bucket.url("out"),))
    assert decoded == []
    assert digests(tmp_path / "local") == bucket.digests("expected")


def test_a_server_that_ignores_conditions_is_found_out_and_the_lock_notes_to_be_advisory(
    on_s3: Shell, quick: Images, bucket: Bucket
):
    """Moto checks no signature, so that a proxy may take the condition out of a signed request, as old servers do."""
    places = _upload(quick, bucket)
    with FaultyProxy(bucket.endpoint, Faults(drop_headers=("If-None-Match",))) as proxy:
        words = quick.arguments(bucket.url("out"), "--no-prefect", **places)
        build = on_s3.run(words, {"AWS_ENDPOINT_URL_S3": proxy.endpoint})
    assert len([line for line in build.stderr.splitlines() if "advisory" in line]) == 1, build.stderr
    same_data(bucket.digests("out"), quick)


def test_a_build_from_s3_to_a_disk_gives_the_bytes_of_a_local_one(on_s3: Shell, quick: Images, bucket: Bucket, tmp_path: Path):
    on_s3.run(quick.arguments(tmp_path / "data", "--no-prefect", **_upload(quick, bucket)))
    same_data(digests(tmp_path / "data"), quick)


def test_a_build_from_a_disk_to_s3_gives_every_byte_of_a_local_one(on_s3: Shell, quick: Images, bucket: Bucket):
    on_s3.run(quick.arguments(bucket.url("out"), "--no-prefect"))
    assert bucket.digests("out") == quick.undisturbed.digests


def test_a_build_under_prefect_with_threads_works_on_s3_too(on_s3: Shell, quick: Images, bucket: Bucket, prefect_server: str):
    on_s3.run(quick.arguments(bucket.url("out"), executor="threads"), {"PREFECT_API_URL": prefect_server})
    assert bucket.digests("out") == quick.undisturbed.digests


def test_the_endpoint_may_be_a_storage_option(shell: Shell, quick: Images, bucket: Bucket):
    words = quick.arguments(bucket.url("out"), "--no-prefect")
    without_endpoint = {name: value for name, value in bucket.environment.items() if name != "AWS_ENDPOINT_URL_S3"}
    shell.run([*words, "--storage_options.endpoint_url", bucket.endpoint], without_endpoint)
    assert bucket.digests("out") == quick.undisturbed.digests


def test_audit_and_show_read_s3(on_s3: Shell, quick: Images, bucket: Bucket):
    bucket.put(quick.undisturbed.folder, "out")
    sound = on_s3.run(["audit", bucket.url("out"), "--json"])
    assert (sound.summary["files"], sound.summary["records"], sound.summary["problems"]) == (quick.shards, 216, [])
    shard = "train-00002-of-00008"
    shown = on_s3.run(["show", bucket.url(f"out/{shard}"), "--record", "3"])
    local = on_s3.run(["show", str(quick.undisturbed.folder / shard), "--record", "3"])
    assert shown.stdout == local.stdout
    assert "image/class/text" in shown.stdout
    data = bytearray(bucket.read(f"out/{shard}"))
    data[len(data) // 2] ^= 1
    bucket.fs.pipe_file(f"{bucket.name}/out/{shard}", bytes(data))
    broken = on_s3.start(["audit", bucket.url("out"), "--json"])
    assert broken.wait() == 1
    assert {problem["file"] for problem in broken.summary["problems"]} == {shard}


def test_a_damaged_and_a_missing_object_are_built_again(on_s3: Shell, quick: Images, bucket: Bucket):
    on_s3.run(quick.arguments(bucket.url("out"), "--no-prefect"))
    shard = "train-00002-of-00008"
    data = bytearray(bucket.read(f"out/{shard}"))
    data[len(data) // 2] ^= 1
    bucket.fs.pipe_file(f"{bucket.name}/out/{shard}", bytes(data))
    bucket.fs.rm_file(f"{bucket.name}/out/train-00005-of-00008")
    rerun = on_s3.run(quick.arguments(bucket.url("out"), "--no-prefect"))
    assert (rerun.summary["shards_reused"], rerun.summary["shards_converted"]) == (quick.shards - 2, 2)
    assert bucket.digests("out") == quick.undisturbed.digests


def test_a_second_build_of_a_prefix_is_refused_and_a_killed_one_gives_way(on_s3: Shell, slow: Images, bucket: Bucket):
    first = on_s3.start(slow.arguments(bucket.url("out"), "--no-prefect"))
    wait_until(lambda: any(key.startswith("_build/receipts/") for key in bucket.keys("out")), "a shard is done")
    second = on_s3.start(slow.arguments(bucket.url("out"), "--no-prefect"))
    assert second.wait() == 1, second.stderr
    assert f"process {first.pid} on " in second.last_word
    assert first.process.poll() is None, "the first build ended too early to prove anything"
    first.signal_group(signal.SIGKILL)
    first.wait()
    kept = [key for key in bucket.keys("out") if key.startswith("_build/receipts/")]
    rerun = on_s3.run(slow.arguments(bucket.url("out"), "--no-prefect"))
    assert rerun.summary["shards_reused"] == len(kept) > 0
    assert bucket.digests("out") == slow.undisturbed.digests
    assert not list((on_s3.folder / "tmp").rglob("*-of-*")), "unfinished files must not stay"


def test_of_two_builds_of_a_prefix_started_at_once_one_wins(on_s3: Shell, slow: Images, bucket: Bucket):
    builds = [on_s3.start(slow.arguments(bucket.url("out"), "--no-prefect")) for _ in range(2)]
    codes = [build.wait() for build in builds]
    assert sorted(codes) == [0, 1], [build.stderr for build in builds]
    loser = builds[codes.index(1)]
    assert "another build is writing " in loser.last_word
    assert bucket.digests("out") == slow.undisturbed.digests


def test_a_build_in_memory_gives_the_bytes_of_a_local_one(quick: Images):
    memory = fsspec.filesystem("memory")
    root = f"/{hashlib.sha256(str(quick.train).encode()).hexdigest()}"
    try:
        for split, folder in {"train": quick.train, "validation": quick.validation}.items():
            for file in folder.rglob("*.jpg"):
                memory.pipe_file(f"{root}/{split}/{file.relative_to(folder).as_posix()}", file.read_bytes())
        settings = quick.settings(
            f"memory:/{root}/out",
            train_directory=f"memory:/{root}/train",
            validation_directory=f"memory:/{root}/validation",
            executor="threads",
        )
        notes: list[str] = []
        summary = build_directly(BuildSettings(**settings), LineProgress(notes.append, lambda summary: None))
        assert summary.digest == quick.undisturbed.digest
        found = memory.find(f"{root}/out")
        there = {path.removeprefix(f"{root}/out/"): hashlib.sha256(memory.cat_file(path)).hexdigest() for path in found}
        same_data(there, quick)
        assert notes
    finally:
        memory.rm(root, recursive=True)
