"""Where files of remote outputs grow: a directory per output and server, which no other user has made."""

import os
import re
import shutil
import stat
import subprocess
import sys

import pytest

from imagerecords.schemas.errors import BadStorage
from imagerecords.tasks.storage.folders import open_folder, refuse_no_scratch_directory, scratch_directory


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_one_url_on_two_servers_has_two_directories(monkeypatch):
    first = scratch_directory(open_folder("memory://out", {}))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    assert scratch_directory(open_folder("memory://out", {})) != first
    assert scratch_directory(open_folder("memory://other", {})).parent == first.parent


def test_nobody_else_may_enter_it(temporary):
    parent = scratch_directory(open_folder("memory://out", {})).parent
    assert parent.parent == temporary
    assert stat.S_IMODE(parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("kind", ["link", "file", "open to all"])
def test_a_place_that_another_user_could_have_made_is_refused(temporary, kind):
    place = temporary / f"imagerecords-{os.getuid()}"
    if kind == "link":
        place.symlink_to(temporary)
    elif kind == "file":
        place.touch()
    else:
        place.mkdir()
        place.chmod(0o777)
    with pytest.raises(BadStorage, match="--scratch_directory"):
        scratch_directory(open_folder("memory://out", {}))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory to somebody else")
def test_another_users_place_is_refused(temporary):
    place = temporary / f"imagerecords-{os.getuid()}"
    place.mkdir(mode=0o700)
    os.chown(place, 1000, 1000)
    with pytest.raises(BadStorage, match="got another's"):
        scratch_directory(open_folder("memory://out", {}))


ON_A_SMALL_DISK = """
import sys
from imagerecords.tasks.storage.folders import open_folder, refuse_no_scratch_directory
folder = open_folder("memory://out", {}, sys.argv[1])
refuse_no_scratch_directory(folder)
with folder.write_whole("train-00000-of-00001") as file:
    for _ in range(1_000_000 // int(sys.argv[2])):
        file.write(bytes(int(sys.argv[2])))
"""


@pytest.mark.skipif(
    subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode != 0,
    reason="needs a system that lets a user mount in a namespace",
)
@pytest.mark.parametrize("size", [1_000, 1_000_000])  # some kilobytes stay in a buffer, which can't be written at the end
def test_a_full_scratch_directory_is_named_with_its_room_and_the_settings_for_another(tmp_path, size):
    mount = 'mount -t tmpfs -o size=400k none "$1" && exec "$2" -c "$3" "$1" "$4"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount, "sh", str(tmp_path), sys.executable, ON_A_SMALL_DISK, str(size)],
        capture_output=True,
        text=True,
    )
    last = done.stderr.splitlines()[-1]
    assert re.search(r"No space left on device \(\d+ of 410 kB free\) in the scratch directory\. .*--scratch_directory", last)
    assert "TMPDIR" in last
    assert last.endswith(f"'{scratch_directory(open_folder('memory://out', {}, str(tmp_path)))}'")


def test_a_scratch_directory_that_is_not_there_and_cant_be_made_is_refused_before_work(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BadStorage, match=r"must be writable, got Not a directory: .*file.*--scratch_directory.*TMPDIR"):
        refuse_no_scratch_directory(open_folder("memory://out", {}, str(tmp_path / "file")))


def test_a_scratch_directory_that_goes_while_a_build_runs_is_named(tmp_path):
    folder = open_folder("memory://out", {}, str(tmp_path / "scratch"))
    refuse_no_scratch_directory(folder)
    shutil.rmtree(tmp_path / "scratch")
    (tmp_path / "scratch").touch()
    with pytest.raises(OSError, match=r"in the scratch directory\. .*--scratch_directory"), folder.write_whole("x"):
        pass


def test_errors_of_the_input_are_not_taken_for_the_scratch_directorys(tmp_path):
    folder = open_folder("memory://out", {}, str(tmp_path))
    with pytest.raises(PermissionError, match="input"), folder.write_whole("x"):
        raise PermissionError(13, "input")


def test_no_temporary_directory_is_one_line(monkeypatch):
    def none():
        raise FileNotFoundError(2, "No usable temporary directory found in ['/a', '/b']")

    monkeypatch.setattr("tempfile.gettempdir", none)
    with pytest.raises(BadStorage, match=r"got none among \['/a', '/b'\]. Set TMPDIR to one"):
        scratch_directory(open_folder("memory://out", {}))
