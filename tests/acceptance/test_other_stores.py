"""Input and output on Google Cloud Storage and Azure Blob Storage: the same data set as on a disk, against emulators.

`make stores` installs the packages and emulators that these tests need; without them they are skipped.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec
import pytest

from imagerecords.schemas.summary import BuildSummary
from tests.acceptance.running import free_port, wait_until
from tests.digests import digests

AZURITE = Path(__file__).parents[2] / ".venv/stores/node_modules/.bin/azurite-blob"
ACCOUNT, KEY = "account", "a2V5"


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _google(port: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    if not (importlib.util.find_spec("gcsfs") and importlib.util.find_spec("gcp_storage_emulator")):
        pytest.skip("needs gcsfs and gcp-storage-emulator: make stores")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
    begin = f"from gcp_storage_emulator.server import create_server as c; c('127.0.0.1', {port}, True, 'photos').run()"
    return [sys.executable, "-c", begin]


def _azure(port: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    azurite = shutil.which("azurite-blob") or (str(AZURITE) if AZURITE.exists() else None)
    if not (importlib.util.find_spec("adlfs") and azurite):
        pytest.skip("needs adlfs and Azurite: make stores, where npm is")
    place = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", f"{place}BlobEndpoint=http://127.0.0.1:{port}/{ACCOUNT};")
    monkeypatch.setenv("AZURITE_ACCOUNTS", f"{ACCOUNT}:{KEY}")
    return [azurite, "--inMemoryPersistence", "--skipApiVersionCheck", "--silent", "--blobPort", str(port)]


@pytest.fixture(params=["gs", "az"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The URL of a bucket or container on an emulator."""
    port = free_port()
    words = {"gs": _google, "az": _azure}[request.param](port, monkeypatch)
    server = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    try:
        wait_until(lambda: _answers(f"http://127.0.0.1:{port}/"), "the emulator answers")
        if request.param == "az":
            fsspec.filesystem("az").mkdir("photos")
        yield f"{request.param}://photos"
    finally:
        server.kill()
        server.wait()


def test_a_build_from_and_to_a_store_gives_the_bytes_of_a_local_one(
    place: str, tmp_path: Path, fill: Callable[..., str], build: Callable[..., BuildSummary]
) -> None:
    source = fill(tmp_path / "in", {"cat": 4, "dog": 4})
    local = build(train_directory=source, output_directory=tmp_path / "out", train_shards=2, report=False)
    fs = fsspec.filesystem(place.partition("://")[0])
    for path in (tmp_path / "in").rglob("*.jpg"):
        fs.pipe_file(f"photos/{path.relative_to(tmp_path).as_posix()}", path.read_bytes())
    settings = {"train_directory": f"{place}/in", "output_directory": f"{place}/out", "train_shards": 2, "report": False}
    remote = build(**settings)
    assert remote.digest == local.digest
    for name, sha256 in digests(tmp_path / "out").items():
        if name.startswith("train-"):
            fs.get_file(f"photos/out/{name}", str(tmp_path / name))
            assert digests(tmp_path)[name] == sha256
    assert build(**settings).shards_reused == 2
