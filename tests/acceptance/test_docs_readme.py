"""The README's code runs as it is written, and its commands print what it shows."""

import re
import sys

import pytest

from tests.acceptance.docs_pages import console_steps, masked, run
from tests.acceptance.installed import ROOT
from tests.markdown import blocks

README = (ROOT / "README.md").read_text()


def block(language, containing):
    (found,) = [text for kind, text in blocks(README) if kind == language and containing in text]
    return found


def test_every_code_block_of_the_readme_is_run_by_a_test_here():
    run_here = [
        "make demo",
        "imagerecords plan  --",
        "summary = imagerecords.build(",
        "build_image_dataset(",
        "prefect deployment run ",
        ".tf(",
        "tf.io.parse",
    ]
    code = [text for kind, text in blocks(README) if kind in ("bash", "python") or text.startswith("prefect ")]
    assert [part for part, text in zip(run_here, code, strict=True) if part not in text] == []


def test_the_readmes_commands_print_what_it_shows(digits):
    folder = digits()
    for command, shown in console_steps(block("console", "imagerecords plan")):
        assert masked(run(["bash", "-c", command], folder).stdout) == masked(shown), command


@pytest.fixture(scope="module")
def workplace(digits):
    """A folder in which the README's commands for one's own folders were run, and how that went."""
    directory = digits()
    return directory, run(["bash", "-euc", block("bash", "imagerecords plan")], directory)


def test_the_readmes_commands_build_audit_and_show_a_data_set(workplace):
    directory, done = workplace
    assert done.returncode == 0, done.stdout
    assert "10 shards converted" in done.stdout
    assert "0 problems" in done.stdout
    assert (directory / "third.jpg").read_bytes().startswith(b"\xff\xd8")


def test_the_readmes_tree_names_what_a_build_writes(workplace):
    (tree,) = [text for kind, text in blocks(README) if not kind and text.startswith("out/\n")]
    shown = {word for line in tree.splitlines()[1:] for word in line.split() if re.fullmatch(r"\w[\w./-]*\.\w+|[\w-]+/", word)}
    written = {path.name + "/" * path.is_dir() for path in (workplace[0] / "out").iterdir()}
    assert {name for name in written if not re.match(r"(train|validation)-", name)} == {
        name.partition("/")[0] + "/" * ("/" in name) for name in shown
    }


@pytest.mark.parametrize("part", ["summary = imagerecords.build(", "build_image_dataset("])
def test_the_readmes_python_code_builds(workplace, part):
    done = run([sys.executable, "-c", block("python", part)], workplace[0])
    assert done.returncode == 0, done.stdout


def test_the_readmes_tensorflow_code_reads_what_was_built(workplace, monkeypatch, tf):
    directory, _ = workplace
    monkeypatch.chdir(directory)
    names = {}
    exec(block("python", ".tf(batch=32"), names)
    images, labels = next(iter(names["images"]))
    assert images.shape == (32, 224, 224, 3)
    assert labels.shape == (32,)
    exec(block("python", "tf.io.parse_single_example"), names)
    shapes = {(tuple(image.shape), bool(1 <= label <= 10)) for image, label in names["images"]}
    assert shapes == {((64, 64, 3), True)}
