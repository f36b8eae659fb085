"""What the acceptance tests stand on: labelled images, builds of them that nothing disturbed, and a real Prefect server."""

import contextlib
import io
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.acceptance.docs_pages import load
from tests.acceptance.installed import IMAGES, ROOT, Place, build_wheel, made_once, make_environment
from tests.acceptance.running import Images, Running, Shell, clean_environment, free_port, wait_until, with_build
from tests.acceptance.seaweed import Bucket, OnS3, Seaweed, bucket_name

LABELS = ("cat", "dog", "emu")
# What a server without deployments need not do all the time, on the two processors of the tests.
SERVICES_OF_DEPLOYMENTS = (
    "SCHEDULER",
    "LATE_RUNS",
    "FOREMAN",
    "TRIGGERS",
    "PAUSE_EXPIRATIONS",
    "CANCELLATION_CLEANUP",
)


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """A test run in a script's background ignores SIGINT, and every command it starts would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all builds, so that the temporary server's database is made once."""
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture
def shell(tmp_path: Path, prefect_home: Path) -> Iterator[Shell]:
    folder = tmp_path / "shell"
    folder.mkdir()
    shell = Shell(folder, clean_environment(prefect_home))
    yield shell
    shell.end()


def _picture(random: np.random.Generator, size: int) -> Image.Image:
    coarse = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(np.kron(coarse, np.ones((size // 8, size // 8, 1), dtype=np.uint8)))


def _encoded(picture: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def _write_images(folder: Path, pictures: list[bytes], each: int, ending: str) -> Path:
    for number, label in enumerate(LABELS):
        (folder / label).mkdir(parents=True)
        for image in range(each):
            (folder / label / f"{image:04d}.{ending}").write_bytes(pictures[(number * each + image) % len(pictures)])
    return folder


@pytest.fixture(scope="session")
def quick(tmp_path_factory: pytest.TempPathFactory, prefect_home: Path) -> Images:
    """Small JPEGs, passed through as they are: a shard takes some 20 ms."""
    folder = tmp_path_factory.mktemp("quick")
    random = np.random.default_rng(1)
    pictures = [_encoded(_picture(random, 96), "JPEG") for _ in range(200)]
    train = _write_images(folder / "train", pictures, 60, "jpg")
    images = Images(train, _write_images(folder / "validation", pictures, 12, "jpg"), 8, 2)
    return with_build(images, folder, prefect_home)


@pytest.fixture(scope="session")
def slow(tmp_path_factory: pytest.TempPathFactory, prefect_home: Path) -> Images:
    """PNGs small on the disk and large in pixels: a shard takes about half a second, so that it can be hit in the middle."""
    folder = tmp_path_factory.mktemp("slow")
    random = np.random.default_rng(2)
    pictures = [_encoded(_picture(random, 1280), "PNG") for _ in range(8)]
    train = _write_images(folder / "train", pictures, 42, "png")
    images = Images(train, _write_images(folder / "validation", pictures, 6, "png"), 7, 1)
    return with_build(images, folder, prefect_home)


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API's URL of a real `prefect server start`."""
    folder = tmp_path_factory.mktemp("prefect-server")
    port = free_port()
    unused = {f"PREFECT_SERVER_SERVICES_{service}_ENABLED": "false" for service in SERVICES_OF_DEPLOYMENTS}
    environment = clean_environment(folder) | {"PREFECT_SERVER_UI_ENABLED": "false"} | unused
    words = [str(Path(sys.executable).with_name("prefect")), "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    server = Running(words, environment | {"PREFECT_SERVER_ANALYTICS_ENABLED": "false"}, folder)
    url = f"http://127.0.0.1:{port}/api"

    def answers() -> bool:
        assert server.process.poll() is None, f"the server must start: {server.stderr}"
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    try:
        wait_until(answers, "Prefect's server answers")
        yield url
    finally:
        server.signal_group(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(20)
        server.end()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sdist as a packager does it."""
    (wheel,) = made_once(tmp_path_factory, "wheel", build_wheel).glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The bin directory of an environment with the wheel and what it asks for."""
    return made_once(tmp_path_factory, "bare", lambda folder: make_environment(folder, str(wheel))) / "bin"


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The same with Dask, of the version that is here too, and a notebook's kernel."""
    packages = (f"{wheel}[dask]", f"distributed=={version('distributed')}", "ipykernel")
    return made_once(tmp_path_factory, "installed", lambda folder: make_environment(folder, *packages)) / "bin"


@pytest.fixture(scope="session")
def user_images(tmp_path_factory: pytest.TempPathFactory, fill: Callable[[Path, dict[str, int]], str]) -> str:
    """Label folders of a few images."""
    return fill(tmp_path_factory.mktemp("images") / "data", {"cat": IMAGES // 2, "dog": IMAGES // 2})


@pytest.fixture
def place(tmp_path: Path, user_images: str, bare: Path) -> Place:
    """A user's working directory with the installed command."""
    return Place(tmp_path / "place", user_images, bare)


@pytest.fixture
def place_with_jupyter_and_dask(tmp_path: Path, user_images: str, installed: Path) -> Place:
    """The same with Dask and a notebook's kernel."""
    return Place(tmp_path / "place", user_images, installed)


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """A real S3 server."""
    server = Seaweed(tmp_path_factory.mktemp("seaweed") / "server")
    yield server
    server.kill()


@pytest.fixture
def bucket(seaweed: Seaweed, request: pytest.FixtureRequest) -> Bucket:
    """A bucket of the test's own on the real server."""
    return seaweed.bucket(bucket_name(request))


@pytest.fixture
def on_s3(shell: Shell, bucket: Bucket) -> Iterator[Shell]:
    """The command with the server's address and keys in its environment, and a temporary directory to look into.

    Its path is short: the fork server's socket lies there, and a socket's path has 107 bytes at most.
    """
    with tempfile.TemporaryDirectory() as directory:
        (shell.folder / "tmp").symlink_to(directory)
        shell.environment |= bucket.environment | {"TMPDIR": directory}
        yield shell
        shell.end()


@pytest.fixture(scope="session")
def quick_on_s3(seaweed: Seaweed, quick: Images) -> OnS3:
    """The quick images on the real server, and how long a build from there to there takes."""
    bucket = seaweed.bucket("quick")
    bucket.put(quick.train, "in/train")
    bucket.put(quick.validation, "in/validation")
    return OnS3(quick, bucket.url("in/train"), bucket.url("in/validation"))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a private CA's certificate, ca.pem, and one for 127.0.0.1 that it has signed."""
    folder = tmp_path_factory.mktemp("authority")
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"]
    server = [
        "-subj",
        "/CN=127.0.0.1",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ]
    for words in (
        ["-subj", "/CN=private", "-keyout", "ca-key.pem", "-out", "ca.pem"],
        [*server, "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-keyout", "server-key.pem", "-out", "server.pem"],
    ):
        subprocess.run([*new, *words], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory, authority: Path) -> Iterator[Seaweed]:
    """A real S3 server that speaks HTTPS with a private CA's certificate."""
    server = Seaweed(tmp_path_factory.mktemp("seaweed-tls") / "server", authority)
    yield server
    server.kill()


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """`digits()` makes a folder as the docs suppose it: data/train, data/validation and labels.txt."""
    make_digits = load(ROOT / "docs/demo/make_digits.py").make_digits

    def make() -> Path:
        directory = tmp_path_factory.mktemp("digits")
        make_digits(directory / "data")
        (directory / "data/labels.txt").rename(directory / "labels.txt")
        return directory

    return make
