"""Folders: files appear whole or not at all, under the ordinary mode, on every file system."""

import os
import stat
from dataclasses import replace

import pytest

from imagerecords.tasks.storage.folders import open_folder, scratch_directory, sweep_unfinished
from imagerecords.tasks.storage.whole_files import UMASK


@pytest.fixture(params=["local", "memory"])
def folder(request, tmp_path):
    """An output that is not there yet, local and not."""
    return open_folder(str(tmp_path / "out") if request.param == "local" else f"memory://{tmp_path.name}/out", {})


def test_a_file_reads_back(folder):
    folder.write("index/a.idx", b"content")
    assert folder.read("index/a.idx") == b"content"
    with folder.open("index/a.idx") as file:
        assert file.read(3) == b"con"
    assert folder.files("index") == ["a.idx"]
    assert folder.exists("index/a.idx")


def test_brackets_in_a_name_are_no_pattern(folder):
    """fsspec's cat, get and rm take them for one (findings/fsspec_removes_another_picture_for_brackets_in_a_name.sh)."""
    for name in ("photo1.jpg", "photo[1].jpg"):
        folder.write(name, name.encode())
    assert folder.read("photo[1].jpg") == b"photo[1].jpg"
    folder.remove("photo[1].jpg")
    assert folder.files() == ["photo1.jpg"]


def test_an_empty_file_is_a_file(folder):
    folder.write("train-00000-of-00001", b"")
    assert folder.read("train-00000-of-00001") == b""
    assert folder.files() == ["train-00000-of-00001"]


def test_a_file_is_not_there_before_it_is_whole(folder):
    with folder.write_whole("train-00000-of-00001") as file:
        file.write(b"half")
        file.flush()
        assert not folder.exists("train-00000-of-00001")
        assert folder.files() == []
    assert folder.read("train-00000-of-00001") == b"half"


def test_a_failed_write_leaves_nothing_and_the_old_file_as_it_was(folder):
    folder.write("labels.txt", b"old")
    with pytest.raises(TypeError), folder.write_whole("labels.txt") as file:
        file.writelines([b"new", None])
    assert folder.read("labels.txt") == b"old"
    assert list(scratch_directory(folder).iterdir()) == []


def test_a_file_is_replaced_whole(folder):
    folder.write("labels.txt", b"a longer old content")
    folder.write("labels.txt", b"new")
    assert folder.read("labels.txt") == b"new"


def test_removing_what_is_not_there_is_no_error(folder):
    folder.remove("nothing")
    folder.remove("no/such/folder")


def test_a_folder_that_is_not_there_has_no_files(folder):
    assert folder.files() == []
    assert folder.files("index") == []
    assert not folder.exists()


def test_unfinished_files_are_swept(folder):
    scratch = scratch_directory(folder)
    scratch.mkdir(parents=True)
    (scratch / "train-00000-of-00001.abc").write_bytes(b"half")
    sweep_unfinished(folder)
    assert not scratch.exists()


def test_published_files_have_the_ordinary_mode(tmp_path):
    """Not the 0600 of temporary files, which nobody else may read."""
    folder = open_folder(str(tmp_path), {})
    folder.write("labels.txt", b"x")
    assert stat.S_IMODE(os.stat(tmp_path / "labels.txt").st_mode) == 0o666 & ~UMASK


def test_an_error_of_the_disk_names_the_file(tmp_path):
    folder = open_folder(str(tmp_path), {})
    with pytest.raises(OSError, match=r"labels\.txt"), folder.write_whole("labels.txt"):
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("url", ["{root}", "{root}/", "file://{root}", "{root}/./", "{root}/x/.."])
def test_one_folder_has_one_path_however_it_is_written(tmp_path, url):
    """Else two names of one output would hold two locks' worth of trust, and an input could hide its output."""
    (tmp_path / "x").mkdir()
    assert open_folder(url.format(root=tmp_path), {}).path == str(tmp_path)


def test_a_relative_folder_is_below_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert open_folder("out", {}).path == str(tmp_path / "out")


def test_options_for_remote_file_systems_do_not_disturb_local_paths(tmp_path):
    assert open_folder(str(tmp_path), {"endpoint_url": "http://127.0.0.1:1"}).is_local


def test_a_file_that_may_not_be_written_any_more_does_not_appear(folder):
    def refuse():
        raise PermissionError("no more")

    folder.write("labels.txt", b"old")
    guarded = replace(folder, guard=refuse)
    with pytest.raises(PermissionError, match="no more"):
        guarded.write("labels.txt", b"new")
    with pytest.raises(PermissionError, match="no more"), guarded.write_whole("labels.txt") as file:
        file.write(b"new")
    assert folder.read("labels.txt") == b"old"


def test_a_file_that_goes_while_a_folder_is_listed_hides_no_other(tmp_path):
    """As network mounts' own files for what is open and removed (.nfs…, .fuse_hidden…)."""
    folder = open_folder(str(tmp_path), {})
    for name in ("a", "b"):
        folder.write(name, b"")
    (tmp_path / "inner").mkdir()
    (tmp_path / ".fuse_hidden1").symlink_to("nothing")
    assert folder.files() == [".fuse_hidden1", "a", "b"]
