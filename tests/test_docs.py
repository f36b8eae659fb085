"""What README and docs say is true: generated parts are fresh, links lead somewhere, messages are in the source."""

import ast
import importlib.util
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from imagerecords.flows.command.app import make_app
from tests.markdown import blocks

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMAND_LINE = (ROOT / "docs/command-line.md").read_text()
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
    assert served == "imagerecords.flows.build.build_image_dataset"  # tests/flows/test_loading.py loads it by this name


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
