"""convert, run again: a shard whose files all agree is reused, any other is built again."""

import errno
import os
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image, UnidentifiedImageError

from imagerecords.schemas.receipt import COLUMNS
from imagerecords.tasks.convert import convert_shard
from imagerecords.tasks.dataset.receipts import read_receipt
from imagerecords.tasks.sources import fetch
from imagerecords.tasks.storage.folders import Folder


def test_a_finished_shard_is_reused_and_verified(planned, digests):
    settings, _, output, shard = planned
    first = convert_shard(shard, settings)
    before, times = digests(output.path), os.stat(output.join(shard.name)).st_mtime_ns
    second = convert_shard(shard, settings)
    assert first.verified is None
    assert second.verified.records == 4
    assert (second.images, second.written, second.rejected) == (first.images, first.written, first.rejected)
    assert digests(output.path) == before
    assert os.stat(output.join(shard.name)).st_mtime_ns == times


def flipped(data):
    """The bytes with one bit in the middle changed."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


DAMAGE = {
    "deleted": lambda path: path.unlink(),
    "emptied": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "flipped": lambda path: path.write_bytes(flipped(path.read_bytes())),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"1 2\n"),
    "other": lambda path: path.write_bytes(b"something else entirely, and long enough to be read"),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("file", ["{name}", "index/{name}.idx", "_build/receipts/{name}.parquet"])
def test_a_shard_whose_files_do_not_all_agree_is_built_again(planned, digests, file, damage):
    settings, _, output, shard = planned
    convert_shard(shard, settings)
    before = digests(output.path)
    DAMAGE[damage](Path(output.join(file.format(name=shard.name))))
    assert convert_shard(shard, settings).verified is None
    assert digests(output.path) == before


def test_no_damage_to_a_receipt_stops_a_rerun(planned):
    """Wherever the file ends or bits flipped: it is no receipt, or has all columns. (test_receipts.py: every flip is seen.)"""
    settings, _, output, shard = planned
    convert_shard(shard, settings)
    name = f"_build/receipts/{shard.name}.parquet"
    data = output.read(name)
    flips = (data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :] for place in range(0, len(data), 19))
    for damaged in (*(data[:place] for place in range(0, len(data), 3)), *flips):
        Path(output.join(name)).write_bytes(damaged)
        receipt = read_receipt(output, shard.name)
        assert receipt is None or receipt.schema.equals(COLUMNS)


def test_a_receipt_of_another_plan_is_no_proof(planned, tmp_path):
    settings, _, output, shard = planned
    convert_shard(shard, settings)
    path = f"{output.path}/_build/receipts/{shard.name}.parquet"
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({b"imagerecords": b"0" * 64}), path)
    assert convert_shard(shard, settings).verified is None


def test_a_shard_can_be_converted_without_its_inputs_being_there_when_it_is_finished(planned):
    settings, source, _, shard = planned
    convert_shard(shard, settings)
    shutil.rmtree(source)
    assert convert_shard(shard, settings).verified.records == 4


@pytest.mark.parametrize("lost", ["gone", "no permission"])
def test_images_that_could_not_be_read_are_taken_when_they_can(  # noqa: PLR0917
    tmp_path, fill, build, digests, monkeypatch, lost
):
    """A mount that was away, or wrong permissions: neither changes size or time, by which a build knows its input."""
    settings = {"data_directory": fill(tmp_path / "in", {"cat": 4, "dog": 4}), "max_rejected_fraction": 1.0}
    build(output_directory=tmp_path / "expected", **settings)
    aside = tmp_path / "aside"
    real = fetch._read_local

    def read(source, image):
        if image.path == "cat/001.jpg" and lost == "no permission":
            raise PermissionError(errno.EACCES, "Permission denied")
        if image.path == "cat/001.jpg":
            os.rename(tmp_path / "in/cat/001.jpg", aside)
        return real(source, image)

    with monkeypatch.context() as patched:
        patched.setattr(fetch, "_read_local", read)
        assert build(output_directory=tmp_path / "out", **settings).splits[0].written == 7
        if lost == "no permission":
            patched.setattr(Folder, "can_be_read", lambda *_: False)
            assert build(output_directory=tmp_path / "out", **settings).shards_reused == 1
    if aside.exists():
        os.rename(aside, tmp_path / "in/cat/001.jpg")
    again = build(output_directory=tmp_path / "out", **settings)
    assert (again.splits[0].written, again.shards_reused) == (8, 0)
    assert digests(tmp_path / "out") == digests(tmp_path / "expected")


def test_photos_rejected_for_want_of_a_decoder_are_taken_when_it_is_there(tmp_path, picture, build, monkeypatch):
    heif = pytest.importorskip("pillow_heif")
    folder = tmp_path / "in/cat"
    folder.mkdir(parents=True)
    (folder / "1.jpg").write_bytes(picture(1))
    heif.from_pillow(Image.open(folder / "1.jpg")).save(folder / "2.heic")
    settings = {"data_directory": tmp_path / "in", "output_directory": tmp_path / "out", "max_rejected_fraction": 1.0}
    with monkeypatch.context() as patch:
        for module in ("images.opening", "convert"):
            patch.setattr(f"imagerecords.tasks.{module}.register_heic", lambda: False)
        patch.setattr("imagerecords.tasks.images.opening.Image.open", _without_heic(Image.open))
        assert build(**settings).splits[0].rejected == {"unsupported": 1}
        assert build(**settings).shards_reused == 1
    assert build(**settings).splits[0].rejected == {}


def _without_heic(open_image):
    """Pillow's open as it is where no plugin for HEIC is registered."""

    def without(file):
        if file.read(12)[4:8] == b"ftyp":
            raise UnidentifiedImageError
        file.seek(0)
        return open_image(file)

    return without
