"""plan.parquet: what was written is read back, as a whole and by shard."""

from dataclasses import replace

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
