"""A finished data set on S3: audited, searched, extracted from, removed from and compared as on a disk."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import s3fs
from moto.server import ThreadedMotoServer

from imagerecords.schemas.results import Selection
from imagerecords.schemas.summary import BuildSummary
from imagerecords.tasks.audit.folder import audit_folder
from imagerecords.tasks.commands.diff import diff_datasets
from imagerecords.tasks.commands.extract import extract_images
from imagerecords.tasks.commands.locate import locate_image
from imagerecords.tasks.commands.remove import remove_images


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Storage options that lead to a bucket named `bucket` on a server of this test."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing")):
        monkeypatch.setenv(name, value)
    options = {"endpoint_url": f"http://{host}:{port}"}
    s3fs.S3FileSystem(**options).mkdir("bucket")
    yield options
    s3fs.S3FileSystem(**options).rm("bucket", recursive=True)  # all of moto's servers in a process have the same buckets
    server.stop()


def objects(options: dict[str, str], prefix: str) -> dict[str, str]:
    fs = s3fs.S3FileSystem(**options, use_listings_cache=False, skip_instance_cache=True)
    root = f"bucket/{prefix}/"
    return {path.removeprefix(root): hashlib.sha256(fs.cat_file(path)).hexdigest() for path in fs.find(root)}


def test_a_data_set_on_s3_is_treated_as_one_on_a_disk(
    tmp_path: Path,
    fill: Callable[..., str],
    build: Callable[..., BuildSummary],
    digests: Callable[..., dict[str, str]],
    options: dict[str, str],
) -> None:
    source = {"train_directory": fill(tmp_path / "in", {"cat": 6, "dog": 6}), "train_shards": 3}
    disk, url = tmp_path / "out", "s3://bucket/out"
    build(output_directory=disk, **source)
    build(output_directory=url, storage_options=options, **source)
    assert audit_folder(url, options) == audit_folder(str(disk), {})
    assert diff_datasets(url, str(disk), options) == []
    assert locate_image(url, "cat/003.jpg", options) == locate_image(str(disk), "cat/003.jpg", {})

    extract_images(url, tmp_path / "back", Selection(label=("dog",)), options)
    assert digests(tmp_path / "back/dog") == digests(tmp_path / "in/dog")

    assert remove_images(url, ["cat/003.jpg"], options) == remove_images(str(disk), ["cat/003.jpg"], {})
    assert objects(options, "out") == digests(disk)
    assert audit_folder(url, options).problems == ()
    assert diff_datasets(url, str(disk), options) == []
    fs = s3fs.S3FileSystem(**options)
    fs.pipe_file("bucket/out/train-00001-of-00003", fs.cat_file("bucket/out/train-00001-of-00003")[:-3])
    assert {problem.file for problem in audit_folder(url, options).problems} >= {"train-00001-of-00003"}
