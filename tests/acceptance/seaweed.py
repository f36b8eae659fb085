"""SeaweedFS, a real S3 server, on free loopback ports; it can be killed, stopped and started again on the same data."""

import contextlib
import hashlib
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import s3fs

from tests.acceptance.running import Images, Running, clean_environment, free_port, wait_until

KEY, SECRET = "testkey", "testsecret123"
READ_ONLY_KEY, READ_ONLY_SECRET = "rokey", "rosecret123"
PUBLIC = "public"  # anybody may read what lies in buckets of this name
IDENTITIES = {
    "identities": [
        {
            "name": "builder",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        },
        {
            "name": "reader",
            "credentials": [{"accessKey": READ_ONLY_KEY, "secretKey": READ_ONLY_SECRET}],
            "actions": ["Read", "List"],
        },
        {"name": "anonymous", "actions": [f"Read:{PUBLIC}", f"List:{PUBLIC}"]},
    ]
}
# Empty folders go soon: by default they stay for two minutes and more.
FILER = '[filer.options]\ns3.empty_folder_cleanup_delay = "1s"\n[leveldb2]\nenabled = true\ndir = "{folder}/filer"\n'


def environment(endpoint: str) -> dict[str, str]:
    """The variables with which a command uses a server."""
    keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}
    return keys | {"AWS_ENDPOINT_URL_S3": endpoint}


class Seaweed:
    """The server; `authority` is a folder with ca.pem, server.pem and server-key.pem, for HTTPS."""

    def __init__(self, folder: Path, authority: Path | None = None) -> None:
        self.folder = folder
        self._authority = authority
        (folder / "data").mkdir(parents=True)
        (folder / "identities.json").write_text(json.dumps(IDENTITIES))
        (folder / "filer.toml").write_text(FILER.format(folder=folder))
        self._ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
        self._grpc = {name: free_port() for name in self._ports}
        self.port = self._ports["s3"]
        scheme = "https" if authority else "http"
        self.endpoint = f"{scheme}://127.0.0.1:{self.port}"
        self.environment = environment(self.endpoint)
        self.start()

    def start(self) -> None:
        """Start it and wait until it takes an object: an open port says nothing."""
        words = [str(Path(sys.executable).with_name("weed")), "server", f"-dir={self.folder}/data"]
        words += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", f"-s3.config={self.folder}/identities.json"]
        words += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]
        words += ["-master.volumeSizeLimitMB=64", "-volume.max=0"]
        words += [f"-{name}.port={port}" for name, port in self._ports.items()]
        words += [f"-{name}.port.grpc={port}" for name, port in self._grpc.items()]
        if self._authority:
            words += [f"-s3.cert.file={self._authority}/server.pem", f"-s3.key.file={self._authority}/server-key.pem"]
        self.server = Running(words, clean_environment(self.folder), self.folder)
        wait_until(self._takes_objects, "SeaweedFS takes an object")

    def _takes_objects(self) -> bool:
        assert self.server.process.poll() is None, f"the server must start: {self.server.stderr[-2000:]}"
        with contextlib.suppress(OSError, Exception):
            fs = self.file_system(config_kwargs={"retries": {"max_attempts": 0}, "connect_timeout": 1, "read_timeout": 5})
            fs.retries = 1
            if not fs.exists("ready"):
                fs.mkdir("ready")
            fs.pipe_file("ready/object", b"yes")
            return bool(fs.cat_file("ready/object") == b"yes")
        return False

    def file_system(self, **more: object) -> s3fs.S3FileSystem:
        """The server seen from outside the command."""
        options = {"client_kwargs": {"verify": f"{self._authority}/ca.pem"}} if self._authority else {}
        return s3fs.S3FileSystem(
            key=KEY,
            secret=SECRET,
            endpoint_url=self.endpoint,
            use_listings_cache=False,
            skip_instance_cache=True,
            **options,
            **more,
        )

    def kill(self) -> None:
        """SIGKILL, as a machine's loss of power."""
        self.server.end()

    def stop(self) -> None:
        """SIGSTOP: connections stay open, and nobody answers."""
        self.server.signal_group(signal.SIGSTOP)

    def go_on(self) -> None:
        self.server.signal_group(signal.SIGCONT)

    def bucket(self, name: str) -> "Bucket":
        """A new bucket."""
        return Bucket(self.file_system(), self.endpoint, name)


class Bucket:
    """A bucket seen from outside the command, and the environment in which a command can use it."""

    def __init__(self, fs: s3fs.S3FileSystem, endpoint: str, name: str) -> None:
        self.fs = fs
        self.endpoint = endpoint
        self.name = name
        self.environment = environment(endpoint)
        self.fs.mkdir(name)

    def url(self, prefix: str) -> str:
        return f"s3://{self.name}/{prefix}"

    def read(self, key: str) -> bytes:
        data: bytes = self.fs.cat_file(f"{self.name}/{key}")
        return data

    def write(self, key: str, data: bytes) -> None:
        self.fs.pipe_file(f"{self.name}/{key}", data)

    def keys(self, prefix: str) -> list[str]:
        """The objects below a prefix; SeaweedFS lists directories that have just been emptied too."""
        root = f"{self.name}/{prefix}/"
        found = self.fs.find(root, detail=True)
        return sorted(path.removeprefix(root) for path, info in found.items() if info["type"] == "file")

    def digests(self, prefix: str) -> dict[str, str]:
        paths = [f"{self.name}/{prefix}/{key}" for key in self.keys(prefix)]
        found = self.fs.cat(paths) if paths else {}
        root = f"{self.name}/{prefix}/"
        return {path.removeprefix(root): hashlib.sha256(data).hexdigest() for path, data in found.items()}

    def put(self, folder: Path, prefix: str) -> None:
        files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
        root = f"{self.name}/{prefix}"
        self.fs.put([str(file) for file in files], [f"{root}/{file.relative_to(folder).as_posix()}" for file in files])

    def unfinished_uploads(self) -> list[str]:
        """The keys of multipart uploads that nobody has ended."""
        answer = self.fs.call_s3("list_multipart_uploads", Bucket=self.name)
        return sorted(upload["Key"] for upload in answer.get("Uploads", []))


@dataclass(frozen=True)
class OnS3:
    """Images that lie on the server too."""

    images: Images
    train: str
    validation: str

    def arguments(self, output: object, *flags: str, **more: object) -> list[str]:
        """The command line of a build of them, from there."""
        places = {"train_directory": self.train, "validation_directory": self.validation}
        return self.images.arguments(output, "--no-prefect", *flags, **(places | more))


def same_data(there: dict[str, str], images: Images) -> None:
    """Every file is the same, except those that depend on the place of the input and the versions of its files.

    These are the plan, the receipts and the manifest, which have its digest, and croissant.json, which has the manifest's.
    """
    names = images.undisturbed.digests
    depend = {name for name in names if name in {"manifest.parquet", "croissant.json"} or name.startswith("_build/")}
    assert there.keys() == images.undisturbed.digests.keys()
    expected = {name: digest for name, digest in images.undisturbed.digests.items() if name not in depend}
    assert {name: digest for name, digest in there.items() if name not in depend} == expected


def bucket_name(request: pytest.FixtureRequest) -> str:
    """A name for one test's bucket: a new one for each, since deleted prefixes linger."""
    return "b" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:20]
