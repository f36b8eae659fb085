"""plan.parquet: what was written is read back, as a whole and by shard."""

from dataclasses import replace

import pyarrow.parquet as pq

from imagerecords.schemas.output_files import PLAN
from imagerecords.tasks.dataset.plan_file import read_header_of, read_plan_header, read_shard_plan, read_whole_plan, write_plan
from imagerecords.tasks.discover import discover_images
from imagerecords.tasks.partition import partition_images
from imagerecords.tasks.storage.folders import open_folder


def test_a_plan_reads_back(tmp_path, fill, make_settings):
    source = fill(tmp_path / "in", {"cat": 4, "dog": 4})
    settings = make_settings(train_directory=source, output_directory=tmp_path / "out", train_shards=3)
    plan = partition_images(discover_images(settings), settings)
    output = open_folder(str(tmp_path / "out"), {})
    write_plan(output, plan)
    assert read_plan_header(output) == plan.header
    whole = list(read_whole_plan(output))
    assert [shard for shard, _ in whole] == plan.references()
    for (shard, rows), table in zip(whole, plan.tables(), strict=True):
        assert rows.to_pylist() == read_shard_plan(output, shard)[1].to_pylist() == table.to_pylist()


def test_small_shards_share_row_groups_and_one_per_shard_is_read_too(tmp_path, fill, make_settings, monkeypatch):
    source = fill(tmp_path / "in", {"cat": 6, "dog": 6})
    settings = make_settings(train_directory=source, output_directory=tmp_path / "out", train_shards=9)
    plan = partition_images(discover_images(settings), settings)
    output = open_folder(str(tmp_path / "out"), {})
    groups = []
    for least in (1, 3, 100):
        monkeypatch.setattr("imagerecords.tasks.dataset.plan_file.LEAST_ROWS", least)
        write_plan(output, plan)
        groups.append(pq.ParquetFile(output.join(PLAN)).num_row_groups)
        assert [rows.to_pylist() for _, rows in read_whole_plan(output)] == [table.to_pylist() for table in plan.tables()]
    assert groups == [9, 3, 1]


def test_a_process_keeps_the_plan_of_a_build_and_reads_that_of_the_next_one(tmp_path, fill, make_settings):
    source = fill(tmp_path / "in", {"cat": 4, "dog": 4})
    output = open_folder(str(tmp_path / "out"), {})
    for build, shards in (("first", 3), ("second", 2)):
        settings = make_settings(train_directory=source, output_directory=tmp_path / "out", train_shards=shards)
        plan = partition_images(discover_images(settings), settings)
        write_plan(output, plan)
        for shard, table in zip(plan.references(build), plan.tables(), strict=True):
            header, rows = read_shard_plan(output, shard)
            assert (header, rows.to_pylist()) == (plan.header, table.to_pylist())
            assert read_header_of(output, shard) == plan.header
            assert read_header_of(output, replace(shard, build="")) == plan.header
