"""The house's rules: who may import what, names and sizes of modules."""

import ast
import importlib
import importlib.util
import itertools
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
# The folders that each folder may import, besides itself; the Python API imports all three.
TABLE = {"schemas": set(), "tasks": {"schemas"}, "flows": {"schemas", "tasks"}, "imagerecords": {"schemas", "tasks", "flows"}}
OLD_NAMES = {"schemas", "tasks", "flows"}  # users have folders of these names
NOT_INSTALLED = {"deployments", "tests", "benchmarks"}
ONLY_IN_FLOWS = {"prefect", "cyclopts", "rich", "distributed", "dask"}
# The folders in tasks/ from low to high: a module imports from its own folder and from those before it.
RANKS = ["schemas", "storage", "images", "records", "sources", "planning", "dataset"]
RANKS += ["findings", "data_card", "steps", "audit", "commands"]
ON_TOP = {"audit", "commands"}  # they import neither the steps nor each other
INPUT_AND_OUTPUT = {"os", "io", "pathlib", "shutil", "tempfile", "subprocess", "socket", "fsspec", "s3fs", "obstore"}


def is_script(node):
    """Whether a node is `if __name__ == "__main__"`."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


def nodes_of(module):
    """All nodes of a module but those of its script."""
    for node in module.body:
        if not is_script(node):
            yield from ast.walk(node)


def modules_imported_by(path):
    """The dotted names of all that a module imports, anywhere in it; "." is a relative import.

    The block of a script, under `if __name__ == "__main__"`, is no part of the module that others import.
    """
    names = set()
    for node in nodes_of(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {"."} if node.level else {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def imports_of(path):
    """The top-level names of all that a module imports."""
    return {name.partition(".")[0] or "." for name in modules_imported_by(path)}


def folders_imported_by(path):
    """The project's folders that a module imports from; "imagerecords" is the API at the package's top."""
    names = [name.split(".") for name in modules_imported_by(path) if name.split(".")[0] == "imagerecords"]
    return {parts[1] if len(parts) > 1 and parts[1] in TABLE else "imagerecords" for parts in names}


def named(path):
    return str(path.relative_to(ROOT))


def modules_in(*folders):
    """The import names of the modules in these folders."""
    paths = [path.relative_to(ROOT) for path in MODULES if path.relative_to(ROOT).parts[0] in folders]
    return ["imagerecords." + ".".join(path.with_suffix("").parts) for path in paths]


def module_graph(*folders):
    """Each module in these folders, with those of them that it imports anywhere in it."""
    names = set(modules_in(*folders))
    paths = {name: ROOT / (name.removeprefix("imagerecords.").replace(".", "/") + ".py") for name in names}
    return {name: modules_imported_by(path) & names - {name} for name, path in paths.items()}


def folder_of(module):
    """The folder in RANKS of `imagerecords.tasks.records.frames`; a module directly in tasks/ is a step."""
    _, folder, *rest = module.split(".")
    return folder if folder == "schemas" else rest[0] if len(rest) > 1 else "steps"


def test_no_import_runs_against_the_table():
    offenders = []
    for path in MODULES:
        folder, imported = path.relative_to(ROOT).parts[0], imports_of(path)
        wrong = (folders_imported_by(path) - TABLE[folder] - {folder}) | (imported & (OLD_NAMES | NOT_INSTALLED))
        wrong |= imported & {"."}  # relative imports would hide from this test
        wrong |= imported & ONLY_IN_FLOWS if folder not in ("flows", "imagerecords") else set()
        offenders += [f"{named(path)} imports {name}" for name in sorted(wrong)]
    assert offenders == []


def test_no_import_in_tasks_runs_back():
    """E.g. a source that imports a step, a data set's file that imports the findings, a command that runs a step."""
    offenders = [
        f"{module} ({folder_of(module)}) imports {other} ({folder_of(other)})"
        for module, imported in sorted(module_graph("schemas", "tasks").items())
        for other in sorted(imported)
        if RANKS.index(folder_of(other)) > RANKS.index(folder_of(module))
        or (folder_of(module) in ON_TOP and folder_of(other) in {"steps", *ON_TOP} - {folder_of(module)})
    ]
    assert offenders == []


def test_no_modules_import_one_another_in_a_circle():
    graph = module_graph("schemas", "tasks", "flows")
    while leaves := {module for module, imported in graph.items() if not imported}:
        graph = {module: imported - leaves for module, imported in graph.items() if module not in leaves}
    assert sorted(graph) == []  # the rest is in a circle, or imports one


def test_the_nouns_do_no_input_or_output():
    offenders = []
    for path in sorted((ROOT / "schemas").glob("*.py")):
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        used = imports_of(path) & INPUT_AND_OUTPUT | {"open"} & {call.id for call in calls if isinstance(call, ast.Name)}
        offenders += [f"{named(path)}: {name}" for name in sorted(used)]
    assert offenders == []


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


def test_modules_are_small():
    lines = {named(path): len(path.read_text().splitlines()) for path in MODULES}
    assert {name: count for name, count in lines.items() if count > 300} == {}


def test_modules_are_named_for_what_they_hold():
    assert [named(path) for path in MODULES if re.search(r"util|helper|common|manager|misc", path.stem)] == []


def test_each_module_says_what_it_is_for():
    assert [named(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_input_is_never_checked_by_assert():
    """python -O would let it pass."""
    assert [
        named(path) for path in MODULES if any(isinstance(n, ast.Assert) for n in ast.walk(ast.parse(path.read_text())))
    ] == []


COUNTED = "images shards labels files folders splits boxes records rows lines groups names problems errors columns duplicates"
PLURAL = re.compile(rf"^(?: (?!of\b|and\b)\w+)?? (?:{COUNTED.replace(' ', '|')})\b(?!/)")  # not images/s
# By module, the f-string's expression in front of a plural.
NOT_COUNTS = {
    ("tasks/dataset/accounting.py", "split"): "the train images",
    ("tasks/images/process.py", "header.height"): "an image that is too high",
    ("tasks/sources/annotations/folders.py", "some(list(splits))"): "train and validation with images",
    ("tasks/sources/annotations/notes.py", "named"): "at least two images",
    ("tasks/sources/annotations/rows.py", "plural(own, 'image')"): "3 images with labels",
    ("tasks/sources/annotations/rows.py", "read.opened.location"): "export.json names an image",
    ("tasks/sources/boxes.py", "len(names)"): "of more than NAMED names",
    ("tasks/sources/ignored.py", "ending(name)"): ".xml files",
}


def plurals_after_values(path):
    """The expressions of a module's f-strings, and the %d of its texts, that are followed by a plural."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            for value, text in itertools.pairwise(node.values):
                if isinstance(value, ast.FormattedValue) and isinstance(text, ast.Constant) and PLURAL.match(text.value):
                    yield ast.unparse(value.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from ("%d" for text in node.value.split("%d")[1:] if PLURAL.match(text))


def test_a_number_agrees_with_its_noun():
    """`plural` writes both: "1 images" can't come back. A CONSTANT is above one."""
    found = {(named(path), value) for path in MODULES for value in plurals_after_values(path) if not value.isupper()}
    assert sorted(found - set(NOT_COUNTS)) == []
    assert sorted(set(NOT_COUNTS) - found) == []  # no exception outlives its reason


def test_parquet_is_read_through_memory_and_files_of_arrows_own():
    """tasks/storage/arrow_files.py says why."""
    offenders = [named(path) for path in MODULES if {"io", "pyarrow.parquet"} <= modules_imported_by(path)]
    allowed = {"arrow_reader", "file"}  # `file` is what open_for_arrow gives
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "ParquetFile":
                source = node.args[0].func if isinstance(node.args[0], ast.Call) else node.args[0]
                offenders += [] if isinstance(source, ast.Name) and source.id in allowed else [named(path)]
            offenders += [named(path)] if isinstance(node, ast.Attribute) and node.attr == "read_table" else []
    assert offenders == []


def entrypoints():
    """The entrypoints of all deployments, `path/to/file.py:function` or `module.function`."""
    texts = [yaml.safe_load(file.read_text()) or {} for file in (ROOT / "deployments").rglob("*.yaml")]
    return [deployment["entrypoint"] for text in texts for deployment in text.get("deployments", [])]


def test_every_entrypoint_of_a_deployment_resolves_to_a_flow():
    from prefect import Flow

    found = entrypoints()
    assert len(found) >= 3
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
