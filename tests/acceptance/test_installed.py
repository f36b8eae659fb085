"""The wheel where people use it: every kind of script, notebook, project and place, with the user's own folders beside it."""

import json
import os
import re
import stat
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

from imagerecords.schemas.version import VERSION
from tests.acceptance.running import clean_environment, free_port, wait_until

ROOT = Path(__file__).parents[2]
IMAGES = 8
SPOKEN = "user code runs"
BUILD = "imagerecords.build(train_directory={data!r}, output_directory='out', train_shards=2, workers=2, progress=False)"
FLOW = "build_image_dataset(BuildSettings(train_directory={data!r}, output_directory='out', train_shards=2, workers=2))"
SECONDS = 120  # nothing here takes so long, unless workers run the caller's script


class Place:
    """A working directory of a user, with labelled images next to it and the installed command."""

    def __init__(self, folder, data, bin_directory):
        self.folder, self.data, self.bin = folder, data, bin_directory
        self.environment = clean_environment(folder / ".prefect-home") | {"HOME": str(folder)}
        folder.mkdir()

    def write(self, name, text, **values):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = textwrap.dedent(text).replace("BUILD", BUILD.format(data=self.data)).replace("FLOW", FLOW.format(data=self.data))
        path.write_text(text)
        return path

    def run(self, *words, cwd=None, **popen):
        words = [str(self.bin / words[0]), *map(str, words[1:])]
        options = {"env": self.environment, "cwd": cwd or self.folder, "capture_output": True, "text": True}
        return subprocess.run(words, timeout=SECONDS, **(options | popen))

    def builds(self, *words, **options):
        """Run it, and expect the data set in `out`."""
        ran = self.run(*words, **options)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        info = json.loads((self.folder / "out/dataset_info.json").read_text())
        assert sum(map(int, info["splits"][0]["shardLengths"])) == IMAGES
        assert SPOKEN not in ran.stdout + ran.stderr
        return ran

    def command(self, **options):
        words = ["build", "--train_directory", self.data, "--output_directory", self.folder / "out", "--train_shards", 2]
        return self.builds("imagerecords", *words, "--workers", 2, **options)


@pytest.fixture(scope="module")
def data(tmp_path_factory, fill):
    return fill(tmp_path_factory.mktemp("images") / "data", {"cat": IMAGES // 2, "dog": IMAGES // 2})


@pytest.fixture
def place(tmp_path, data, bare):
    return Place(tmp_path / "place", data, bare)


@pytest.fixture
def place_with_jupyter_and_dask(tmp_path, data, installed):
    return Place(tmp_path / "place", data, installed)


def put_foreign_folders(place, with_init):
    """The user's own flows/, tasks/ and schemas/, which say when they are imported."""
    for name in ("flows", "tasks", "schemas"):
        place.write(f"{name}/mine.py", f"VALUE = '{name}'")
        place.write(f"{name}/build.py", f"raise SystemExit('{SPOKEN}')")
        if with_init:
            place.write(f"{name}/__init__.py", f"import sys; print('{SPOKEN}', file=sys.stderr)")


# The wheel


def test_the_wheel_holds_one_package_and_nothing_else(wheel):
    modules = [path for folder in ("flows", "schemas", "tasks", "imagerecords") for path in (ROOT / folder).rglob("*.py")]
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert not any(stat.S_ISLNK(entry.external_attr >> 16) for entry in archive.infolist())
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"imagerecords"}
    expected = {path.relative_to(ROOT).as_posix().removeprefix("imagerecords/") for path in modules}
    assert {name.removeprefix("imagerecords/") for name in names if name.endswith(".py")} == expected
    assert "imagerecords/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_alone_builds_a_data_set_with_its_data_card_and_audits_it(place):
    ran = place.command()
    assert re.search(rf"^train +{IMAGES} +{IMAGES} +0 ", ran.stdout, re.M), ran.stdout
    assert (place.folder / "out/report.html").exists()  # its template, style and script came with the wheel
    audited = place.run("imagerecords", "audit", "out")
    assert audited.returncode == 0, audited.stdout + audited.stderr


def test_the_wheel_brings_its_version_and_its_flow(place, wheel):
    assert place.run("imagerecords", "--version").stdout.strip() == VERSION == wheel.name.split("-")[1]
    assert place.run("python", "-m", "imagerecords", "--version").stdout.strip() == VERSION
    code = "from imagerecords.flows.build import build_image_dataset as flow; print(flow.name)"
    assert place.run("python", "-c", code).stdout.strip() == "build-image-dataset"


def test_a_users_type_checker_sees_the_types(place):
    """As py.typed says: mypy finds the wheel's annotations."""
    place.write("use.py", "import imagerecords\nreveal_type(imagerecords.build)\nimagerecords.audit(3)\n")
    checker = [sys.executable, "-m", "mypy", "--python-executable", place.bin / "python", "--cache-dir", "cache", "use.py"]
    ran = subprocess.run(list(map(str, checker)), cwd=place.folder, capture_output=True, text=True, env=place.environment)
    assert "BuildSummary" in ran.stdout, ran.stdout + ran.stderr
    assert 'incompatible type "int"' in ran.stdout, ran.stdout


# Beside the user's own folders


@pytest.mark.parametrize("with_init", [True, False], ids=["packages", "folders"])
def test_the_command_builds_beside_foreign_flows_tasks_and_schemas(place, with_init):
    put_foreign_folders(place, with_init)
    place.command()
    (place.folder / "out/dataset_info.json").unlink()
    place.builds("python", "-m", "imagerecords", *["build", "--no-prefect", "--output_directory", "out", "--train_shards", "2"],
                 "--train_directory", place.data)  # fmt: skip


def test_the_command_and_its_workers_import_no_module_of_the_working_directory(place):
    for name in ("fsspec", "numpy", "pyarrow", "PIL", "json"):
        place.write(f"{name}.py", f"raise SystemExit('{SPOKEN}')")
    place.command()


def test_a_users_own_prefect_project_keeps_its_imports(place):
    """Prefect's loader, the user's folders without __init__: the usual layout."""
    put_foreign_folders(place, with_init=False)
    place.write(
        "flows/etl.py",
        """
        from prefect import flow
        from tasks.mine import VALUE

        @flow
        def etl() -> str:
            return VALUE
        """,
    )
    code = """
    from prefect.flows import load_flow_from_entrypoint
    flow = load_flow_from_entrypoint("flows/etl.py:etl", use_placeholder_flow=False)
    print(flow.name, flow.fn())
    """
    ran = place.run("python", place.write("load.py", code))
    assert ran.stdout.strip() == "etl tasks", ran.stderr


@pytest.mark.parametrize("with_init", [True, False], ids=["packages", "folders"])
def test_the_deployments_entrypoint_loads_from_a_project_of_the_users(place, with_init):
    put_foreign_folders(place, with_init)
    code = """
    from prefect.flows import load_flow_from_entrypoint
    entrypoint = "imagerecords.flows.build.build_image_dataset"
    print(load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False).name)
    import flows.mine, tasks.mine, schemas.mine
    print(flows.mine.VALUE, tasks.mine.VALUE, schemas.mine.VALUE)
    """
    ran = place.run("python", place.write("load.py", code))
    assert ran.stdout.splitlines() == ["build-image-dataset", "flows tasks schemas"], ran.stderr


# Every way to run Python

WITHOUT_GUARD = "import imagerecords\nprint(BUILD.digest)\n"
WITH_GUARD = """
import imagerecords

def main():
    print(BUILD.digest)

if __name__ == "__main__":
    main()
"""
IN_A_THREAD = """
import threading, imagerecords
done = []
thread = threading.Thread(target=lambda: done.append(BUILD))
thread.start()
thread.join()
print(done[0].digest)
"""
AS_A_TEST = """
import imagerecords

def test_build():
    assert BUILD.splits[0].written == 8
"""


@pytest.mark.parametrize("script", [WITHOUT_GUARD, WITH_GUARD, IN_A_THREAD], ids=["no guard", "guard", "thread"])
def test_a_script_builds(place, script):
    place.builds("python", place.write("script.py", script))


def test_a_script_on_standard_input_builds(place):
    place.builds("python", "-", input=WITHOUT_GUARD.replace("BUILD", BUILD.format(data=place.data)))


def test_code_on_the_command_line_builds(place):
    place.builds("python", "-c", WITHOUT_GUARD.replace("BUILD", BUILD.format(data=place.data)))


def test_a_module_of_the_users_package_builds(place):
    place.write("mine/__init__.py", "")
    place.write("mine/train.py", WITHOUT_GUARD)
    place.builds("python", "-m", "mine.train")


def test_a_test_of_the_users_builds(place):
    """By the development environment's pytest, on the installed package."""
    place.write("test_mine.py", AS_A_TEST)
    site = place.run("python", "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])").stdout.strip()
    environment = place.environment | {"PYTHONPATH": site}
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"]
    ran = subprocess.run(words, cwd=place.folder, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_notebook_shows_the_bar_and_the_summary_as_a_table(place_with_jupyter_and_dask):
    import nbformat
    from nbclient import NotebookClient

    place = place_with_jupyter_and_dask
    kernel = {"argv": [str(place.bin / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]}
    place.write("share/jupyter/kernels/installed/kernel.json", json.dumps(kernel | {"display_name": "x", "language": "python"}))
    book = nbformat.v4.new_notebook()
    building = BUILD.format(data=place.data).replace(", progress=False", "")
    book.cells = [nbformat.v4.new_code_cell(f"import imagerecords\n{building}"), nbformat.v4.new_code_cell("1 + 1")]
    client = NotebookClient(book, timeout=SECONDS, kernel_name="installed", resources={"metadata": {"path": place.folder}})
    os.environ["JUPYTER_PATH"] = str(place.folder / "share/jupyter")
    try:
        client.execute()
    finally:
        del os.environ["JUPYTER_PATH"]
    pages = [output["data"].get("text/html", "") for output in book.cells[0].outputs if "data" in output]
    assert any("<progress" in page for page in pages)
    assert any(page.startswith("<table>") and "train" in page for page in pages)
    assert (place.folder / "out/dataset_info.json").exists()


# Odd places


def test_a_working_directory_that_takes_no_files_does_not_matter(place):
    """/proc takes none, not even from root."""
    place.command(cwd="/proc")


def test_an_environment_without_home_does_not_matter(place):
    del place.environment["HOME"]
    place.command()


# Prefect as Prefect finds it


def with_server(place, url):
    place.environment["PREFECT_API_URL"] = url


def test_a_script_without_guard_runs_the_flow(place, prefect_server):
    with_server(place, prefect_server)
    script = """
    from imagerecords import BuildSettings
    from imagerecords.flows.build import build_image_dataset
    print(FLOW.digest)
    """
    place.builds("python", place.write("script.py", script))


@pytest.mark.parametrize("kind", ["sync flow", "async flow", "task"])
def test_the_users_own_flow_runs_the_build(place, prefect_server, kind):
    """As a subflow of a flow of either kind, and without Prefect's help in a task."""
    with_server(place, prefect_server)
    body = {
        "sync flow": "@flow\ndef parent():\n    return FLOW.digest\nprint(parent())",
        "async flow": "import asyncio\n@flow\nasync def parent():\n    return FLOW.digest\nprint(asyncio.run(parent()))",
        "task": "@task\ndef work():\n    return BUILD.digest\n@flow\ndef parent():\n    return work()\nprint(parent())",
    }[kind]
    head = "from prefect import flow, task\nimport imagerecords\nfrom imagerecords import BuildSettings\n"
    head += "from imagerecords.flows.build import build_image_dataset\n"
    place.builds("python", place.write("script.py", head + body))


def test_an_api_url_in_dot_env_is_seen_as_prefect_sees_it(place, prefect_server):
    place.write(".env", f"PREFECT_API_URL={prefect_server}\n")
    assert prefect_server in place.command().stderr
    (place.folder / "out/dataset_info.json").unlink()
    (place.folder / ".env").unlink()
    assert prefect_server not in place.command().stderr


# Dask


def test_a_task_on_a_dask_worker_builds(place_with_jupyter_and_dask):
    """A Dask worker is the client here: it builds with processes of its own."""
    place = place_with_jupyter_and_dask
    script = """
    from distributed import Client, LocalCluster
    import imagerecords

    def work():
        return BUILD.digest

    if __name__ == "__main__":
        with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
            print(client.submit(work).result())
    """
    place.builds("python", place.write("script.py", script))


def on_dask(place, **settings):
    """A script without a guard that builds on a Dask cluster."""
    more = "".join(f", {name}={value!r}" for name, value in settings.items())
    code = BUILD.format(data=place.data).removesuffix(")") + f"{more}, executor='dask')"
    return place.write("script.py", f"import imagerecords\nprint({code}.digest)\n")


def test_a_script_without_guard_builds_on_a_dask_cluster_of_its_own(place_with_jupyter_and_dask):
    place = place_with_jupyter_and_dask
    place.builds("python", on_dask(place))


def test_a_script_without_guard_builds_on_a_running_dask_cluster(place_with_jupyter_and_dask):
    place = place_with_jupyter_and_dask
    address = f"tcp://127.0.0.1:{free_port()}"
    log = place.folder / "dask.log"
    with log.open("w") as file:
        options = {"env": place.environment, "cwd": place.folder, "stdout": file, "stderr": file}
        words = [["scheduler", "--host", address], ["worker", address, "--nthreads", "1", "--no-nanny"]]
        started = [subprocess.Popen([place.bin / "dask", *more, "--no-dashboard"], **options) for more in words]
        try:
            wait_until(lambda: "Registered to" in log.read_text(), "the worker has registered")
            place.builds("python", on_dask(place, dask_address=address))
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait()


# The Python API on what was built


def test_the_package_reads_what_it_built_without_tensorflow_or_prefect(place):
    place.command()
    code = """
    import sys, imagerecords
    data = imagerecords.open_dataset("out")
    record = data["train"][3]
    print(len(data["train"]), sorted(data.labels), record.label in (1, 2), record.image().mode)
    print([name for name in ("tensorflow", "prefect") if name in sys.modules])
    """
    ran = place.run("python", place.write("read.py", code))
    assert ran.stdout.splitlines() == ["8 ['cat', 'dog'] True RGB", "[]"], ran.stderr
