"""Shared by the tests of flows: the command as its entry point runs it, and a data set that grows."""

import os
import signal
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.flows.growing import FIRST
from tests.flows.labelled_inputs import write_inputs


class Ran(NamedTuple):
    """The exit code and output of a command."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def no_settings_around(monkeypatch, tmp_path):
    """Remove Prefect's and imagerecords' variables from the environment."""
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "IMAGERECORDS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect-home"))
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def imagerecords(capfd):
    """`imagerecords("build", "--seed", 1)` runs the command and gives its exit code and what it printed where."""
    from imagerecords.flows.command.app import run

    def imagerecords(*arguments):
        handler = signal.getsignal(signal.SIGTERM)
        capfd.readouterr()
        try:
            code = run([str(argument) for argument in arguments])
        except SystemExit as exit_:
            code = exit_.code
        finally:
            signal.signal(signal.SIGTERM, handler)
        return Ran(code or 0, *capfd.readouterr())

    return imagerecords


@pytest.fixture
def data(tmp_path, fill):
    """An input of two labels with five images each."""
    return fill(tmp_path / "data", {"cat": 5, "dog": 5})


@pytest.fixture(scope="module")
def inputs(tmp_path_factory, picture):
    """The folder of all inputs of labelled_inputs.py."""
    root = tmp_path_factory.mktemp("inputs")
    write_inputs(root, picture)
    return root


@pytest.fixture
def add(picture):
    """`add(root, "cat", 3)` adds three new images to a label's folder."""

    def add(root, label, count, first=100):
        folder = Path(root) / label
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(first, first + count):
            (folder / f"{number}.jpg").write_bytes(picture(number, size=(17, 13)))

    return add


@pytest.fixture
def grown(tmp_path, fill, build):
    """The settings of an append to a data set of three train and two validation shards."""
    settings = {
        "train_directory": fill(tmp_path / "train", {"cat": 6, "dog": 6}),
        "validation_directory": fill(tmp_path / "validation", {"cat": 3, "dog": 3}),
        "output_directory": tmp_path / "out",
        "append": True,
    }
    build(**settings, **FIRST)
    return settings


@pytest.fixture
def notes_of():
    """`notes_of(**settings)` builds and gives the lines that the build reports."""
    from imagerecords.flows.direct import build_directly
    from imagerecords.flows.progress import LineProgress
    from imagerecords.schemas.settings import BuildSettings

    def notes_of(**settings):
        lines = []
        settings = {name: str(value) if isinstance(value, Path) else value for name, value in settings.items()}
        build_directly(BuildSettings(executor="threads", workers=2, **settings), LineProgress(lines.append, lambda _: None))
        return lines

    return notes_of
