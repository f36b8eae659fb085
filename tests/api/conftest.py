"""What the tests of the Python API share: a data set, a copy of it to damage, and data sets on an S3 server."""

import itertools
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import s3fs
from moto.server import ThreadedMotoServer

import imagerecords


class Moto:
    """`moto(folder)` copies a folder to the server and gives its URL; `options` are the storage options that lead there."""

    def __init__(self, endpoint):
        self.options = {"endpoint_url": endpoint}
        self.fs = s3fs.S3FileSystem(**self.options, use_listings_cache=False, skip_instance_cache=True)
        self.fs.mkdir("api")
        self.numbers = itertools.count()

    def __call__(self, folder):
        place = f"api/{next(self.numbers)}/{folder.name}"
        self.fs.put(str(folder), place, recursive=True)
        return f"s3://{place}"


@pytest.fixture(scope="module")
def on_moto():
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        moto = Moto(f"http://{host}:{port}")
        yield moto
        moto.fs.rm("api", recursive=True)  # all of moto's servers in a process have the same buckets
        server.stop()


IMAGES = {"train": {"cat": 12, "größe": 9}, "validation": {"cat": 3, "größe": 2}}


@pytest.fixture(scope="module")
def made(tmp_path_factory, fill, build):
    """A data set of three shards of train and two of validation. Not to be changed."""
    folder = tmp_path_factory.mktemp("dataset")
    inputs = {f"{split}_directory": fill(folder / split, labels) for split, labels in IMAGES.items()}
    (folder / "train/cat/broken.jpg").write_bytes(b"no image")
    build(output_directory=folder / "out", train_shards=3, validation_shards=2, max_rejected_fraction=0.2, **inputs)
    return folder / "out"


@pytest.fixture
def copy(made, tmp_path):
    """A copy of it that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


@pytest.fixture(scope="module")
def rows(made):
    """The manifest's written rows of train."""
    return [row for row in pq.read_table(made / "manifest.parquet").to_pylist() if row["record"] is not None][:21]


@pytest.fixture
def train(made):
    return imagerecords.open_dataset(made)["train"]
