"""imagerecords as users install it: the wheel, built from the sdist, in environments of its own."""

import fcntl
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.running import clean_environment

ROOT = Path(__file__).parents[2]


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
