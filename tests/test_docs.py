"""What the README and the pages in docs/ say is true: generated parts are fresh, links lead somewhere, code runs as written."""

import ast
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from imagerecords.flows.command.app import make_app
from tests.acceptance.running import clean_environment
from tests.markdown import blocks

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMAND_LINE = (ROOT / "docs/command-line.md").read_text()
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]

# What differs between two runs or two machines.
VARYING = [
    (r"\b[0-9a-f]{64}\b", "<digest>"),
    (r"[\d,.]+ s, [\d,]+ images/s", "<time>"),
    (r"[\d,]+ bytes|at byte \d+|\"bytes\": \d+", "<bytes>"),
]
PROGRESS = ("imagerecords: running ", "imagerecords: convert: ", "imagerecords: validate: ")


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def block(language, containing):
    (found,) = [text for kind, text in blocks(README) if kind == language and containing in text]
    return found


def console_steps(text):
    """The commands of a console block, each with the output that the page shows."""
    for step in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command = re.match(r"(?:.*\\\n)*.*\n", step)[0]
        yield command, step[len(command) :]


def steps(page):
    """What a page's console and python blocks run, in order: language, code and the output shown (None: not shown)."""
    for kind, text in blocks(page):
        if kind == "console":
            yield from (("console", command, output) for command, output in console_steps(text))
        elif kind == "python":
            yield "python", text, None


def masked(output):
    """Output without what varies, without progress, and without spaces at the ends of lines."""
    for pattern, word in VARYING:
        output = re.sub(pattern, word, output)
    return "\n".join(line.rstrip() for line in output.splitlines() if not line.startswith(PROGRESS))


def run(arguments, folder):
    """Run a program in a folder as a reader of the docs would; what it prints, as a terminal would show it."""
    environment = clean_environment(folder.parent / ".prefect") | {  # one database for all tests here: making it takes seconds
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "200",
        "PYTHONUNBUFFERED": "1",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    return subprocess.run(
        arguments, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """`digits()` makes a folder as the docs suppose it: data/train, data/validation and labels.txt."""
    make_digits = load(ROOT / "docs/demo/make_digits.py").make_digits

    def make():
        directory = tmp_path_factory.mktemp("digits")
        make_digits(directory / "data")
        (directory / "data/labels.txt").rename(directory / "labels.txt")
        return directory

    return make


@pytest.mark.parametrize("page", ["README.md", "docs/settings.md"])
def test_generated_parts_are_up_to_date(page):
    text = (ROOT / page).read_text()
    assert load(ROOT / "docs/generate.py").filled(text) == text, "run make docs"


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", page, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        file = page.parent / path if path else page
        if not file.exists() or (anchor and anchor not in anchors(file.read_text())):
            dead.append(target)
    assert dead == []


def test_the_make_targets_that_the_readme_names_exist():
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"\bmake ([a-z]+(?:-[a-z]+)*)\b", README)) <= targets
    printed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(f"make {target}" in printed for target in targets)


def test_every_code_block_of_the_readers_page_is_run_by_a_test():
    """The tests in tests/acceptance/readers name the sections whose blocks they run."""
    sections = re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", (ROOT / "docs/readers.md").read_text(), re.M | re.S)
    tests = "".join(path.read_text() for path in (ROOT / "tests/acceptance/readers").glob("test_*.py"))
    assert {kind for _, text in sections for kind, _ in blocks(text)} == {"python"}
    with_code = [title for title, text in sections if blocks(text)]
    assert len(with_code) == 9
    assert [title for title in with_code if f'"{title}"' not in tests] == []


def test_the_demo_of_the_readme_builds_and_audits_a_data_set(tmp_path):
    """The recipe of `make demo`, with this environment in place of the one that `make setup` makes."""
    for name in ("Makefile", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    done = run(["make", "--old-file=setup", f"BIN={Path(sys.executable).parent}", "demo"], tmp_path)
    assert done.returncode == 0, done.stdout
    assert "1,797 records" in done.stdout
    assert "0 problems" in done.stdout
    assert (tmp_path / "demo/digit.jpg").read_bytes().startswith(b"\xff\xd8")


@pytest.mark.parametrize("page", ["README.md", "docs/production.md"])
def test_prefects_commands_on_a_page_name_deployments_settings_and_a_flow_that_exist(page):
    from imagerecords.flows.build import build_image_dataset
    from imagerecords.flows.prefect_ui.parameters import settings_from

    text = (ROOT / page).read_text()
    ((asked, options),) = re.findall(r"^prefect deployment run (\S+) ((?:.*\\\n)*.*)$", text, re.M)
    words = iter(shlex.split(options.replace("\\\n", " ")))
    given = dict(next(words).split("=", 1) for word in words if word == "-p")
    parameters = {name: yaml.safe_load(value) for name, value in given.items()}
    deployments = yaml.safe_load((ROOT / "deployments/prefect.yaml").read_text())["deployments"]
    assert asked in {f"build-image-dataset/{deployment['name']}" for deployment in deployments}
    assert settings_from(build_image_dataset.validate_parameters(parameters)).output_directory
    (served,) = re.findall(r"^prefect flow serve (\S+)", text, re.M)
    assert served == "flows/build.py:build_image_dataset"  # tests/flows/test_loading.py loads it by this path


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


def test_the_command_line_page_shows_what_its_commands_print(digits):
    folder = digits()
    for kind, code, shown in steps(COMMAND_LINE):
        done = run(["bash", "-c", code] if kind == "console" else [sys.executable, "-c", code], folder)
        if kind == "console":
            assert masked(done.stdout) == masked(shown), code
        else:
            assert done.returncode == 0, f"{code}\n{done.stdout}"


def test_the_command_line_page_has_a_section_with_an_example_for_every_command():
    commands = {name for name in make_app() if not name.startswith("-")}
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", COMMAND_LINE, re.M | re.S))
    assert len(commands) == 10
    assert {name for name in commands if f"imagerecords {name} " not in sections.get(name, "")} == set()
    assert {name for name in commands if f"[`{name}`](#{name})" not in COMMAND_LINE} == set()


def texts_in_the_source():
    """All texts in flows/, tasks/ and schemas/; in an f-string, "\0" stands for what is filled in."""
    for path in (path for folder in ("flows", "tasks", "schemas") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                yield "".join(part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_the_messages_on_the_troubleshooting_page_are_in_the_source():
    page = (ROOT / "docs/troubleshooting.md").read_text()
    texts = list(texts_in_the_source())
    quoted = re.findall(r"^\| `([^`]+)` \|", page, re.M)
    assert len(quoted) > 40
    patterns = {message: ".*".join(re.escape(part.strip()) for part in message.split("…")) for message in quoted}
    assert [message for message in quoted if not any(re.search(patterns[message], text, re.S) for text in texts)] == []
