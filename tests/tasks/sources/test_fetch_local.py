"""Images read from disks: what is not the planned file any more, or can't be read, is rejected by name; the others go on."""

import os
from pathlib import Path

import pytest

from imagerecords.schemas.receipt import Reason, Rejected
from imagerecords.tasks.discover import discover_images
from imagerecords.tasks.sources import fetch
from imagerecords.tasks.sources.fetch import fetch_images
from imagerecords.tasks.storage.folders import open_folder


@pytest.fixture
def source(tmp_path, fill):
    """An input of one label."""
    return Path(fill(tmp_path / "in", {"cat": 3}))


def reasons(source, settings, change=None):
    """What became of each image, by name, when `change` happens between listing and reading."""
    images = discover_images(settings).images
    if change:
        change()
    return {
        image.path: data.reason if isinstance(data, Rejected) else None
        for image, data in fetch_images(open_folder(str(source), {}), images, settings)
    }


def test_a_named_pipe_in_an_images_place_is_not_waited_for(source, make_settings):
    first = min(source.rglob("*.jpg"))

    def swap():
        first.unlink()
        os.mkfifo(first)

    found = reasons(source, make_settings(train_directory=str(source)), swap)
    assert found.pop(f"cat/{first.name}") is Reason.CHANGED_DURING_BUILD
    assert set(found.values()) == {None}


def test_a_file_that_has_grown_is_not_read(source, make_settings):
    first = min(source.rglob("*.jpg"))
    found = reasons(source, make_settings(train_directory=str(source)), lambda: os.truncate(first, 1 << 40))  # sparse
    assert found[f"cat/{first.name}"] is Reason.CHANGED_DURING_BUILD


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="no /proc here")
def test_an_image_that_the_disk_can_not_read_is_rejected_and_the_others_are_not(source, make_settings, monkeypatch):
    """/proc/self/mem answers a read of its first byte as a bad sector does."""
    monkeypatch.setattr(fetch, "READ_AGAIN_AFTER", 0.001)
    (source / "cat" / "bad.jpg").symlink_to("/proc/self/mem")
    found = reasons(source, make_settings(train_directory=str(source), retries=1))
    assert found.pop("cat/bad.jpg") is Reason.UNREADABLE
    assert (len(found), set(found.values())) == (3, {None})
