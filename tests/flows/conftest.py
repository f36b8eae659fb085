"""Shared by the tests of flows: the command, run in this process as its entry point runs it."""

import os
import signal
from typing import NamedTuple

import pytest


class Ran(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def no_settings_around(monkeypatch, tmp_path):
    """Neither a configured Prefect API nor settings from the environment of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith(("PREFECT_", "IMAGERECORDS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect-home"))
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def imagerecords(capfd):
    """`imagerecords("build", "--seed", 1)` runs the command and gives its exit code and what it printed where."""
    from imagerecords.flows.command.app import app, run

    def imagerecords(*arguments):
        handler = signal.getsignal(signal.SIGTERM)
        capfd.readouterr()
        app.config = ()  # a process runs one command; here a broken file would be read again for the next
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
