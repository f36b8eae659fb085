"""Outputs on mounts that refuse a part of POSIX, as network shares and FUSE mounts do: built as on any disk."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imagerecords.schemas.results import Selection
from imagerecords.tasks.commands.extract import extract_images
from tests.acceptance.conftest import Images
from tests.acceptance.running import Shell, wait_until
from tests.acceptance.seaweed import same_data
from tests.digests import digests

pytestmark = pytest.mark.skipif(
    not os.access("/dev/fuse", os.W_OK) or shutil.which("fusermount3") is None, reason="needs /dev/fuse and the package fuse3"
)

ODD_MOUNT = Path(__file__).with_name("odd_mount.py")


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a directory that refuses the named things; unmounted after the test."""
    place, backing = tmp_path / "mount", tmp_path / "backing"
    place.mkdir()
    backing.mkdir()
    started: list[subprocess.Popen[bytes]] = []

    def start(refused: str) -> Path:
        started.append(subprocess.Popen([sys.executable, ODD_MOUNT, place, backing, refused]))
        wait_until(lambda: os.path.ismount(place), "the directory is mounted")
        return place

    yield start
    subprocess.run(["fusermount3", "-u", place], check=True)
    for process in started:
        process.wait(30)


@pytest.mark.parametrize("refused", ["sync_directory", "chmod", "link", "rename_open", "sync_directory,chmod,link"])
def test_an_output_on_a_mount_that_refuses_a_call_has_the_bytes_of_any_other(
    refused: str, mount: Callable[[str], Path], shell: Shell, quick: Images
):
    out = mount(refused) / "out"
    shell.run(quick.arguments(out))
    same_data(digests(out), quick)
    shell.run(quick.arguments(out))  # again, over what is there
    same_data(digests(out), quick)
    images = out.parent / "images"
    extracted = extract_images(str(out), images, Selection(), {})
    assert extracted.written == sum(path.is_file() for path in images.rglob("*"))
