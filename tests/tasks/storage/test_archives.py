"""Zip files as folders, archives that are none, and file systems whose package is missing."""

import shutil
import zipfile

import pytest

from imagerecords.schemas.errors import BadInput, BadSettings
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.storage.archives import unpacking
from imagerecords.tasks.storage.folders import open_folder, open_output


@pytest.fixture
def archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as file:
        file.writestr("train/cat/1.jpg", b"one")
        file.writestr("train/dog/2.jpg", b"two")
    return tmp_path / "photos.zip"


@pytest.mark.parametrize("url", ["{}", "zip://::{}", "zip://train::{}", "zip:///train/::{}"])
def test_a_zip_file_is_a_folder_with_one_url_in_every_working_directory(archive, url, monkeypatch):
    monkeypatch.chdir(archive.parent)
    folder = open_folder(url.format(archive.name), {})
    below = "" if "train" in url else "train/"
    assert folder.read(f"{below}cat/1.jpg") == b"one"
    assert folder.canonical_url == f"zip://{'' if below else 'train'}::{archive}"
    monkeypatch.chdir("/")
    assert open_folder(folder.canonical_url, {}).read(f"{below}dog/2.jpg") == b"two"


def test_a_folder_whose_name_ends_as_an_archive_does_is_a_folder(tmp_path):
    (tmp_path / "a.zip").mkdir()
    (tmp_path / "a.zip" / "x").write_bytes(b"x")
    assert open_folder(str(tmp_path / "a.zip"), {}).read("x") == b"x"


@pytest.mark.parametrize("kind", ["gztar", "xztar"])
@pytest.mark.parametrize("url", ["{}", "tar://::{}"])
def test_a_compressed_tar_is_refused(tmp_path, kind, url):
    (tmp_path / "in").mkdir()
    made = shutil.make_archive(str(tmp_path / "photos"), kind, tmp_path / "in")
    with pytest.raises(
        BadSettings, match=r"not be compressed, .*photos.* Unpack it: mkdir \S+/photos && tar -xf \S+ -C \S+/photos$"
    ):
        open_folder(url.format(made), {})


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("rar://::x.rar", "got another archive: rar://::x.rar. Unpack it: unrar x x.rar x/"),
        ("tar://{}/x.tar", "must be tar://FOLDER::FILE, got tar://.*/x.tar. Pass the file's path alone"),
        ("zip://{}/x.zip", "must be zip://FOLDER::FILE, got zip://.*/x.zip. Pass the file's path alone"),
        ("tar://::s3://bucket/x.tar", "must be on this machine, .*s3://bucket/x.tar. Copy it"),
        ("tar://::{}/nothing.tar", "must be there, got none: .*nothing.tar"),
        ("zip://::{}/nothing.zip", "must be there, got none: .*nothing.zip"),
        ("{}/broken.zip", "must be a whole zip file, got File is not a zip file: .*broken.zip"),
    ],
)
def test_other_archives_are_refused(url, words, tmp_path):
    (tmp_path / "broken.zip").write_bytes(b"PK no zip")
    with pytest.raises(BadInput, match=words):
        open_folder(url.format(tmp_path), {}).exists("x")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("my photos.tar.gz", "Unpack it: mkdir 'my photos' && tar -xf 'my photos.tar.gz' -C 'my photos'"),
        ("in/a.7z", "Unpack it: 7z x in/a.7z -oin/a"),
        ("s3://bucket/a.zip", "Pass zip://::s3://bucket/a.zip to read it in place"),
        ("https://example.org/a.tgz", "Copy it to this machine and unpack it there, or make it a zip file"),
        ("photos", ""),
    ],
)
def test_an_archive_that_is_not_read_is_unpacked_by_a_command(url, words):
    assert unpacking(url) == words


@pytest.mark.parametrize("name", ["tar", "zip", "rar", "7z"])
def test_a_folder_may_be_named_like_a_kind_of_archive(tmp_path, monkeypatch, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "x").write_bytes(b"y")
    monkeypatch.chdir(tmp_path)
    assert open_folder(name, {}).read("x") == b"y"


def test_an_output_in_an_archive_is_refused(archive):
    settings = BuildSettings(data_directory="in", output_directory=f"zip://out::{archive}")
    with pytest.raises(BadSettings, match="output_directory must be a folder, got one in an archive"):
        open_output(settings)


@pytest.mark.parametrize(("url", "package", "extra"), [("gs://b/x", "gcsfs", "gcs"), ("az://c/x", "adlfs", "azure")])
def test_a_missing_package_is_named_with_the_command_that_installs_it(url, package, extra, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(
        BadSettings, match=rf"must have the package {package}, got none: .* pip install 'imagerecords\[{extra}\]'"
    ):
        open_folder(url, {})
