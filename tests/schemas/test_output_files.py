"""Names of shards, both ways."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagerecords.schemas import output_files as layout
from imagerecords.schemas.output_files import ShardName, index_path, is_our_shard, parse_shard_name, receipt_path
from imagerecords.schemas.splits import SPLITS


@given(st.sampled_from(SPLITS), st.integers(0, 99_998), st.integers(1, 99_999))
def test_a_shards_name_reads_back(split, index, count):
    name = ShardName(split, index, count)
    assert parse_shard_name(str(name)) == name
    assert is_our_shard(str(name))


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("train-00000-of-00008", True),
        ("test-00007-of-00008", True),
        ("flowers_train-00000-of-00005", False),  # parses, but no build writes it
        ("train-00000-of-00008.idx", False),
        ("train-0-of-8", False),
        ("train-00000-of-00008\n", False),  # `$` in a pattern matches before a last line break
        ("", False),
    ],
)
def test_only_names_that_a_build_writes_are_taken_for_its_shards(name, ours):
    assert is_our_shard(name) is ours


def test_the_classic_names_are_written():
    assert str(ShardName("train", 0, 1024)) == "train-00000-of-01024"
    assert index_path("train-00000-of-00008") == "index/train-00000-of-00008.idx"
    assert receipt_path("train-00000-of-00008") == "_build/receipts/train-00000-of-00008.parquet"


def test_no_file_beside_the_shards_matches_what_trainers_glob():
    names = [
        *(layout.LABELS, layout.MANIFEST, layout.DATASET_INFO, layout.FEATURES, layout.CLASS_LABELS, layout.CROISSANT),
        *(layout.LABEL_MAP, layout.INDEX, layout.BUILD),
    ]
    globs = [f"{split}-*" for split in SPLITS]
    assert [name for name in names for glob in globs if fnmatch.fnmatch(name, glob)] == []
