"""Cron and containers have no UTF-8: names are printed escaped there, and the command ends as anywhere."""

import os
import subprocess
import sys

import pytest

from imagerecords.schemas.messages import printable

PLAN = "from imagerecords.flows.command.app import run; import sys; sys.exit(run(sys.argv[1:]))"


@pytest.fixture
def japanese(fill, tmp_path):
    return fill(tmp_path / "in", {"日本": 2, "größe": 2})


def plan(folder, **environment):
    words = [sys.executable, "-c", PLAN, "plan", "--train_directory", str(folder), "--output_directory", "out"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    return subprocess.run(words, capture_output=True, env=kept | environment)


@pytest.mark.parametrize(("encoding", "label"), [("ascii", rb"gr\xf6\xdfe"), ("latin-1", "größe".encode("latin-1"))])
def test_names_that_a_terminal_can_t_show_are_printed_escaped(japanese, encoding, label):
    ran = plan(japanese, PYTHONIOENCODING=encoding)
    assert ran.returncode == 0, ran.stderr
    assert rb"\u65e5\u672c" in ran.stdout
    assert label in ran.stdout


def test_names_that_python_reads_in_another_encoding_are_not_taken_for_the_users_fault(japanese):
    ran = plan(japanese, LC_ALL="POSIX", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    assert ran.returncode == 2
    assert b"Set PYTHONUTF8=1, since Python reads names as ascii here" in ran.stderr
    assert printable(ran.stderr.decode()).isascii()
