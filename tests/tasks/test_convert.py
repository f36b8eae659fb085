"""convert: one shard with its index and receipt."""

import os
import shutil
import struct
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from imagerecords.schemas.receipt import Reason
from imagerecords.tasks.convert import convert_shard
from imagerecords.tasks.dataset.receipts import read_receipt
from imagerecords.tasks.storage.folders import open_folder


def rows_of(output, shard):
    return read_receipt(output, shard.name).to_pylist()


def test_each_planned_image_has_one_row_with_its_outcome(planned, digests):
    settings, source, output, shard = planned
    (source / "cat/000.jpg").write_bytes(b"")  # changed since it was planned
    outcome = convert_shard(shard, settings)
    rows = rows_of(output, shard)
    assert (outcome.images, outcome.written, outcome.rejected) == (4, 3, {"changed_during_build": 1})
    assert sorted(row["path"] for row in rows) == ["cat/000.jpg", "cat/001.jpg", "dog/000.jpg", "dog/001.jpg"]
    assert [row["record"] for row in rows if row["status"] == "written"] == [0, 1, 2]
    hashes = digests(source)
    for row in rows:
        if row["status"] == "written":
            assert row["sha256"] == row["encoded_sha256"] == hashes[row["path"]]
            assert row["reason"] is None
        else:
            assert (row["record"], row["offset"], row["sha256"]) == (None, None, None)


def test_the_index_is_what_the_records_are(planned):
    settings, _, output, shard = planned
    convert_shard(shard, settings)
    data, offset, lines = output.read(shard.name), 0, []
    while offset < len(data):
        size = int.from_bytes(data[offset : offset + 8], "little") + 16
        lines.append(f"{offset} {size}\n")
        offset += size
    assert output.read(f"index/{shard.name}.idx").decode() == "".join(lines)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(path.read_bytes() + b"more"),
        lambda path: os.utime(path, ns=(1, 1)),  # same bytes or not: nobody knows any more
        lambda path: path.unlink(),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.unlink(), path.symlink_to("nowhere")),
    ],
    ids=["size", "time", "gone", "folder", "dangling"],
)
def test_an_input_that_changed_since_it_was_planned_is_rejected(planned, change):
    settings, source, output, shard = planned
    change(source / "dog/001.jpg")
    outcome = convert_shard(shard, settings)
    assert outcome.rejected == {"changed_during_build": 1}
    assert [row["path"] for row in rows_of(output, shard) if row["reason"]] == ["dog/001.jpg"]


def test_the_images_of_a_deleted_input_folder_are_rejected_one_by_one(planned):
    settings, source, _, shard = planned
    shutil.rmtree(source)
    assert convert_shard(shard, settings).rejected == {"changed_during_build": 4}


def test_each_reason_is_recorded(tmp_path, fill, picture, make_settings, prepared):
    from PIL import Image

    source = tmp_path / "in"
    good = picture(1, size=(60, 60))
    bomb = bytearray(picture(2))
    frame = bomb.index(b"\xff\xc0")
    bomb[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    fill(source, {"cat": [good, b"", b"text, no image", good[:-500], b"\xff\xd8\xff\xd9", bytes(bomb)]})
    Image.fromarray(np.zeros((10, 10), np.float32)).save(source / "cat/006.jpg", "TIFF")
    (source / "cat/007.jpg").symlink_to("nowhere")
    (source / "cat/008.jpg").write_bytes(good)
    (source / "cat/009.jpg").write_bytes(good + bytes(100_000))
    (source / "cat/010.jpg").write_bytes(picture(3, size=(60, 9)))
    (source / "cat/011.jpg").write_bytes(picture(3, size=(60, 10)))
    (source / "cat/012.jpg").write_bytes(
        picture(3, size=(60, 60), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0")
    )
    (source / "cat/014.jpg").write_bytes(struct.pack("<HHH", 0, 1, 257) + bytes(60))  # an icon of 257 pictures
    (source / "cat/015.jpg").write_bytes(picture(4, size=(60, 60)))
    red, blue = Image.new("RGB", (60, 60), "red"), Image.new("RGB", (60, 60), "blue")
    red.save(source / "cat/013.jpg", "GIF", save_all=True, append_images=[blue])
    settings = make_settings(
        train_directory=source,
        output_directory=tmp_path / "out",
        max_bytes=99_999,
        min_side=10,
        max_aspect=5.9,
        exif="reject",
        animated="reject",
    )
    output, (shard,) = prepared(settings)
    os.utime(source / "cat/008.jpg", ns=(1, 1))
    outcome = convert_shard(replace(shard, killers=("cat/015.jpg",)), settings)
    reasons = {row["path"]: row["reason"] for row in rows_of(output, shard)}
    expected = {
        "cat/000.jpg": None,
        "cat/001.jpg": "empty_file",
        "cat/002.jpg": "not_an_image",
        "cat/003.jpg": "truncated",
        "cat/004.jpg": "corrupt",
        "cat/005.jpg": "too_many_pixels",
        "cat/006.jpg": "unsupported",
        "cat/007.jpg": "unreadable",
        "cat/008.jpg": "changed_during_build",
        "cat/009.jpg": "too_many_bytes",
        "cat/010.jpg": "too_small",
        "cat/011.jpg": "too_elongated",
        "cat/012.jpg": "oriented",
        "cat/013.jpg": "animated",
        "cat/014.jpg": "too_complex",
        "cat/015.jpg": "killed_worker",
    }
    assert reasons == expected
    elsewhere = {Reason.DUPLICATE, Reason.REMOVED, Reason.TOO_MUCH_MEMORY}  # before the conversion; of large images
    assert set(filter(None, expected.values())) == set(Reason) - elsewhere  # the list is closed
    assert outcome.rejected == dict(Counter(sorted(filter(None, expected.values()))))
    assert all(row["message"] for row in rows_of(output, shard) if row["reason"])


def test_a_file_of_too_many_bytes_is_not_even_read(tmp_path, fill, picture, make_settings, prepared):
    source = tmp_path / "in"
    fill(source, {"cat": [picture(1), picture(2) + bytes(5_000)]})
    settings = make_settings(train_directory=source, output_directory=tmp_path / "out", max_bytes=4_000)
    output, (shard,) = prepared(settings)
    os.truncate(source / "cat/001.jpg", 10)  # had it been read, it would have been found changed
    assert convert_shard(shard, settings).rejected == {"too_many_bytes": 1}
    (row,) = [row for row in rows_of(output, shard) if row["reason"]]
    assert (row["source_size"], row["sha256"]) == (len(picture(2)) + 5_000, None)


@pytest.mark.parametrize("check_pixels", ["all", "none"])
def test_a_receipt_has_the_metrics(tmp_path, fill, picture, make_settings, prepared, check_pixels):  # noqa: PLR0917
    source = tmp_path / "in"
    fill(source, {"cat": [picture(1, size=(60, 60)), picture(2, "PNG", "L", (60, 60)), b"no picture"]})
    settings = make_settings(train_directory=source, output_directory=tmp_path / "out", check_pixels=check_pixels)
    output, (shard,) = prepared(settings)
    convert_shard(shard, settings)
    for row in rows_of(output, shard):
        measured = [row[name] is not None for name in ("brightness", "contrast", "sharpness", "dhash")]
        assert measured == [row["status"] == "written" and check_pixels == "all"] * 4


def test_content_decides_never_the_name(tmp_path, picture, make_settings, prepared):
    source = tmp_path / "in/cat"
    source.mkdir(parents=True)
    (source / "jpeg.png").write_bytes(picture(1))
    (source / "PNG.jpg").write_bytes(picture(2, "PNG"))
    (source / "noextension").write_bytes(picture(3, "GIF", "P"))
    settings = make_settings(train_directory=tmp_path / "in", output_directory=tmp_path / "out")
    output, (shard,) = prepared(settings)
    convert_shard(shard, settings)
    rows = {row["path"]: row for row in rows_of(output, shard)}
    formats = {path: row["source_format"] for path, row in rows.items()}
    assert formats == {"cat/PNG.jpg": "PNG", "cat/jpeg.png": "JPEG", "cat/noextension": "GIF"}
    untouched = {path for path, row in rows.items() if row["sha256"] == row["encoded_sha256"]}
    assert untouched == {"cat/jpeg.png"}  # the classic script re-encodes it, for its name


def test_an_error_of_the_disk_leaves_no_shard_and_no_scratch(planned, monkeypatch):
    """Raised from within, at the third record."""
    from imagerecords.tasks.records import writer

    settings, _, output, shard = planned
    calls = []

    def failing(data):
        calls.append(data)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return real(data)

    real = writer.frame
    monkeypatch.setattr(writer, "frame", failing)
    with pytest.raises(OSError, match=shard.name):
        convert_shard(shard, settings)
    assert not output.exists(shard.name)
    assert output.files("_build/tmp") == []


def test_remote_input_and_output_give_the_same_shard(planned, make_settings, prepared):
    """Through fsspec's memory file system, with read-ahead."""
    settings, source, output, shard = planned
    convert_shard(shard, settings)
    memory = open_folder("memory://convert/in", {})
    for path in source.rglob("*.jpg"):
        memory.fs.pipe_file(memory.join(str(path.relative_to(source))), path.read_bytes())
    for read_ahead in (1, 3, 100):
        there = make_settings(
            train_directory="memory://convert/in", output_directory=f"memory://convert/out{read_ahead}", read_ahead=read_ahead
        )
        remote, (remote_shard,) = prepared(there)
        convert_shard(remote_shard, there)
        assert remote.read(shard.name) == output.read(shard.name)
        assert remote.read(f"index/{shard.name}.idx") == output.read(f"index/{shard.name}.idx")


def test_a_remote_input_of_another_size_is_rejected(planned, make_settings, prepared):
    memory = open_folder("memory://changed/in", {})
    memory.fs.pipe_file(memory.join("a/1.jpg"), b"one")
    settings = make_settings(train_directory="memory://changed/in", output_directory="memory://changed/out")
    _, (shard,) = prepared(settings)
    memory.fs.pipe_file(memory.join("a/1.jpg"), b"other")
    assert convert_shard(shard, settings).rejected == {"changed_during_build": 1}


def test_a_remote_input_of_the_same_size_but_another_version_is_rejected(picture, make_settings, prepared):
    """The listing had an ETag or a time; an object that was replaced is not the one that was planned."""
    memory = open_folder("memory://replaced/in", {})
    memory.fs.pipe_file(memory.join("a/1.jpg"), picture(1) + b"1")
    settings = make_settings(train_directory="memory://replaced/in", output_directory="memory://replaced/out")
    _, (shard,) = prepared(settings)
    memory.fs.pipe_file(memory.join("a/1.jpg"), picture(1) + b"2")
    assert convert_shard(shard, settings).rejected == {"changed_during_build": 1}


def test_a_stopped_thread_ends_between_images(planned):
    import threading

    from imagerecords.schemas.cancellation import stop_when
    from imagerecords.schemas.errors import Interrupted

    settings, _, output, shard = planned
    stop = threading.Event()
    stop.set()
    raised = []

    def work():
        stop_when(stop)
        try:
            convert_shard(shard, settings)
        except Interrupted as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert raised
    assert not output.exists(shard.name)
