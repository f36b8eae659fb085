"""Tar files as folders: read in place by any number of threads, and never half of one."""

import io
import tarfile
from concurrent.futures import ThreadPoolExecutor

import pytest

from imagerecords.schemas.errors import BadLayout
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.sources.walk import walk_files
from imagerecords.tasks.storage.folders import open_folder, open_output

LONG = "é" * 120 + "/" + "x" * 90 + ".jpg"


def made(path, members, form=tarfile.PAX_FORMAT):
    """A tar of (name, bytes), or (name, type, target of a link)."""
    with tarfile.open(path, "w", format=form) as archive:
        for name, *content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content[0], bytes) and len(content) == 1:
                info.size = len(content[0])
                archive.addfile(info, io.BytesIO(content[0]))
            else:
                info.type, info.linkname = content
                archive.addfile(info)
    return path


@pytest.fixture
def tar(tmp_path):
    members = [("./train/cat/1.jpg", b"one"), ("train/dog/2.jpg", b"two"), ("train/empty", tarfile.DIRTYPE, "")]
    return made(tmp_path / "photos.tar", members)


@pytest.mark.parametrize("url", ["{}", "tar://::{}", "tar://train::{}", "tar:///train/::{}"])
def test_a_tar_file_is_a_folder_with_one_url_in_every_working_directory(tar, url, monkeypatch):
    monkeypatch.chdir(tar.parent)
    folder = open_folder(url.format(tar.name), {})
    below = "" if "train" in url else "train/"
    assert folder.read(f"{below}cat/1.jpg") == b"one"
    assert folder.read_range(f"{below}dog/2.jpg", 1, 2) == b"wo"
    assert folder.canonical_url == f"tar://{'' if below else 'train'}::{tar}"
    monkeypatch.chdir("/")
    again = open_folder(folder.canonical_url, {})
    assert again.read(f"{below}dog/2.jpg") == b"two"
    assert again.open(f"{below}dog/2.jpg").read() == b"two"
    assert [file.path for file in walk_files(again, "").files] == [f"{below}cat/1.jpg", f"{below}dog/2.jpg"]
    assert (again.exists("train/empty" if below else "empty"), again.exists("nothing")) == (True, False)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_form_of_tar_is_read(tmp_path, form):
    name = "d/" * 60 + "x.jpg" if form == tarfile.USTAR_FORMAT else LONG
    assert open_folder(str(made(tmp_path / "a.tar", [(name, b"x"), ("y", b"y")], form)), {}).read(name) == b"x"


def test_many_threads_get_each_its_own_bytes(tmp_path):
    contents = {f"{number}.jpg": bytes([number]) * (1000 + number) for number in range(200)}
    folder = open_folder(str(made(tmp_path / "a.tar", contents.items())), {})
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(folder.read, contents)) == list(contents.values())


def test_links_lead_to_what_they_name_and_of_two_files_of_one_name_the_last_counts(tmp_path):
    members = [
        *[("a/1.jpg", b"old"), ("a/1.jpg", b"new"), ("b/hard.jpg", tarfile.LNKTYPE, "a/1.jpg")],
        *[("b/soft.jpg", tarfile.SYMTYPE, "../a/1.jpg"), ("b/again.jpg", tarfile.SYMTYPE, "soft.jpg")],
    ]
    folder = open_folder(str(made(tmp_path / "a.tar", members)), {})
    assert {folder.read(name) for name in ("a/1.jpg", "b/hard.jpg", "b/soft.jpg", "b/again.jpg")} == {b"new"}


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([("../x.jpg", b"x")], r"must not leave it, got \.\./x\.jpg"),
        ([("x.jpg", tarfile.SYMTYPE, "/etc/passwd")], "must lead to a file in it, got x.jpg → etc/passwd"),
        ([("x", tarfile.SYMTYPE, "y"), ("y", tarfile.SYMTYPE, "x")], "must lead to a file in it, got x → y"),
        ([("d", tarfile.DIRTYPE, ""), ("x", tarfile.SYMTYPE, "d")], "must lead to a file in it, got x → d"),
    ],
)
def test_members_that_are_no_file_in_the_tar_are_refused(tmp_path, members, words):
    with pytest.raises(BadLayout, match=words):
        open_folder(str(made(tmp_path / "a.tar", members)), {}).exists("x")


def broken(tar, how):
    data = tar.read_bytes()
    end = data.rindex(b"two")
    return {
        "in a file": data[: end + 1],
        "in a header": data[: end - 100],
        "no tar": b"x" * 2000,
        "empty": b"",
        "damaged header": data[: end - 400] + b"\xff" * 200 + data[end - 200 :],
        "joined": data + data,
    }[how]


@pytest.mark.parametrize("how", ["in a file", "in a header", "no tar", "empty", "damaged header", "joined"])
def test_a_tar_that_is_not_whole_is_refused(tar, how):
    tar.write_bytes(broken(tar, how))
    with pytest.raises(BadLayout, match=r"photos\.tar\..* Unpack it"):
        open_folder(str(tar), {}).exists("train")


def test_a_tar_that_is_changed_meanwhile_is_no_longer_read(tar):
    folder = open_folder(str(tar), {})
    assert folder.read("train/cat/1.jpg") == b"one"
    made(tar, [("train/cat/1.jpg", b"two!")])
    with pytest.raises(OSError, match="changed while it was read"):
        folder.read("train/cat/1.jpg")
    assert open_folder(str(tar), {}).read("train/cat/1.jpg") == b"two!"


@pytest.mark.parametrize("listed", [False, True])
def test_label_folders_and_image_lists_in_a_tar_build_what_folders_do(tmp_path, fill, build, digests, listed):
    source = fill(tmp_path / "in", {"cat": 4, "dog": 4})
    with tarfile.open(tmp_path / "in.tar", "w") as archive:
        archive.add(source, "")
    rows = [f"{path.relative_to(source)},{path.parent.name}" for path in sorted(tmp_path.glob("in/*/*"))]
    (tmp_path / "list.csv").write_text("\n".join(["path,label", *rows]))
    for name in ("in", "in.tar"):
        where = {"image_list": str(tmp_path / "list.csv"), "images_directory": str(tmp_path / name)}
        settings = where if listed else {"train_directory": str(tmp_path / name)}
        summary = build(output_directory=tmp_path / f"out {name}", train_shards=2, **settings)
        assert summary.splits[0].written == 8
    shards = [
        {name: sha for name, sha in digests(tmp_path / f"out {name}").items() if name.startswith("train-")}
        for name in ("in", "in.tar")
    ]
    assert shards[0] == shards[1]


def test_an_output_in_a_tar_is_refused(tar):
    with pytest.raises(ValueError, match="must be a folder"):
        open_output(BuildSettings(data_directory="in", output_directory=f"tar://out::{tar}"))
