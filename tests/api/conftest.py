"""What the tests of the Python API share: data sets on an S3 server."""

import itertools

import pytest
import s3fs
from moto.server import ThreadedMotoServer


class Moto:
    """`moto(folder)` copies a folder to the server and gives its URL; `options` are the storage options that lead there."""

    def __init__(self, endpoint):
        self.options = {"endpoint_url": endpoint}
        self.fs = s3fs.S3FileSystem(**self.options, use_listings_cache=False, skip_instance_cache=True)
        self.fs.mkdir("bucket")
        self.numbers = itertools.count()

    def __call__(self, folder):
        place = f"bucket/{next(self.numbers)}/{folder.name}"
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
        moto.fs.rm("bucket", recursive=True)  # all of moto's servers in a process have the same buckets
        server.stop()
