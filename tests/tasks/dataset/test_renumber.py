"""Old shards under their new names: the same bytes, and no moment at which a kill could lose one."""

import os
import shutil
import threading

import pytest
from fsspec.implementations.local import LocalFileSystem

from imagerecords.schemas.errors import OutputConflict
from imagerecords.schemas.settings import BuildSettings
from imagerecords.tasks.append import append_images, base_plan
from imagerecords.tasks.dataset.receipts import read_receipt, receipt_fingerprint
from imagerecords.tasks.discover import discover_images
from imagerecords.tasks.prepare import prepare_output
from imagerecords.tasks.storage import folders as storage
from imagerecords.tasks.storage.folders import Folder, open_folder


class Killed(BaseException):
    """What no code catches, as no code catches SIGKILL."""


@pytest.fixture
def killer(monkeypatch):
    """`killer(operations, work)` lets `work()` change an output so many times and kills it then; returns whether it did."""
    left = []
    guard = threading.Lock()

    def counted(operation):
        def run(*arguments, **keywords):
            with guard:
                if left and left[0] == 0:
                    raise Killed
                if left:
                    left[0] -= 1
            return operation(*arguments, **keywords)

        return run

    monkeypatch.setattr(os, "replace", counted(os.replace))
    monkeypatch.setattr(LocalFileSystem, "rm_file", counted(LocalFileSystem.rm_file))
    memory = type(open_folder("memory://", {}).fs)
    for name in ("cp_file", "rm_file", "put_file", "pipe_file"):
        monkeypatch.setattr(memory, name, counted(getattr(memory, name)))

    def kill(operations, work):
        left[:] = [operations]
        try:
            work()
        except Killed:
            return True
        finally:
            left.clear()
        return False

    return kill


class Store:
    """Where outputs lie: a directory, or a file system without renames."""

    def __init__(self, url):
        self.url = url
        self.folder = open_folder(url, {})

    def copy(self, source, name):
        """A copy of the output `source` under another name; gives its URL."""
        self.folder.fs.copy(self.folder.join(source) + "/", self.folder.join(name) + "/", recursive=True)
        return f"{self.url}/{name}"

    def files(self, name):
        """The bytes of each file of an output."""
        root = self.folder.join(name)
        fs = self.folder.fs
        return {path.removeprefix(root): fs.cat_file(path) for path in fs.find(root)}


@pytest.fixture(params=["local", "memory"])
def store(request, tmp_path):
    if request.param == "local":
        yield Store(str(tmp_path / "store"))
    else:
        yield Store(f"memory://{tmp_path.name}")
        shutil.rmtree(storage.scratch_directory(open_folder(f"memory://{tmp_path.name}/out", {})), ignore_errors=True)


@pytest.fixture
def source(tmp_path, fill):
    """An input of two splits."""
    fill(tmp_path / "train", {"cat": 3, "dog": 3})
    fill(tmp_path / "validation", {"cat": 2, "dog": 2})
    return tmp_path


@pytest.fixture
def settings(source):
    """`settings(url)` of an append to an output."""
    inputs = {"train_directory": source / "train", "validation_directory": source / "validation"}

    def settings(url, **more):
        paths = {name: str(path) for name, path in inputs.items()}
        return {**paths, "output_directory": url, "append": True, "executor": "threads", "workers": 1} | more

    return settings


def prepare(settings):
    """The first step of an append that writes."""
    settings = BuildSettings(**settings)
    base = base_plan(settings)
    listing = discover_images(settings, base.header.labels)
    prepare_output(append_images(base, listing, settings).plan, settings)


@pytest.fixture
def add(source, picture):
    """`add(1, 2)` adds images of these numbers to the label cat in both splits."""

    def add(*numbers):
        for split in ("train", "validation"):
            for number in numbers:
                (source / split / "cat" / f"new{number}.jpg").write_bytes(picture(number))

    return add


def withdraw(source):
    for path in source.rglob("new*.jpg"):
        path.unlink()


AFTERWARDS = {
    # the input changes between the kill and the rerun, which has these arguments
    "the same": {},
    "more images": {},
    "withdrawn": {},
    "withdrawn, and an ordinary build": {"append": False, "train_shards": 2, "validation_shards": 1},
}


@pytest.mark.parametrize("afterwards", AFTERWARDS)
def test_killed_between_any_two_changes_and_run_again_it_is_as_if_nothing_had_been(  # noqa: PLR0917
    store, source, settings, build, add, killer, afterwards
):
    build(**settings(f"{store.url}/base", train_shards=2, validation_shards=1))
    add(1, 2)
    kills, url = 0, store.copy("base", "killed0")
    while killer(kills, lambda: prepare(settings(url))):  # noqa: B023  # called at once
        kills += 1
        url = store.copy("base", f"killed{kills}")
    assert kills > 3 * 4, "a receipt, a file, an index and a receipt's end for each of three shards"
    if afterwards == "more images":
        add(3)
    if afterwards.startswith("withdrawn"):
        withdraw(source)
    build(**settings(store.copy("base", "undisturbed"), **AFTERWARDS[afterwards]))
    expected = store.files("undisturbed")
    if afterwards.startswith("withdrawn"):
        assert expected == store.files("base")
    for number in range(kills):
        build(**settings(f"{store.url}/killed{number}", **AFTERWARDS[afterwards]))
        assert store.files(f"killed{number}") == expected, f"killed before change {number}"


def test_a_receipt_has_the_new_name_and_is_otherwise_the_old_one(store, settings, build, add):
    url = f"{store.url}/out"
    build(**settings(url, train_shards=2))
    before = read_receipt(open_folder(url, {}), "train-00001-of-00002")
    add(1)
    prepare(settings(url))
    after = read_receipt(open_folder(url, {}), "train-00001-of-00003")
    assert set(after["shard"].to_pylist()) == {"train-00001-of-00003"}
    assert after.drop_columns("shard").equals(before.drop_columns("shard"))
    assert receipt_fingerprint(after) == receipt_fingerprint(before)


def test_the_data_set_is_not_complete_while_its_shards_change_names(store, settings, build, add, killer):
    build(**settings(f"{store.url}/out"))
    add(1)
    assert killer(1, lambda: prepare(settings(f"{store.url}/out")))
    assert "/dataset_info.json" not in store.files("out")


STRANGERS = [
    "train-00001-of-00003",  # a new name of an old shard, but nobody renamed it
    "train-00002-of-00003",  # where the new shard is to be
    "train-00000-of-00009",
    "test-00000-of-00001",
]


@pytest.mark.parametrize("name", STRANGERS)
def test_a_strange_shard_beside_the_plans_is_refused(store, settings, build, add, name):
    url = f"{store.url}/out"
    build(**settings(url, train_shards=2))
    open_folder(url, {}).write(name, b"")
    add(1)
    before = store.files("out")
    with pytest.raises(OutputConflict, match=name):
        build(**settings(url))
    assert store.files("out") == before


def test_what_an_unfinished_base_left_is_removed_and_built_under_the_new_name(store, settings, build, add):
    """A first build that was killed after a shard's file and before its receipt, and then more images."""
    url = f"{store.url}/out"
    build(**settings(url, train_shards=2))
    output: Folder = open_folder(url, {})
    output.remove("_build/receipts/train-00001-of-00002.parquet")
    output.remove("dataset_info.json")
    add(1)
    summary = build(**settings(url))
    names = [path for path in store.files("out") if "train-0000" in path]
    assert all("-of-00003" in path for path in names)
    assert len(names) == 3 * 3
    assert summary.shards_reused == 2, "the other old one of each split"
