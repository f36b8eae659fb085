"""The digest of a data set is that of the lines that sha256sum prints for its shards, and comes back from croissant.json."""

import hashlib
import json

import pytest

from imagerecords.schemas.errors import CorruptRecord
from imagerecords.tasks.data_card.gather import read_outcome
from imagerecords.tasks.dataset.croissant import listed_files, read_croissant
from imagerecords.tasks.storage.folders import open_folder


def test_it_is_of_the_lines_of_sha256sum(small):
    shards = [*sorted(small.glob("train-*")), *sorted(small.glob("validation-*"))]
    lines = "".join(f"{hashlib.sha256(shard.read_bytes()).hexdigest()}  {shard.name}\n" for shard in shards)
    assert read_outcome(open_folder(str(small), {})).digest == hashlib.sha256(lines.encode()).hexdigest()


def test_croissant_json_that_is_none_is_an_error_that_names_it(tmp_path):
    (tmp_path / "croissant.json").write_text("{")
    with pytest.raises(CorruptRecord, match=r"croissant\.json must be JSON"):
        read_croissant(open_folder(str(tmp_path), {}))


@pytest.mark.parametrize("content", [None, [], {}, {"distribution": 1}, {"distribution": [1, {}, {"sha256": ""}]}])
def test_other_peoples_files_list_nothing_and_break_nothing(content):
    assert listed_files(json.loads(json.dumps(content))) == {}
