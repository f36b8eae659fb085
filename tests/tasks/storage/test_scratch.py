"""Where files of remote outputs grow: a directory per output and server, which no other user has made."""

import os
import stat

import pytest

from imagerecords.schemas.errors import BadStorage
from imagerecords.tasks.storage.folders import open_folder, scratch_directory


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
