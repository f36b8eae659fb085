"""Loading the flow, by name and by path, beside foreign modules of the same names."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BY_NAME = "imagerecords.flows.build.build_image_dataset"
BY_PATH = f"{ROOT}/flows/build.py:build_image_dataset"
MODULES = sorted(path.stem for path in (ROOT / "flows").glob("*.py") if path.stem != "__init__")

# Prints where the flow is from, which of our modules `import NAME` finds, and which are entered under such a name.
LOAD = """
import importlib, importlib.util, json, sys
from prefect.flows import load_flow_from_entrypoint

flow = load_flow_from_entrypoint(sys.argv[1], use_placeholder_flow=False)
names = json.loads(sys.argv[2])
print(json.dumps({
    "name": flow.name,
    "is_the_real_one": flow is importlib.import_module("imagerecords.flows.build").build_image_dataset,
    "entered": [name for name in names if name in sys.modules],
    "found": {name: found.origin for name in names if (found := importlib.util.find_spec(name))},
    "foreign": [importlib.import_module(name).__file__ for name in sys.argv[3:]],
}))
"""


def load(entrypoint, *foreign, folder):
    """What LOAD prints, in this working directory."""
    command = [sys.executable, "-c", LOAD, entrypoint, json.dumps(MODULES), *foreign]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.parametrize("entrypoint", [BY_NAME, BY_PATH])
def test_a_loaded_flow_is_the_real_one_and_our_modules_are_not_found_by_their_bare_names(entrypoint, tmp_path):
    loaded = load(entrypoint, "build", folder=tmp_path)
    assert loaded["name"] == "build-image-dataset"
    assert loaded["is_the_real_one"]
    assert loaded["entered"] == []
    assert [name for name, place in loaded["found"].items() if place.startswith(f"{ROOT}/flows/")] == []
    assert Path(loaded["foreign"][0]).parent.name == "build"  # the package from PyPI


def test_the_flow_can_be_loaded_by_its_path_again_and_again(tmp_path):
    """A process worker does so for each run."""
    code = f"from prefect.flows import load_flow_from_entrypoint as load\nprint(load({BY_PATH!r}) is load({BY_PATH!r}))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert ran.stdout == "True\n", ran.stderr


def test_prefect_reads_the_flows_name_without_importing_it():
    """It does so before it runs the flow. The parameters come from the settings' model, so by importing it alone."""
    from prefect.flows import load_flow_arguments_from_entrypoint

    assert load_flow_arguments_from_entrypoint(BY_PATH, ["name"]) == {"name": "build-image-dataset"}


@pytest.fixture(params=[True, False], ids=["packages", "folders without __init__"])
def project(tmp_path, request):
    """A user's project with folders flows/, tasks/ and schemas/ of its own."""
    for name in ("flows", "tasks", "schemas"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "build.py").write_text("VALUE = 1\n")
        if request.param:
            (tmp_path / name / "__init__.py").touch()
    return tmp_path


@pytest.mark.parametrize("entrypoint", [BY_NAME, BY_PATH])
def test_foreign_folders_of_our_names_do_not_shadow_ours(entrypoint, project):
    assert load(entrypoint, folder=project)["is_the_real_one"]


@pytest.mark.parametrize("entrypoint", [BY_NAME, BY_PATH])
def test_ours_do_not_shadow_foreign_packages(entrypoint, project):
    """Neither packages nor folders without __init__, which any package of that name on the path would win over."""
    names = [f"{folder}.build" for folder in ("flows", "tasks", "schemas")]
    assert load(entrypoint, *names, folder=project)["foreign"] == [f"{project}/{name.replace('.', '/')}.py" for name in names]


@pytest.mark.parametrize("command", [["-m", "imagerecords.flows.build"], [f"{ROOT}/flows/build.py"]], ids=["-m", "by path"])
def test_the_flow_can_be_run_from_a_project_of_the_users(command, project):
    for name in ("retry", "console", "options"):
        (project / f"{name}.py").write_text("raise SystemExit('a foreign module')")
    ran = subprocess.run([sys.executable, *command, "--help"], cwd=project, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "Build a data set" in ran.stdout
