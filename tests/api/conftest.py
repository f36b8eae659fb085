"""What the tests of the Python API share: data sets on an S3 server of the test's own."""

import pytest
import s3fs
from moto.server import ThreadedMotoServer


class Moto:
    """`moto(folder)` copies a folder into the bucket and gives its URL; `options` are the storage options that lead there."""

    def __init__(self, endpoint):
        self.options = {"endpoint_url": endpoint}
        self.fs = s3fs.S3FileSystem(**self.options, use_listings_cache=False, skip_instance_cache=True)
        self.fs.mkdir("bucket")

    def __call__(self, folder):
        self.fs.put(str(folder), f"bucket/{folder.name}", recursive=True)
        return f"s3://bucket/{folder.name}"

    def remove(self, key):
        self.fs.rm_file(f"bucket/{key}")


@pytest.fixture
def on_moto(monkeypatch):
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    host, port = server.get_host_and_port()
    moto = Moto(f"http://{host}:{port}")
    yield moto
    moto.fs.rm("bucket", recursive=True)  # all of moto's servers in a process have the same buckets
    server.stop()
