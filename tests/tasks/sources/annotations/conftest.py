"""Shared by the tests of annotations: the records of a build by the names of their images."""

import shutil

import pytest

from imagerecords.tasks.records.example import parse_example
from imagerecords.tasks.records.frames import read_frames


@pytest.fixture
def records(build, tmp_path):
    """`records(**settings)` builds and gives, by the stem of the image's name, its split, text, pixels and boxes."""

    def records(**settings):
        output = tmp_path / "out"
        shutil.rmtree(output, ignore_errors=True)
        build(output_directory=output, max_rejected_fraction=1.0, **settings)
        found = {}
        for shard in sorted(output.glob("*-of-*")):
            with shard.open("rb") as file:
                for record in read_frames(file, resume=False):
                    features = parse_example(record.data)
                    stem = features["image/filename"][0].decode().rpartition(".")[0]
                    assert stem not in found
                    found[stem] = shard.name.partition("-")[0], features
        return found

    return records
