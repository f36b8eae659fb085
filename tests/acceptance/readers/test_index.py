"""The index files are what DALI's tfrecord2idx and the package tfrecord's would write."""

import importlib.util
import struct
import subprocess
import sys

import pytest


def tfrecord2idx(shard):
    """DALI's script in other words: lengths are read, CRCs are not looked at."""
    with shard.open("rb") as file:
        while head := file.read(8):
            begin = file.tell() - len(head)
            (length,) = struct.unpack("q", head)
            file.seek(4 + length + 4, 1)
            yield f"{begin} {file.tell() - begin}\n"


def shards(workplace):
    found = sorted(workplace.glob("out/*-*-of-*"))
    assert len(found) == 8
    return found


def test_each_index_is_what_dalis_script_reckons(workplace):
    for shard in shards(workplace):
        assert (workplace / f"out/index/{shard.name}.idx").read_text() == "".join(tfrecord2idx(shard))


def test_each_index_is_what_the_package_tfrecord_makes(workplace, tmp_path):
    if importlib.util.find_spec("tfrecord") is None:
        pytest.skip("tfrecord is not installed")
    code = (
        "import pathlib, sys; from tfrecord.tools.tfrecord2idx import create_index\n"
        "for shard in map(pathlib.Path, sys.argv[2:]): create_index(shard, f'{sys.argv[1]}/{shard.name}')"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path, *shards(workplace)], check=True)
    for shard in shards(workplace):
        assert (workplace / f"out/index/{shard.name}.idx").read_bytes() == (tmp_path / shard.name).read_bytes()
