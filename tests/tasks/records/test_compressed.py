"""Compressed TFRecord files, as TensorFlow writes them."""

import gzip
import io
import zlib

import pytest

from imagerecords.schemas.errors import CorruptRecord
from imagerecords.tasks.records.compressed import Inflated, compression_of
from imagerecords.tasks.records.frames import read_frames


@pytest.fixture(params=["GZIP", "ZLIB", ""])
def written(request, tf, tmp_path):
    """A file of three records by TensorFlow, and how it is compressed."""
    path = tmp_path / "x"
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions(compression_type=request.param)) as writer:
        for number in range(3):
            writer.write(bytes([number]) * 5000)
    return path.read_bytes(), request.param


def test_tensorflows_files_are_recognised_and_read(written):
    data, kind = written
    assert compression_of(data[:4096]) == kind
    file = io.BytesIO(data)
    found = list(read_frames(Inflated(file) if kind else file))
    assert [(each.data, each.problem) for each in found] == [(bytes([number]) * 5000, None) for number in range(3)]


def test_gzip_members_that_follow_each_other_are_one_stream():
    data = gzip.compress(b"a" * 100) + gzip.compress(b"b" * 100)
    file = Inflated(io.BytesIO(data))
    assert b"".join(iter(lambda: file.read(64), b"")) == b"a" * 100 + b"b" * 100


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"notes",
        gzip.compress(b"notes that are no records", mtime=0),  # gzip, and no TFRecord in it
        b"\x78\x9c" + b"not deflated",
    ],
)
def test_other_files_are_not_taken_for_tfrecords(start):
    assert compression_of(start) is None


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
def test_a_cut_or_broken_stream_is_reported(compress):
    data = compress(bytes(range(256)) * 50)
    for damaged in (data[:-9], data[: len(data) // 2], data[:40] + b"\xff\xff\xff\xff" + data[44:]):
        file = Inflated(io.BytesIO(damaged))
        with pytest.raises(CorruptRecord, match="compressed stream"):
            list(iter(lambda: file.read(64), b""))  # noqa: B023
