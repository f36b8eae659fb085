"""imagerecords as users install it: the wheel, built from the sdist, in new environments, and a user's working directory."""

import fcntl
import json
import os
import subprocess
import sys
import textwrap
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.running import clean_environment

ROOT = Path(__file__).parents[2]
IMAGES = 8
FOREIGN_CODE_RAN = "user code runs"
BUILD = "imagerecords.build(train_directory={data!r}, output_directory='out', train_shards=2, workers=2, progress=False)"
FLOW = "build_image_dataset(train_directory={data!r}, output_directory='out', train_shards=2, workers=2)"
SECONDS = 120  # nothing here takes so long, unless workers run the caller's script


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that `make` has filled, shared by all processes of a test run; the first that asks makes it."""
    shared = factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else factory.getbasetemp()
    folder = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            folder.mkdir(exist_ok=True)  # a first try may have failed
            make(folder)
            (folder / "made").touch()
    return folder


def build_wheel(folder: Path) -> None:
    """Put the sdist and the wheel that is built from it into a folder; without isolation, since the lock covers the build."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=clean_environment(folder))
    assert ran.returncode == 0, ran.stdout + ran.stderr


def make_environment(folder: Path, *packages: str) -> None:
    """Make an environment with these packages and what they ask for."""
    venv.create(folder, with_pip=False)
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(folder / "bin/python"), *packages]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=clean_environment(folder))
    assert ran.returncode == 0, ran.stderr


class Place:
    """A working directory of a user, with labelled images next to it and the installed command."""

    def __init__(self, folder: Path, data: str, bin_directory: Path) -> None:
        self.folder, self.data, self.bin = folder, data, bin_directory
        self.environment = clean_environment(folder / ".prefect-home") | {"HOME": str(folder)}
        folder.mkdir()

    def write(self, name: str, text: str) -> Path:
        """Write a file; BUILD and FLOW in its text become calls that build the images."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = textwrap.dedent(text).replace("BUILD", BUILD.format(data=self.data)).replace("FLOW", FLOW.format(data=self.data))
        path.write_text(text)
        return path

    def run(self, *words: object, cwd: str | None = None, **popen: Any) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in the working directory."""
        command = [str(self.bin / str(words[0])), *map(str, words[1:])]
        options = {"env": self.environment, "cwd": cwd or self.folder, "capture_output": True, "text": True}
        return subprocess.run(command, timeout=SECONDS, **(options | popen))

    def builds(self, *words: object, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run it, and expect the data set in `out`."""
        ran = self.run(*words, **options)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        info = json.loads((self.folder / "out/dataset_info.json").read_text())
        assert sum(map(int, info["splits"][0]["shardLengths"])) == IMAGES
        assert FOREIGN_CODE_RAN not in ran.stdout + ran.stderr
        return ran

    def command(self, **options: Any) -> subprocess.CompletedProcess[str]:
        """Build with the command."""
        words = ["build", "--train_directory", self.data, "--output_directory", self.folder / "out", "--train_shards", 2]
        return self.builds("imagerecords", *words, "--workers", 2, **options)
