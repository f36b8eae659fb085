"""A step that outlives its build, as one in a remote worker may, leaves the output alone."""

import json
from dataclasses import replace

import pytest

from imagerecords import tasks
from imagerecords.schemas.errors import OutputLocked, ShardFailed
from imagerecords.schemas.output_files import LOCK
from imagerecords.tasks.convert import convert_shard
from imagerecords.tasks.storage.lock import output_lock


@pytest.fixture
def planned(tmp_path, fill, make_settings, prepared):
    """Settings, output and shard of a planned build of four images in one shard."""
    settings = make_settings(train_directory=fill(tmp_path / "in", {"cat": 2, "dog": 2}), output_directory=tmp_path / "out")
    output, (shard,) = prepared(settings)
    return settings, output, shard


def files(tmp_path):
    return {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file() and path.name != "lock"}


def test_a_step_of_the_build_that_holds_the_lock_converts(planned):
    settings, output, shard = planned
    with output_lock(output, 60) as lock:
        assert convert_shard(replace(shard, build=lock.holder.id), settings).written == 4


@pytest.mark.parametrize("held", [True, False], ids=["by another build", "by nobody"])
def test_a_step_that_begins_after_its_build_has_ended_touches_nothing(planned, tmp_path, held):
    settings, output, shard = planned
    convert_shard(shard, settings)
    output.remove(f"index/{shard.name}.idx")  # else the shard would be kept
    before = files(tmp_path)
    with output_lock(output, 60):
        if not held:
            output.remove(LOCK)
        with pytest.raises(OutputLocked, match="lock was lost to"):
            convert_shard(replace(shard, build="an ended build"), settings)
    assert files(tmp_path) == before


def test_a_step_whose_build_ends_meanwhile_publishes_nothing(planned, tmp_path, monkeypatch):
    settings, output, shard = planned
    fetch = tasks.convert.fetch_images

    def fetch_while_another_build_takes_over(*arguments):
        yield from fetch(*arguments)
        output.write(LOCK, json.dumps(json.loads(output.read(LOCK)) | {"id": "another"}).encode())

    monkeypatch.setattr(tasks.convert, "fetch_images", fetch_while_another_build_takes_over)
    before = files(tmp_path)
    with output_lock(output, 60) as lock, pytest.raises(OutputLocked):
        convert_shard(replace(shard, build=lock.holder.id), settings)
    assert files(tmp_path) == before


def test_a_worker_of_another_version_than_the_plan_is_refused(planned, monkeypatch):
    settings, output, shard = planned
    monkeypatch.setattr(tasks.convert, "VERSION", "0.0.9")
    with pytest.raises(ShardFailed, match=r"must have imagerecords .*, as the plan, got 0\.0\.9"):
        convert_shard(shard, settings)
    assert not output.exists(shard.name)
