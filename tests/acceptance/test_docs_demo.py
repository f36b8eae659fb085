"""`make demo` does what the README says."""

import sys
from pathlib import Path

from tests.acceptance.docs_pages import run
from tests.acceptance.installed import ROOT


def test_the_demo_of_the_readme_builds_and_audits_a_data_set(tmp_path):
    """The recipe of `make demo`, with this environment in place of the one that `make setup` makes."""
    for name in ("Makefile", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    done = run(["make", "--old-file=setup", f"BIN={Path(sys.executable).parent}", "demo"], tmp_path)
    assert done.returncode == 0, done.stdout
    assert "1,797 records" in done.stdout
    assert "0 problems" in done.stdout
    assert (tmp_path / "demo/digit.jpg").read_bytes().startswith(b"\xff\xd8")
