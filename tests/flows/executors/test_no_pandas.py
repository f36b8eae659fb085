"""pandas, where it is installed, is not imported."""

import subprocess
import sys

import pytest


def test_no_process_of_a_build_imports_pandas(tmp_path, fill):
    pytest.importorskip("pandas")
    where = ["--train_directory", fill(tmp_path / "in", {"cat": 4}), "--output_directory", str(tmp_path / "out")]
    python = [sys.executable, "-X", "importtime", "-m", "imagerecords", "build", "--no-prefect", "--workers", "2"]
    printed = subprocess.run([*python, *where], capture_output=True, text=True, check=True).stderr
    names = [line.rpartition("| ")[2].strip() for line in printed.splitlines() if line.startswith("import time:")]
    assert names.count("numpy") >= 2, "the command and its fork server both print what they import"
    assert "pandas.core" not in names


def test_pandas_can_still_be_imported_and_used_with_pyarrow():
    pytest.importorskip("pandas")
    code = (
        "from imagerecords.flows.executors.no_pandas import keep_pandas_out; keep_pandas_out()\n"
        "import pandas, pyarrow as pa\n"
        "assert pa.table({'a': [1, 2]}).to_pandas()['a'].sum() == 3\n"
        "assert pa.Table.from_pandas(pandas.DataFrame({'a': [1]})).to_pylist() == [{'a': 1}]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
