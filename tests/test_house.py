"""The house's rules: who may import what, names and sizes of modules."""

import ast
import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "imagerecords"  # with links to the three folders
MODULES = sorted(
    [path for folder in ("schemas", "tasks", "flows") for path in (ROOT / folder).rglob("*.py")] + list(PACKAGE.glob("*.py"))
)
# What each folder may import of ours, besides itself; the Python API stands on all three.
TABLE = {"schemas": set(), "tasks": {"schemas"}, "flows": {"schemas", "tasks"}, "imagerecords": {"schemas", "tasks", "flows"}}
OLD_NAMES = {"schemas", "tasks", "flows"}  # users have folders of these names
NOT_INSTALLED = {"deployments", "tests", "benchmarks"}
ONLY_IN_FLOWS = {"prefect", "cyclopts", "rich", "distributed", "dask"}
INPUT_AND_OUTPUT = {"os", "io", "pathlib", "shutil", "tempfile", "subprocess", "socket", "fsspec", "s3fs", "obstore"}


def modules_imported_by(path):
    """The dotted names of all that a module imports, anywhere in it; "." stands for a relative import."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." if node.level else node.module)
    return names


def imports_of(path):
    """The top-level names of all that a module imports."""
    return {name.partition(".")[0] or "." for name in modules_imported_by(path)}


def rooms_imported_by(path):
    """Which of our folders a module imports from; "imagerecords" stands for the API at the package's top."""
    ours = [name.split(".") for name in modules_imported_by(path) if name.split(".")[0] == "imagerecords"]
    return {parts[1] if len(parts) > 1 and parts[1] in TABLE else "imagerecords" for parts in ours}


def named(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_no_import_runs_against_the_table(path):
    folder = path.relative_to(ROOT).parts[0]
    imported = imports_of(path)
    assert rooms_imported_by(path) <= TABLE[folder] | {folder}
    assert not imported & (OLD_NAMES | NOT_INSTALLED)
    assert "." not in imported  # relative imports would hide from this test
    assert folder in ("flows", "imagerecords") or not imported & ONLY_IN_FLOWS


@pytest.mark.parametrize("path", sorted((ROOT / "schemas").glob("*.py")), ids=named)
def test_the_nouns_do_no_input_or_output(path):
    assert not imports_of(path) & INPUT_AND_OUTPUT
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert "open" not in {call.id for call in calls if isinstance(call, ast.Name)}


def test_deployments_hold_no_python():
    assert list((ROOT / "deployments").rglob("*.py")) == []


BLOCKER = """
import importlib, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("prefect", "tensorflow"):
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Blocker())
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def modules_in(*folders):
    """The import names of the modules in these folders."""
    paths = [path.relative_to(ROOT) for path in MODULES if path.relative_to(ROOT).parts[0] in folders]
    return ["imagerecords." + ".".join(path.with_suffix("").parts) for path in paths]


def test_nouns_and_verbs_import_without_prefect_and_tensorflow(tmp_path):
    """So does what every worker process imports."""
    workers = ["imagerecords", "imagerecords.flows.executors.pool", "imagerecords.flows.direct"]
    names = [name.removesuffix(".__init__") for name in modules_in("schemas", "tasks")] + workers
    assert len(names) > 25
    ran = subprocess.run([sys.executable, "-c", BLOCKER, *names], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_the_blocker_blocks(tmp_path):
    """Else the test above could not fail."""
    ran = subprocess.run(
        [sys.executable, "-c", BLOCKER, "imagerecords.flows.build"], cwd=tmp_path, capture_output=True, text=True
    )
    assert "prefect is blocked" in ran.stderr


def test_no_module_of_flows_has_a_standard_librarys_name():
    """Prefect puts the flow's folder first on sys.path: a flows/inspect.py breaks every worker."""
    stems = {path.stem for path in (ROOT / "flows").glob("*.py")} - {"__init__", "__main__"}
    assert not stems & set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_modules_are_small_and_named_for_what_they_hold(path):
    assert len(path.read_text().splitlines()) <= 300
    assert not re.search(r"util|helper|common|manager|misc", path.stem)


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_each_module_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_input_is_never_checked_by_assert(path):
    """python -O would let it pass."""
    assert not [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)]


def entrypoints():
    """The entrypoints of all deployments, `path/to/file.py:function` or `module.function`."""
    files = [ROOT / "prefect.yaml", *(ROOT / "deployments").rglob("*.yaml")]
    texts = [yaml.safe_load(file.read_text()) or {} for file in files if file.exists()]
    return [deployment["entrypoint"] for text in texts for deployment in text.get("deployments", [])]


def test_every_entrypoint_of_a_deployment_resolves_to_a_flow():
    found = entrypoints()
    if not found:
        pytest.skip("no prefect.yaml with deployments yet")
    from prefect import Flow

    for entrypoint in found:
        place, _, name = entrypoint.rpartition(":") if ":" in entrypoint else entrypoint.rpartition(".")
        module = place.removesuffix(".py").replace("/", ".")
        assert isinstance(getattr(importlib.import_module(module), name), Flow), entrypoint


def test_what_is_committed_names_no_machines_path():
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    forbidden = re.compile("|".join(map(re.escape, (str(ROOT) + "/", sys.prefix + "/"))))
    hits = []
    for name in filter(None, tracked.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix not in {".png", ".jpg", ".parquet", ".lock"}:
            hits += [name for line in path.read_text(errors="replace").splitlines() if forbidden.search(line)]
    assert hits == []
