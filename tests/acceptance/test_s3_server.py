"""On a real S3 server: the same data set as on a disk, whatever way the credentials come, and only of the objects planned."""

import http.server
import io
import json
import os
import signal
import sys
import threading
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from imagerecords.schemas.output_files import LOCK
from imagerecords.schemas.receipt import Reason
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.discover import discover_images
from imagerecords.tasks.images.process import Rejected
from imagerecords.tasks.sources.fetch import fetch_images
from imagerecords.tasks.storage.bulk_read import bulk_reader
from imagerecords.tasks.storage.folders import open_folder
from imagerecords.tasks.storage.s3_upload import abort_left_uploads, upload_object
from tests.acceptance.faulty_proxy import Faults, FaultyProxy
from tests.acceptance.running import Images, Shell, wait_until
from tests.acceptance.seaweed import KEY, PUBLIC, SECRET, Bucket, OnS3, Seaweed, same_data
from tests.digests import digests


@pytest.fixture
def in_process(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """The bucket for code that this process runs."""
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    return bucket


@pytest.mark.parametrize("reader", ["obstore", "s3fs"])
def test_a_build_from_s3_to_s3_gives_the_bytes_of_a_local_one(on_s3: Shell, quick_on_s3: OnS3, bucket: Bucket, reader: str):
    build = on_s3.run(quick_on_s3.arguments(bucket.url("out"), s3_reader=reader))
    assert build.summary["digest"] == quick_on_s3.images.undisturbed.digest
    same_data(bucket.digests("out"), quick_on_s3.images)
    local = pq.read_table(quick_on_s3.images.undisturbed.folder / "manifest.parquet")
    assert pq.read_table(io.BytesIO(bucket.read("out/manifest.parquet"))).equals(local)
    assert bucket.unfinished_uploads() == []
    assert "advisory" not in build.stderr
    rerun = on_s3.run(quick_on_s3.arguments(bucket.url("out"), s3_reader=reader))
    assert (rerun.summary["shards_reused"], rerun.summary["shards_converted"]) == (quick_on_s3.images.shards, 0)


def test_the_card_of_a_data_set_on_s3_is_that_of_a_local_one(on_s3: Shell, quick_on_s3: OnS3, bucket: Bucket, tmp_path: Path):
    on_s3.run(quick_on_s3.arguments(bucket.url("out"), report=True))
    on_s3.run(quick_on_s3.arguments(tmp_path / "out", report=True))
    assert bucket.read("out/report.html") == (tmp_path / "out/report.html").read_bytes()


@pytest.mark.parametrize("reader", ["obstore", "s3fs"])
def test_a_manifest_on_s3_may_name_images_of_several_buckets(
    on_s3: Shell, quick: Images, bucket: Bucket, seaweed: Seaweed, reader: str
):
    """Some beside the manifest, by relative paths, and some in another bucket."""
    other = seaweed.bucket(f"{bucket.name}-other")
    rows = ["path,label"]
    for number, path in enumerate(sorted(path for path in quick.train.rglob("*") if path.is_file())[:40]):
        key = f"photos/{number}{path.suffix}"
        (bucket, other)[number % 2].write(key, path.read_bytes())
        rows.append(f"{(key, other.url(key))[number % 2]},{path.parent.name}")
    bucket.write("list.csv", "\n".join(rows).encode())
    where = ["--image_list", bucket.url("list.csv"), "--output_directory", bucket.url("out"), "--train_shards", "2"]
    build = on_s3.run(["build", "--json", "--no-prefect", *where, "--s3_reader", reader])
    assert build.summary["splits"][0]["written"] == 40
    audit = on_s3.run(["audit", bucket.url("out"), "--json"])
    assert json.loads(audit.stdout)["problems"] == []


def test_a_profile_s_credentials_and_endpoint_are_used(shell: Shell, quick_on_s3: OnS3, bucket: Bucket, tmp_path: Path):
    (tmp_path / "credentials").write_text(f"[trainer]\naws_access_key_id={KEY}\naws_secret_access_key={SECRET}\n")
    (tmp_path / "config").write_text(f"[profile trainer]\nregion=us-east-1\nendpoint_url={bucket.endpoint}\n")
    environment = {
        "AWS_PROFILE": "trainer",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
    }
    shell.run(quick_on_s3.arguments(bucket.url("out")), environment)
    same_data(bucket.digests("out"), quick_on_s3.images)


class Credentials(http.server.BaseHTTPRequestHandler):
    """What a container's or instance's metadata service answers."""

    def do_GET(self) -> None:
        body = {"AccessKeyId": KEY, "SecretAccessKey": SECRET, "Token": "", "Expiration": "2099-01-01T00:00:00Z"}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


def test_a_container_s_credentials_are_used(shell: Shell, quick_on_s3: OnS3, bucket: Bucket):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Credentials) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        environment = {name: bucket.environment[name] for name in ("AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION")}
        environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"http://127.0.0.1:{service.server_port}/"
        shell.run(quick_on_s3.arguments(bucket.url("out")), environment)
        service.shutdown()
    same_data(bucket.digests("out"), quick_on_s3.images)


def test_a_public_bucket_is_read_without_credentials(shell: Shell, quick: Images, seaweed: Seaweed, tmp_path: Path):
    public = seaweed.bucket(PUBLIC)
    public.put(quick.train, "train")
    public.put(quick.validation, "validation")
    places = {"train_directory": public.url("train"), "validation_directory": public.url("validation")}
    words = quick.arguments(tmp_path / "data", "--no-prefect", **places)
    shell.run([*words, "--storage_options.anon", "true"], {"AWS_ENDPOINT_URL_S3": seaweed.endpoint})
    same_data(digests(tmp_path / "data"), quick)


def test_a_server_with_a_private_ca_is_read_and_written(shell: Shell, quick: Images, tls: Seaweed, authority: Path):
    bucket = tls.bucket("private")
    bucket.put(quick.train, "train")
    bucket.put(quick.validation, "validation")
    places = {"train_directory": bucket.url("train"), "validation_directory": bucket.url("validation")}
    words = quick.arguments(bucket.url("out"), "--no-prefect", **places)
    shell.run(words, bucket.environment | {"AWS_CA_BUNDLE": f"{authority}/ca.pem"})
    same_data(bucket.digests("out"), quick)


def test_shards_grow_in_the_scratch_directory_and_leave_it(on_s3: Shell, quick_on_s3: OnS3, bucket: Bucket, tmp_path: Path):
    scratch = tmp_path / "scratch"
    build = on_s3.start(quick_on_s3.arguments(bucket.url("out"), scratch_directory=scratch))
    wait_until(lambda: list(scratch.rglob("train-*")), "a shard grows there")
    assert build.wait() == 0, build.stderr
    assert not [path for path in scratch.rglob("*") if path.is_file()]


NAMES = [
    "we[i]rd",
    "größe",
    "日本語",
    "two words",
    "*",
    "a?b",
    "{x}",
    "%20",
    "#1",
    "a+b",
    "a%2Fb",
    "~",
    "a,b;c=d&e",
    "-",
    "a:b@c",
]


@pytest.mark.parametrize("reader", ["obstore", "s3fs"])
def test_keys_of_any_characters_are_listed_and_read(in_process: Bucket, reader: str):
    for name in NAMES:
        in_process.write(f"in/{name}/{name}.jpg", name.encode())
    settings = BuildSettings(train_directory=in_process.url("in"), output_directory=in_process.url("out"), s3_reader=reader)
    listing = discover_images(settings)
    assert listing.images["path"].to_pylist() == [f"{name}/{name}.jpg" for name in sorted(NAMES)]
    source = open_folder(settings.train_directory, {})
    found = [data for _, data in fetch_images(source, listing.images, settings)]
    assert found == [name.encode() for name in sorted(NAMES)]


@pytest.mark.parametrize("reader", ["obstore", "s3fs"])
def test_an_object_that_changed_or_went_since_it_was_listed_is_rejected(in_process: Bucket, reader: str):
    for number in range(4):
        in_process.write(f"in/cat/{number}.jpg", b"first")
    settings = BuildSettings(train_directory=in_process.url("in"), output_directory=in_process.url("out"), s3_reader=reader)
    listing = discover_images(settings)
    in_process.write("in/cat/1.jpg", b"other")  # of the same size
    in_process.fs.rm_file(f"{in_process.name}/in/cat/2.jpg")
    source = open_folder(settings.train_directory, {})
    fetched = [data for _, data in fetch_images(source, listing.images, settings)]
    reasons = [data.reason if isinstance(data, Rejected) else data for data in fetched]
    assert reasons == [b"first", Reason.CHANGED_DURING_BUILD, Reason.CHANGED_DURING_BUILD, b"first"]


@pytest.mark.parametrize("reader", ["obstore", "s3fs"])
def test_a_versioned_object_is_read_in_the_version_that_was_listed(in_process: Bucket, reader: str):
    in_process.fs.call_s3("put_bucket_versioning", Bucket=in_process.name, VersioningConfiguration={"Status": "Enabled"})
    in_process.write("in/cat/1.jpg", b"old")
    in_process.write("in/cat/1.jpg", b"first")
    options = {"version_aware": True}
    settings = BuildSettings(
        train_directory=in_process.url("in"), output_directory=in_process.url("out"), s3_reader=reader, storage_options=options
    )
    listing = discover_images(settings)
    assert listing.images["size"].to_pylist() == [5]
    assert " " in listing.images["version"][0].as_py()  # ETag and version id
    in_process.write("in/cat/1.jpg", b"other")
    source = open_folder(settings.train_directory, options)
    assert [data for _, data in fetch_images(source, listing.images, settings)] == [b"first"]


def test_every_page_of_a_listing_is_read_and_markers_of_directories_are_not(in_process: Bucket):
    names = [f"{number:04d}.jpg" for number in range(2500)]
    in_process.fs.pipe({f"{in_process.name}/in/cat/{name}": b"x" for name in names})
    in_process.fs.call_s3("put_object", Bucket=in_process.name, Key="in/cat/", Body=b"")
    in_process.fs.call_s3("put_object", Bucket=in_process.name, Key="in/cat/a/", Body=b"")
    in_process.write("in/dog/1.jpg", b"x")
    in_process.write("in/dog-2/1.jpg", b"x")
    settings = BuildSettings(train_directory=in_process.url("in"), output_directory=in_process.url("out"))
    listing = discover_images(settings)
    assert listing.labels == ("cat", "dog", "dog-2")  # by code point, which is not the server's order
    assert listing.images["path"].to_pylist() == [*(f"cat/{name}" for name in names), "dog/1.jpg", "dog-2/1.jpg"]


UPLOAD = """
import sys
from imagerecords.tasks.storage.s3_upload import upload_object
from imagerecords.tasks.storage.folders import open_folder
output = open_folder(sys.argv[1], {})
upload_object(output.fs, output.join("train-00000-of-00008"), sys.argv[2])
"""


def test_uploads_that_a_killed_build_left_are_aborted_by_the_next_one(
    on_s3: Shell, quick_on_s3: OnS3, bucket: Bucket, tmp_path: Path
):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 30)
    for key in ("out2/train-00000-of-00008", "out/somebody-s.bin"):
        bucket.fs.call_s3("create_multipart_upload", Bucket=bucket.name, Key=key)
    others = bucket.unfinished_uploads()
    root = str(Path(__file__).parents[2])
    upload = on_s3.start_program(
        [sys.executable, "-c", UPLOAD, bucket.url("out"), str(tmp_path / "large")], {"PYTHONPATH": root}
    )
    wait_until(lambda: len(bucket.unfinished_uploads()) > len(others), "the upload has begun")
    upload.signal_group(signal.SIGKILL)
    assert upload.wait() == -signal.SIGKILL
    on_s3.run(quick_on_s3.arguments(bucket.url("out")))
    assert bucket.unfinished_uploads() == others
    same_data(bucket.digests("out"), quick_on_s3.images)


def test_a_large_file_is_uploaded_in_parts_and_a_failed_upload_leaves_none(in_process: Bucket, tmp_path: Path):
    data = os.urandom(40 << 20)
    (tmp_path / "large").write_bytes(data)
    output = open_folder(in_process.url("out"), {})
    upload_object(output.fs, output.join("whole"), str(tmp_path / "large"))
    assert in_process.read("out/whole") == data
    assert in_process.fs.info(f"{in_process.name}/out/whole")["ETag"].endswith('-3"')
    with FaultyProxy(in_process.endpoint, Faults(answers={"partNumber=2": (403, "AccessDenied")})) as proxy:
        broken = open_folder(in_process.url("out"), {"endpoint_url": proxy.endpoint})
        with pytest.raises(PermissionError):
            upload_object(broken.fs, broken.join("half"), str(tmp_path / "large"))
    assert in_process.unfinished_uploads() == []
    assert in_process.keys("out") == ["whole"]


def test_an_upload_that_arrives_changed_is_told(in_process: Bucket, tmp_path: Path):
    """Here the server answers another object's ETag, as where somebody else writes the same output without a lock."""
    output = open_folder(in_process.url("out"), {})
    call = output.fs.call_s3

    def overwritten_at_once(method: str, **kwargs: object) -> object:
        answer = call(method, **kwargs)
        if method == "put_object":
            call(method, **{"Bucket": kwargs["Bucket"], "Key": kwargs["Key"], "Body": b"other"})
        return answer

    output.fs.call_s3 = overwritten_at_once
    try:
        with pytest.raises(OSError, match="the stored object differs from the upload of 5 bytes"):
            output.write("labels.txt", b"mine!")
    finally:
        del output.fs.call_s3


def test_credentials_that_may_not_list_uploads_are_no_error(in_process: Bucket):
    with FaultyProxy(in_process.endpoint, Faults(answers={"?uploads": (501, "NotImplemented")})) as proxy:
        folder = open_folder(in_process.url("out"), {"endpoint_url": proxy.endpoint})
        abort_left_uploads(folder.fs, folder.path, lambda _: True)
        assert proxy.done["?uploads"] > 0


def test_a_reader_of_a_folder_at_the_top_of_a_bucket(in_process: Bucket):
    in_process.write("1.jpg", b"top")
    folder = open_folder(f"s3://{in_process.name}", {})
    etag = in_process.fs.info(f"{in_process.name}/1.jpg")["ETag"].strip('"')
    assert bulk_reader(folder, "obstore")("1.jpg", 3, etag) == b"top"
    assert LOCK not in in_process.keys("")
