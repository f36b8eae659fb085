"""What the README says is true: its generated parts are fresh, and its code blocks run as they are written."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.M | re.S)
RUN_WITH_THE_READERS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs/readers.md").read_text(), re.M | re.S)


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def block(language, containing):
    (found,) = [text for kind, text in BLOCKS if kind == language and containing in text]
    return found


def test_the_generated_parts_of_the_readme_are_up_to_date():
    assert load(ROOT / "docs/generate.py").filled(README) == README, "run make docs"


def test_every_code_block_of_the_readme_is_run_by_a_test_here():
    run_here = ["make demo", "imagerecords plan", "tf.io.parse_single_example"]
    code = [text for kind, text in BLOCKS if kind in ("bash", "python") and text not in RUN_WITH_THE_READERS]
    assert len(code) == len(run_here)
    assert all(any(part in text for text in code) for part in run_here)


def test_every_code_block_of_the_readers_page_is_run_by_a_test():
    """The tests in tests/acceptance/readers name the sections whose blocks they run."""
    sections = re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", (ROOT / "docs/readers.md").read_text(), re.M | re.S)
    tests = "".join(path.read_text() for path in (ROOT / "tests/acceptance/readers").glob("test_*.py"))
    assert {kind for _, text in sections for kind in re.findall(r"^```(\w+)$", text, re.M)} == {"python"}
    with_code = [title for title, text in sections if "```python" in text]
    assert len(with_code) == 9
    assert [title for title in with_code if f'"{title}"' not in tests] == []


def test_the_make_targets_that_the_readme_names_exist():
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"\bmake ([a-z]+(?:-[a-z]+)*)\b", README)) <= targets
    printed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(f"make {target}" in printed for target in targets)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A directory as the README supposes it: data/train, data/validation, labels.txt, and the command on the PATH."""
    directory = tmp_path_factory.mktemp("workplace")
    load(ROOT / "docs/demo/make_digits.py").make_digits(directory / "data")
    (directory / "data/labels.txt").rename(directory / "labels.txt")
    commands = block("bash", "imagerecords plan")
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PREFECT_API_URL", None)
    done = subprocess.run(["bash", "-euc", commands], cwd=directory, env=environment, capture_output=True, text=True)
    return directory, done


def test_the_readmes_commands_build_audit_and_show_a_data_set(workplace):
    directory, done = workplace
    assert done.returncode == 0, done.stderr
    assert "10 shards converted" in done.stdout
    assert "0 faults" in done.stdout
    assert (directory / "third.jpg").read_bytes().startswith(b"\xff\xd8")


def test_the_readmes_tensorflow_code_reads_what_was_built(workplace, monkeypatch, tf):
    directory, _ = workplace
    monkeypatch.chdir(directory)
    names = {}
    exec(block("python", "tf.io.parse_single_example"), names)
    shapes = {(tuple(image.shape), bool(1 <= label <= 10)) for image, label in names["images"]}
    assert shapes == {((64, 64, 3), True)}
