"""A full disk stops a build with one clear line, and never leaves half a file under a final name."""

import json
import resource
import subprocess
from pathlib import Path

import pytest

from imagerecords.tasks.audit.folder import audit_folder
from tests.acceptance.running import COMMAND, Images, Running, Shell, last_word, leftovers, receipts, shard_files
from tests.digests import digests

TOO_SMALL_FOR_THE_PLAN = 1_000
TOO_SMALL_FOR_A_SHARD = 60_000


def _one_clear_line(build: Running, naming: str) -> None:
    assert build.last_word.startswith("imagerecords: error: ")
    assert naming in build.last_word
    assert "Traceback" not in build.stderr
    assert build.stderr.count("error:") == 1, "one line, not one for each shard"


def _no_half_files(output: Path, images: Images) -> None:
    assert not leftovers(output)
    for file in output.rglob("*"):
        if file.is_file():
            name = file.relative_to(output).as_posix()
            assert digests(output)[name] == images.undisturbed.digests[name], f"{name} is not what a whole build writes"
    for shard in shard_files(output):
        assert not audit_folder(str(shard), {}).problems
    assert set(receipts(output)) <= {path.name for path in shard_files(output)}
    assert not (output / "dataset_info.json").exists()


@pytest.mark.parametrize(
    ("runner", "executor"), [("--no-prefect", "processes"), ("--no-prefect", "threads"), ("--prefect", "processes")]
)
def test_a_file_that_outgrows_its_limit_stops_the_build_with_a_line_naming_it(
    runner: str, executor: str, shell: Shell, quick: Images, request: pytest.FixtureRequest
):
    output = shell.folder / "data"
    server = {"PREFECT_API_URL": request.getfixturevalue("prefect_server")} if runner == "--prefect" else {}

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (TOO_SMALL_FOR_A_SHARD, resource.RLIM_INFINITY))

    build = shell.start(quick.arguments(output, runner, executor=executor), server, preexec_fn=limit)
    assert build.wait() == 1
    _one_clear_line(build, f"{output}/train-0000")
    _no_half_files(output, quick)
    shell.run(quick.arguments(output, "--no-prefect"))
    assert digests(output) == quick.undisturbed.digests


def test_a_plan_that_does_not_fit_stops_the_build_with_a_line_naming_it(shell: Shell, quick: Images):
    output = shell.folder / "data"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (TOO_SMALL_FOR_THE_PLAN, resource.RLIM_INFINITY))

    build = shell.start(quick.arguments(output, "--no-prefect"), preexec_fn=limit)
    assert build.wait() == 1
    _one_clear_line(build, f"{output}/_build/plan.parquet")
    _no_half_files(output, quick)
    shell.run(quick.arguments(output, "--no-prefect"))
    assert digests(output) == quick.undisturbed.digests


# In a mount namespace of its own, so that nothing stays mounted whatever happens.
ON_A_SMALL_DISK = """
set -u
mount -t tmpfs -o size=$1 none disk
shift
"$@" 2> full.err > full.out
echo $? > full.code
cp -a disk full
mount -o remount,size=64m disk
"$@" 2> rerun.err > rerun.out
echo $? > rerun.code
cp -a disk rerun
"""


@pytest.mark.skipif(
    subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode != 0,
    reason="needs a system that lets a user mount in a namespace",
)
@pytest.mark.parametrize("kilobytes", [100, 300, 500])
def test_a_full_disk_stops_the_build_and_a_rerun_with_room_finishes_it(kilobytes: int, shell: Shell, quick: Images):
    """The largest has room for all but the data card."""
    (shell.folder / "disk").mkdir()
    words = [COMMAND, *quick.arguments("disk/data", "--no-prefect", report=True)]
    shell.start_program(["unshare", "-rm", "sh", "-c", ON_A_SMALL_DISK, "sh", f"{kilobytes}k", *words]).wait()
    full, rerun = shell.folder / "full/data", shell.folder / "rerun/data"
    said = (shell.folder / "full.err").read_text()
    assert (shell.folder / "full.code").read_text() == "1\n", said
    last = last_word(said)
    assert last.startswith("imagerecords: error: ")
    assert "No space left on device" in last
    assert "disk/data/" in last
    assert "Traceback" not in said
    _no_half_files(full, quick)
    assert (shell.folder / "rerun.code").read_text() == "0\n", (shell.folder / "rerun.err").read_text()
    summary = json.loads((shell.folder / "rerun.out").read_text())
    assert summary["shards_reused"] == len(receipts(full))
    there = digests(rerun)
    assert there.pop("report.html")
    assert there == quick.undisturbed.digests
