"""The installed wheel in every way to run Python: scripts with and without a main guard, notebooks, tests, flows, Dask."""

import json
import os
import subprocess
import sys

import pytest

from tests.acceptance.installed import BUILD, SECONDS
from tests.acceptance.running import free_port, wait_until

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
