"""docs/python.md runs as it is written, from its first block to its last, in one plain script without a main guard."""

import shutil
import sys
from pathlib import Path

import imagerecords
from tests.acceptance.installed import ROOT
from tests.markdown import python_blocks

PAGE = (ROOT / "docs/python.md").read_text()


def test_the_pages_code_runs(shell, quick, prefect_server):
    shutil.copytree(quick.train, shell.folder / "data")
    code = "\n".join(python_blocks(PAGE))
    script = shell.folder / "page.py"
    script.write_text(code)
    ran = shell.start_program([sys.executable, str(script)], {"PREFECT_API_URL": prefect_server})
    assert ran.wait() == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[0] == "train 144 images in 4 shards"
    assert "convert: 0 of 180 images" in lines
    assert any("too_small" in line for line in lines)
    assert any(line.startswith("(16, 64, 64, 3)") for line in lines)
    assert (shell.folder / "nightly/dataset_info.json").exists()
    assert Path(shell.folder, "third.png").exists()


def test_the_page_names_every_error_of_the_api():
    errors = [name for name in imagerecords.__all__ if isinstance(getattr(imagerecords, name), type)]
    named = {name for name in errors if issubclass(getattr(imagerecords, name), imagerecords.ImageRecordsError)}
    assert {name for name in named if f"`{name}`" not in PAGE} == set()
