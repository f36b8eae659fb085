"""The fork server that the command starts before it reads its settings."""

import subprocess
import sys

import pytest

from imagerecords.flows.executors import early
from imagerecords.flows.executors.fork_server import PRELOAD

BUILD = ["build", "--data_directory", "photos", "--output_directory", "out"]


@pytest.mark.parametrize(
    ("arguments", "variables", "started"),
    [
        (BUILD, {}, [[PRELOAD]]),
        ([*BUILD, "--no-prefect", "--json"], {}, [[PRELOAD]]),
        (["plan", *BUILD[1:]], {}, []),
        ([], {}, []),
        (["build", "--help"], {}, []),
        ([*BUILD, "--executor", "threads"], {}, []),
        ([*BUILD, "--executor=dask"], {}, []),
        ([*BUILD, "--config", "build.yaml"], {}, []),  # it may name another executor, or S3
        ([*BUILD[:-1], "s3://bucket/out"], {}, []),  # whose fork server has more imports
        (BUILD, {"IMAGERECORDS_EXECUTOR": "threads"}, []),
    ],
)
def test_the_fork_server_starts_early_where_the_arguments_show_that_it_is_used(monkeypatch, arguments, variables, started):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    calls = []
    monkeypatch.setattr(early, "start_fork_server", calls.append)
    early.start_early(arguments)
    assert calls == started


def test_a_fork_server_that_could_not_start_early_is_left_to_the_build(monkeypatch):
    def refused(modules):
        raise OSError("no socket")

    monkeypatch.setattr(early, "start_fork_server", refused)
    early.start_early(BUILD)


def test_a_command_that_fails_at_once_leaves_no_fork_server_behind(tmp_path):
    """It would hold standard error open until its imports are done."""
    script = """if True:
        from multiprocessing import forkserver

        import psutil

        from imagerecords.__main__ import main

        assert main() == 2
        server = psutil.Process(forkserver._forkserver._forkserver_pid)
        print(len(psutil.wait_procs([server], 10)[1]))
    """
    command = [sys.executable, "-c", script, "build", "--no-prefect", "--data_directory", str(tmp_path / "none")]
    ran = subprocess.run([*command, "--output_directory", str(tmp_path / "out")], capture_output=True, text=True, check=True)
    assert ran.stdout == "0\n"
    assert "must be an existing directory" in ran.stderr
